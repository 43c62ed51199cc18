"""How each voice speaks: syllables with pitch, loudness, tempo, pauses and unsteadiness.

Pitch is in 1/16 Hz, time in samples, everything else in percent of a plain voice.
:mod:`.voices` turns the syllables into sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .draws import Draws
from .expressions import phase_bounds
from .world import Latent

RATE = 16_000
N_SAMPLES = 2 * RATE
N_VOWELS = 5

PLAIN: Mapping[str, int] = {
    "pitch": 100,  # of the speaker's own
    "range": 12,  # how far the melody swings from word to word
    "fall": 8,  # how far pitch sinks within a syllable; negative: rises
    "tempo": 42,  # syllables in ten seconds
    "fill": 82,  # part of its time that a syllable sounds
    "pause": 12,  # chance of a pause after a syllable
    "level": 60,  # loudness
    "bright": 40,  # effort: share of the hard, overtone-rich sound
    "attack": 40,  # milliseconds until a syllable is at its full loudness
    "breath": 8,  # share of breath
    "tremor": 0,  # how far pitch and loudness tremble
    "jitter": 1,  # how far pitch strays from one hundredth of a second to the next
    "rough": 0,  # every second cycle weaker
    "uneven": 12,  # how unequal syllables are in length
}

_SHAPES: Mapping[str, Mapping[str, int]] = {
    "lively": {
        "pitch": 138,
        "range": 36,
        "fall": -16,
        "tempo": 64,
        "fill": 84,
        "pause": 3,
        "level": 80,
        "bright": 62,
        "attack": 22,
        "breath": 6,
        "uneven": 20,
    },
    "warm": {
        "pitch": 96,
        "range": 9,
        "fall": 4,
        "tempo": 34,
        "fill": 98,
        "pause": 2,
        "level": 48,
        "bright": 8,
        "attack": 95,
        "breath": 12,
        "uneven": 8,
    },
    "drained": {
        "pitch": 80,
        "range": 3,
        "fall": 14,
        "tempo": 25,
        "fill": 62,
        "pause": 46,
        "level": 32,
        "bright": 4,
        "attack": 70,
        "breath": 34,
        "uneven": 10,
    },
    "forceful": {
        "pitch": 116,
        "range": 14,
        "fall": 34,
        "tempo": 52,
        "fill": 74,
        "pause": 6,
        "level": 112,
        "bright": 100,
        "attack": 6,
        "breath": 4,
        "rough": 46,
        "uneven": 12,
    },
    "unsteady": {
        "pitch": 124,
        "range": 14,
        "fall": -2,
        "tempo": 50,
        "fill": 66,
        "pause": 26,
        "level": 46,
        "bright": 26,
        "attack": 30,
        "breath": 26,
        "tremor": 100,
        "jitter": 7,
        "uneven": 60,
    },
}
_AMOUNT = (62, 84, 106)  # percent of the shape, by level of intensity


@dataclass(frozen=True)
class Speaker:
    """Who is heard, and through what: a nuisance.

    Attributes:
        pitch: mean pitch, 1/16 Hz.
        tract: length of the vocal tract against a long one, percent of its resonances.
        gain: of the recording, 1/256.
        hiss, hum: noise and mains hum of the recording.
        hum_pitch: of the hum, Hz.
    """

    pitch: int
    tract: int
    gain: int
    hiss: int
    hum: int
    hum_pitch: int


@dataclass(frozen=True)
class Syllable:
    """One syllable and the silence after it.

    Attributes:
        length: samples, the silence included.
        sounding: samples until it falls silent.
        vowel: 0..4.
        burst: loudness of the consonant before it.
        pitch: 1/16 Hz at its begin, and ``pitch_end`` at its end.
        manner: the parameters of :data:`PLAIN` in force.
    """

    length: int
    sounding: int
    vowel: int
    burst: int
    pitch: int
    pitch_end: int
    manner: Mapping[str, int]


def draw_speaker(draws: Draws) -> Speaker:
    """A speaker and a recording."""
    high = draws.chance(50)
    hertz = draws.between(172, 232) if high else draws.between(96, 142)
    return Speaker(
        pitch=hertz * 16,
        tract=draws.between(108, 120) if high else draws.between(94, 106),
        gain=draws.between(150, 300),
        hiss=draws.between(2, 14),
        hum=draws.pick((0, 0, 60, 110)),
        hum_pitch=draws.pick((50, 60)),
    )


def draw_syllables(latent: Latent, speaker: Speaker, draws: Draws) -> list[Syllable]:
    """The syllables of a clip; their lengths add up to :data:`N_SAMPLES`."""
    syllables: list[Syllable] = []
    for number, phase in enumerate(latent.phases):
        begin, end = phase_bounds(N_SAMPLES, len(latent.phases), number)
        manner = _scaled(phase.voice, _AMOUNT[phase.level], draws)
        left = end - begin
        while left > 0:
            syllable = _syllable(manner, speaker, left, draws)
            syllables.append(syllable)
            left -= syllable.length
    return syllables


def _scaled(voice: str, amount: int, draws: Draws) -> dict[str, int]:
    shape = _SHAPES[voice]
    manner = {
        name: plain + (shape.get(name, plain) - plain) * amount * draws.between(88, 112) // 10_000
        for name, plain in PLAIN.items()
    }
    return {name: value if name == "fall" else max(value, 0) for name, value in manner.items()}


def _syllable(manner: Mapping[str, int], speaker: Speaker, left: int, draws: Draws) -> Syllable:
    usual = 10 * RATE // manner["tempo"]
    length = usual * (100 + draws.spread(manner["uneven"])) // 100
    sounding = length * manner["fill"] // 100
    if draws.chance(manner["pause"]):
        length += RATE * draws.between(14, 26) // 100
    # What would be left is too short for a syllable of its own: the pause takes it.
    if left - length < usual * 2 // 3:
        length = left
    sounding = min(sounding, length - 160)
    swing = 100 + draws.spread(2 * manner["range"])
    pitch = speaker.pitch * manner["pitch"] * swing // 10_000
    fall = manner["fall"] + draws.spread(4)
    return Syllable(
        length=length,
        sounding=max(sounding, 160),
        vowel=draws.below(N_VOWELS),
        burst=draws.pick((0, 30, 60, 100)),
        pitch=pitch * (200 + fall) // 200,
        pitch_end=pitch * (200 - fall) // 200,
        manner=manner,
    )
