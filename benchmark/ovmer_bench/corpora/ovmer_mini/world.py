"""The latent world: what is felt in a clip, and which class of voice, face and words shows it.

A clip is one to three feelings, one after the other. Each feeling of :data:`FEELINGS` can show
in a few ways of speaking (:data:`VOICES`), a few faces (:data:`FACES`) and be told of a few
things (:data:`TOPICS`), drawn independently of each other given the feeling. Every voice, face
and topic belongs to several feelings of different sectors, so that none settles what is felt;
two narrow it, and the three together nearly always name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .draws import Draws

MINI_VERSION = 1
"""Version of the world: another number where the same seed may give another clip."""

VOICES = ("lively", "warm", "drained", "forceful", "unsteady")
FACES = ("smile", "down", "hard", "wide", "heavy", "askance")
TOPICS = ("found", "verdict", "wait", "approach", "parting", "deed")
LEVELS = ("mild", "plain", "strong")
MASKS = ("smile", "blank")

MASK_PERCENT = 18
N_FEELINGS = {1: 54, 2: 36, 3: 10}
_LEVEL_WEIGHTS = {0: 25, 1: 40, 2: 35}


@dataclass(frozen=True)
class Feeling:
    """How one feeling shows, what it is called, and what tends to come after it.

    Attributes:
        weight: how often a clip begins with it.
        voices, faces, topics: class -> weight.
        words: gold labels, by level of intensity.
        then: feelings that may follow it in the same clip.
    """

    weight: int
    voices: Mapping[str, int]
    faces: Mapping[str, int]
    topics: Mapping[str, int]
    words: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    then: tuple[str, ...]


FEELINGS: Mapping[str, Feeling] = {
    "joyful": Feeling(
        weight=7,
        voices={"lively": 3, "warm": 1},
        faces={"smile": 4, "wide": 1},
        topics={"found": 3, "verdict": 2},
        words=(
            ("glad", "pleased", "happy"),
            ("happy", "joyful", "delighted"),
            ("overjoyed", "elated", "jubilant", "joyful"),
        ),
        then=("excited", "proud", "grateful", "wistful"),
    ),
    "excited": Feeling(
        weight=9,
        voices={"lively": 4, "unsteady": 1},
        faces={"wide": 3, "smile": 2},
        topics={"wait": 4, "verdict": 1},
        words=(
            ("eager", "keen", "animated"),
            ("excited", "eager", "energetic"),
            ("very excited", "fired up", "energetic", "exhilarated"),
        ),
        then=("joyful", "surprised", "pressured", "proud"),
    ),
    "proud": Feeling(
        weight=12,
        voices={"forceful": 3, "warm": 2},
        faces={"smile": 4, "hard": 1},
        topics={"verdict": 4, "deed": 1},
        words=(
            ("confident", "self-assured"),
            ("proud", "accomplished", "confident"),
            ("triumphant", "very proud", "victorious"),
        ),
        then=("grateful", "joyful", "ashamed", "resentful"),
    ),
    "grateful": Feeling(
        weight=7,
        voices={"warm": 3, "unsteady": 2},
        faces={"smile": 3, "down": 2},
        topics={"deed": 3, "found": 1},
        words=(
            ("thankful", "warm"),
            ("grateful", "thankful", "affectionate"),
            ("deeply grateful", "loving", "touched", "moved"),
        ),
        then=("calm", "joyful", "ashamed", "wistful"),
    ),
    "calm": Feeling(
        weight=7,
        voices={"warm": 4, "drained": 1},
        faces={"heavy": 3, "smile": 2},
        topics={"wait": 3, "parting": 2},
        words=(
            ("relaxed", "at ease"),
            ("calm", "peaceful", "relaxed"),
            ("serene", "tranquil", "at peace"),
        ),
        then=("wistful", "bored", "surprised", "joyful"),
    ),
    "wistful": Feeling(
        weight=6,
        voices={"warm": 4, "drained": 1},
        faces={"down": 3, "smile": 2},
        topics={"parting": 3, "found": 2},
        words=(
            ("wistful", "sentimental"),
            ("nostalgic", "wistful", "sentimental"),
            ("nostalgic", "bittersweet", "sentimental"),
        ),
        then=("sad", "calm", "grateful"),
    ),
    "surprised": Feeling(
        weight=9,
        voices={"lively": 4, "forceful": 1},
        faces={"wide": 4, "askance": 1},
        topics={"found": 3, "approach": 2},
        words=(
            ("surprised", "taken aback"),
            ("surprised", "astonished"),
            ("astounded", "astonished", "startled"),
        ),
        then=("confused", "scared", "disgusted", "excited"),
    ),
    "confused": Feeling(
        weight=8,
        voices={"unsteady": 3, "lively": 2},
        faces={"askance": 4, "wide": 1},
        topics={"verdict": 3, "deed": 2, "found": 1},
        words=(
            ("puzzled", "unsure"),
            ("confused", "puzzled", "perplexed"),
            ("bewildered", "baffled", "disoriented"),
        ),
        then=("angry", "disgusted", "surprised", "pressured"),
    ),
    "scared": Feeling(
        weight=9,
        voices={"unsteady": 4, "forceful": 1},
        faces={"wide": 4, "down": 1},
        topics={"approach": 4, "found": 1},
        words=(
            ("uneasy", "nervous", "apprehensive"),
            ("scared", "afraid", "frightened"),
            ("terrified", "panicked", "petrified"),
        ),
        then=("excited", "calm", "angry", "proud"),
    ),
    "pressured": Feeling(
        weight=9,
        voices={"unsteady": 3, "forceful": 2},
        faces={"hard": 3, "wide": 2},
        topics={"wait": 4, "approach": 1},
        words=(
            ("rushed", "hurried", "busy"),
            ("stressed", "pressured", "under pressure"),
            ("stressed out", "overburdened", "stressed"),
        ),
        then=("scared", "proud", "bored", "confused"),
    ),
    "angry": Feeling(
        weight=10,
        voices={"forceful": 4, "unsteady": 1},
        faces={"hard": 4, "askance": 1},
        topics={"deed": 3, "verdict": 2},
        words=(
            ("annoyed", "irritated", "cross"),
            ("angry", "mad"),
            ("furious", "enraged", "livid"),
        ),
        then=("resentful", "ashamed", "disgusted", "sad"),
    ),
    "resentful": Feeling(
        weight=8,
        voices={"drained": 4, "warm": 1},
        faces={"hard": 4, "heavy": 1},
        topics={"deed": 3, "parting": 2},
        words=(
            ("sulky", "resentful", "offended"),
            ("resentful", "bitter"),
            ("bitter", "hateful", "spiteful"),
        ),
        then=("sad", "angry", "disgusted"),
    ),
    "disgusted": Feeling(
        weight=15,
        voices={"forceful": 3, "drained": 2},
        faces={"askance": 4, "hard": 1},
        topics={"found": 3, "deed": 2, "approach": 1},
        words=(
            ("put off", "disgusted"),
            ("disgusted", "grossed out"),
            ("revolted", "repulsed", "nauseated", "sickened"),
        ),
        then=("angry", "scared", "confused", "resentful"),
    ),
    "ashamed": Feeling(
        weight=9,
        voices={"unsteady": 3, "drained": 1},
        faces={"down": 4, "heavy": 1},
        topics={"verdict": 3, "deed": 2},
        words=(
            ("regretful", "shamefaced", "guilty"),
            ("ashamed", "guilty", "contrite"),
            ("remorseful", "deeply ashamed", "full of remorse"),
        ),
        then=("sad", "grateful", "scared", "confused"),
    ),
    "sad": Feeling(
        weight=8,
        voices={"drained": 4, "unsteady": 1},
        faces={"down": 4, "heavy": 1},
        topics={"parting": 4, "verdict": 1},
        words=(
            ("sad", "unhappy", "downhearted"),
            ("sad", "sorrowful", "unhappy"),
            ("heartbroken", "grieving", "devastated"),
        ),
        then=("wistful", "resentful", "ashamed", "bored"),
    ),
    "bored": Feeling(
        weight=9,
        voices={"drained": 1},
        faces={"heavy": 4, "askance": 1},
        topics={"wait": 4, "verdict": 1},
        words=(
            ("listless", "tired", "weary"),
            ("bored", "tired"),
            ("bored stiff", "exhausted", "apathetic"),
        ),
        then=("surprised", "pressured", "calm", "excited"),
    ),
}


_FIRST = {name: feeling.weight for name, feeling in FEELINGS.items()}


@dataclass(frozen=True)
class Phase:
    """One feeling of a clip and how it shows.

    Attributes:
        feeling: a key of :data:`FEELINGS`.
        level: 0 mild, 1 plain, 2 strong.
        voice, face, topic: the class by which each modality shows it.
        words: gold labels.
    """

    feeling: str
    level: int
    voice: str
    face: str
    topic: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Latent:
    """What is felt in a clip.

    Attributes:
        phases: one to three feelings, in order of time.
        mask: what the face puts on: ``smile``, ``blank``, or ``""`` where it hides nothing.
    """

    phases: tuple[Phase, ...]
    mask: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Gold labels: the words of all feelings, each once."""
        return tuple(dict.fromkeys(word for phase in self.phases for word in phase.words))


