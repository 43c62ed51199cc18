"""Closed classes of words around a feeling in a label: frames, degrees, denials, complements."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words before the feeling that leave it the same feeling: degree, certainty, frame.
BEFORE = _words(
    """
    a an the his her their its my your our this that such some any both one of as to at by
    in on with and or but yet very really so too quite extremely highly deeply intensely
    slightly mildly somewhat rather fairly pretty bit little lot lots kind sort moderately
    moderate strong strongly mild deep intense slight extreme great greatly big huge immense
    profound profoundly severe severely serious seriously considerable considerably pure
    sheer utter utterly absolute absolutely total totally complete completely entirely
    incredibly terribly awfully genuinely truly true real clear clearly obvious obviously
    evident evidently visible visibly seemingly apparent apparently possible possibly perhaps
    maybe likely probably potential potentially subtle subtly faint faintly hint hints touch
    trace traces tinge full filled more most much many still again just only even also
    increasingly increasing growing rising general generally overall underlying inner
    internal inward inwardly outward outwardly emotionally mentally psychologically
    emotional mental psychological temporary constant constantly continued initial initially
    momentary momentarily sudden suddenly light lightly low high heightened elevated
    occasional occasionally frequent certain particularly especially overly almost nearly
    partly partially partial fully barely-concealed suppressed repressed restrained hidden
    concealed masked subdued controlled contained mounting lingering
    feeling feelings feel feels felt sense senses sensing sensation state states expression
    expressions expresses expressing expressed look looks looking tone mood air attitude
    emotion emotions moment moments mix mixture combination blend level degree sign signs
    display displays displaying show shows showing shown wave burst outburst act attempt
    being be is are was were am been i he she they it you we appears appearing appear
    appearance seems seeming seem sounds sounding sound getting get gets becoming become
    becomes acting acts experiencing experiences having has have had himself herself
    themselves oneself person speaker character man woman subject individual tendency trying
    tries effort desire-to wanting-to attempting attempts beginning starting starts
    """
)

# Words after the feeling that only say what shows it.
AFTER = _words(
    """
    feeling feelings emotion emotions emotional mood moods state states expression
    expressions tone tones attitude attitudes look looks looking sounding faced facial manner
    manners behaviour behavior behaviours behaviors demeanour demeanor reaction reactions
    response responses vibe vibes atmosphere sentiment sentiments disposition mindset outlook
    temperament gesture gestures posture smile smiles smiling laugh laughs laughter gaze
    glance stare stance affect undertone undertones overtones moment moments level remark
    remarks words mode energy spirit spirits mentality mind thoughts experience experiences
    speaking inside overall though too now again somewhat slightly very bit little much all
    intention intentions sense sensation inquiry question questioning questions comment
    comments silence sigh sighs pause nod whisper frown chuckle grin
    """
)

# Who or what shows a feeling. A word with another sense besides describes them (`blue eyes`,
# `old friend`), so that only a word that is nothing but a feeling counts before them.
BEARERS = _words(
    """
    face faces eyes tears cry voice voices speech nature situation statement hands brow brows
    lips body person people speaker speakers man men woman women character individual subject
    guy lady girl boy child children kid baby mother father mom dad parent parents son daughter
    husband wife couple brother sister sibling lover customer boss teacher student
    """
)

# Words that tell nothing of a phrase that they end.
FRAMES = AFTER | _words("a an the of to and or is are it he she they i you we in on at be so too")

# A feeling that is shown and not had: `fake smile`, `mock outrage`.
FEIGNED = _words(
    "fake faked false feigned pretended pretending pretend forced mock mocking falsely"
)
SURFACE = _words("surface outwardly superficially seemingly outside")

# `need for love`, `seeking comfort`: what is wanted is not there.
WANTING = _words("need needs needed seek seeks seeking")
DESIRING = _words("want wants wanted wanting wish wishes")

# `hard to accept` is no acceptance.
HARD = _words("hard difficult impossible unable fail fails failing failed struggling refusing")

DENIALS = _words(
    """
    not no non never without lack lacks lacking absence absent devoid isnt arent wasnt doesnt
    dont didnt cant cannot hardly barely scarcely less nothing neither nor zero insufficient
    little-to-no
    """
)
# Between a denial and what it denies: `lack of trust`, `not very happy`, `no longer angry`.
AFTER_DENIAL = _words("of longer at all any really very too so quite that much the a an in")
LOSS = _words("loss losing lost")

# What is done to a good feeling so that it is gone: `betrayed trust`, `shattered hope`.
SPOILED = _words("betrayed broken lost shattered crushed damaged dashed violated failed fading")

# A complement says what the feeling is about: `fear of failure`, `worried about her`.
COMPLEMENT = _words(
    """
    about at towards toward for over from by to with in on of because due when that against
    regarding upon after before into despite while than as if between among without behind
    """
)

# In -ly, and no adverbs of degree.
NO_ADVERBS = DENIALS | _words(
    """
    friendly unfriendly lonely lively lovely elderly cowardly motherly fatherly brotherly
    sisterly ghastly deadly orderly melancholy sickly worldly gentlemanly ladylike neighborly
    neighbourly family miserly unruly unlikely likely homely kindly costly saintly
    """
)
CONTAINED = _words("contained concealed hidden suppressed controlled restrained masked veiled")

# What stands after these is in what stands before: `shaking with anger`, `tone of regret`.
HOLDING = _words("with of in from by")


def is_degree(word: str) -> bool:
    """Whether a word is an adverb of degree, an open class (``overwhelmingly``)."""
    return len(word) > 5 and word.endswith("ly") and word not in NO_ADVERBS