def stream(seed: int, split: str, index: int, part: str) -> Draws:
    """The random stream of one part (``world``, ``face``, ``voice``, ``text``) of a clip."""
    return Draws("ovmer_mini", MINI_VERSION, seed, split, index, part)


def draw_latent(seed: int, split: str, index: int) -> Latent:
    """What is felt in one clip."""
    draws = stream(seed, split, index, "world")
    n = draws.weighted(N_FEELINGS)
    names = [draws.weighted(_FIRST)]
    while len(names) < n:
        following = [name for name in FEELINGS[names[-1]].then if name not in names]
        names.append(draws.pick(following))
    n_words = 2 if n > 1 else draws.between(2, 3)
    phases = tuple(_phase(draws, name, n_words) for name in names)
    masked = draws.chance(MASK_PERCENT)
    # A smile hides nothing in a face that smiles; a blank face can hide everything.
    smiles = any(phase.face == "smile" for phase in phases)
    mask = draws.pick(MASKS[1:] if smiles else MASKS) if masked else ""
    return Latent(phases, mask)


def _phase(draws: Draws, name: str, n_words: int) -> Phase:
    feeling = FEELINGS[name]
    level = draws.weighted(_LEVEL_WEIGHTS)
    return Phase(
        feeling=name,
        level=level,
        voice=draws.weighted(feeling.voices),
        face=draws.weighted(feeling.faces),
        topic=draws.weighted(feeling.topics),
        words=tuple(draws.some(feeling.words[level], n_words)),
    )
