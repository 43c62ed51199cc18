"""The corpora this package can score on: what they are, where they come from, what they count.

Nothing here reads a file. Real corpora are imported by their users from the official files
(:mod:`.importers`); embedded ones ship with the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import CorpusError, did_you_mean
from ..reading.schema import GoldKind


@dataclass(frozen=True)
class HubFiles:
    """Annotation files in a data set on Hugging Face, which its owners open on request.

    Attributes:
        repository: owner and name of the data set.
        labels: the file with the gold.
        texts: files with subtitles and descriptions; a release may lack them.
    """

    repository: str
    labels: str
    texts: tuple[str, ...]

    @property
    def page(self) -> str:
        """Where access is asked for."""
        return f"https://huggingface.co/datasets/{self.repository}"


@dataclass(frozen=True)
class CorpusInfo:
    """Facts about one corpus.

    Attributes:
        name: by which it is asked for.
        title: as its authors write it, with the split.
        kind: gold of its samples: ``open`` labels, one ``basic`` word, or a ``sentiment``
            valence.
        n: number of clips of the split that is scored.
        split: the official name of that split; ``train`` is never scored.
        language: spoken.
        main_score: the score that ranks systems on it.
        label_files: official names of the file with the gold.
        transcript_files, description_files: likewise, for subtitles and descriptions.
        corpus_keys: arrays of the label ``.npz`` that may hold the split.
        id_prefix: clips of the split begin with it, where the array holds other clips too.
        label_order: words that the label file numbers from 0.
        published: where the authors publish it.
        licence: the terms in one sentence.
        paper: the publication to cite.
        aliases: other spellings of the name.
        embedded: ships with the package.
        hub: what ``ovmer data download`` fetches; ``None`` where there is nothing to fetch.
    """

    name: str
    title: str
    kind: GoldKind
    n: int
    split: str
    language: str
    main_score: str
    label_files: tuple[str, ...]
    published: tuple[str, ...]
    licence: str
    paper: str
    transcript_files: tuple[str, ...] = ()
    description_files: tuple[str, ...] = ()
    corpus_keys: tuple[str, ...] = ()
    id_prefix: str = ""
    label_order: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    embedded: bool = False
    hub: HubFiles | None = None


MELD_ORDER = ("anger", "joy", "sadness", "neutral", "disgust", "fear", "surprise")
IEMOCAP_ORDER = ("happy", "sad", "neutral", "anger")

_MERTOOLS = "https://github.com/zeroQiaoba/MERTools"
_AFFECTGPT = "https://github.com/zeroQiaoba/AffectGPT"
_MER2025 = "https://huggingface.co/datasets/MERChallenge/MER2025"
_MER2026 = "https://huggingface.co/datasets/MERChallenge/MER2026"
_MER_LICENCE = (
    "Academic, non-commercial use after signing the organisers' agreement; clips and labels may"
    " not be passed on."
)
_OV_MER = "Lian et al., OV-MER, ICML 2025, arXiv 2410.01495"
_AFFECTGPT_PAPER = "Lian et al., AffectGPT, ICML 2025, arXiv 2501.16566"
_POLISHED = ("transcription-engchi-polish.csv",)
_MER_SUBTITLES = ("subtitle_chieng.csv",)
_LABEL = ("label.npz",)
_TEST = ("test_corpus",)

_OPEN = (
    CorpusInfo(
        name="ovmerd",
        title="OV-MERD",
        kind="open",
        n=332,
        split="test",
        language="zh",
        main_score="M-avg",
        label_files=("track2_train_ovmerd.csv", "final-openset-english.csv"),
        transcript_files=(*_MER_SUBTITLES, "label-transcription.csv", "mer2023.csv"),
        description_files=(
            *("ovmerd_descriptions.csv", "final-EMER-reason.csv"),
            "track3_train_ovmerd.csv",
        ),
        published=(_AFFECTGPT, _MERTOOLS, _MER2025),
        licence=_MER_LICENCE,
        paper=_OV_MER,
        aliases=("ov-merd", "ovmer-d", "emer-fine"),
        hub=HubFiles(
            "MERChallenge/MER2025",
            "track2_train_ovmerd.csv",
            (*_MER_SUBTITLES, "track3_train_ovmerd.csv"),
        ),
    ),
    CorpusInfo(
        name="ovmerdplus",
        title="OV-MERD+",
        kind="open",
        n=532,
        split="test",
        language="zh",
        main_score="S1",
        label_files=("ovlabel.csv",),
        transcript_files=("subtitle_eng.csv", "subtitle_chieng.csv"),
        published=(_AFFECTGPT,),
        licence=_MER_LICENCE,
        paper=_AFFECTGPT_PAPER,
        aliases=("ovmerd+", "ov-merd+", "ov-merd-plus"),
    ),
    CorpusInfo(
        name="mer_fg",
        title="MER2025-OV (MER-FG)",
        kind="open",
        n=1200,
        split="test",
        language="zh",
        main_score="MER-FG",
        label_files=("track2_test.csv", "mer2025-ov.csv"),
        transcript_files=_MER_SUBTITLES,
        published=(_MERTOOLS, _MER2025, _MER2026),
        licence=_MER_LICENCE,
        paper="Lian et al., MER 2025, ACM MM 2025, arXiv 2504.19423",
        aliases=("mer2025-ov", "mer2025ov", "mer-fg", "mer2025"),
    ),
    CorpusInfo(
        name="human_ov",
        title="Human-OV",
        kind="open",
        n=1532,
        split="train",
        language="zh",
        main_score="MER-FG",
        label_files=("track2_train_human.csv",),
        transcript_files=_MER_SUBTITLES,
        published=(_MERTOOLS, _MER2026),
        licence=_MER_LICENCE,
        paper="The MER2026 challenge, Track 2 (MER-FG)",
        aliases=("human-ov", "humanov"),
        hub=HubFiles("MERChallenge/MER2026", "track2_train_human.csv", _MER_SUBTITLES),
    ),
    CorpusInfo(
        name="mercaptionplus",
        title="MER-Caption+",
        kind="open",
        n=31327,
        split="train",
        language="zh",
        main_score="S1",
        label_files=("track2_train_mercaptionplus.csv",),
        transcript_files=_MER_SUBTITLES,
        description_files=("track3_train_mercaptionplus.csv",),
        published=(_AFFECTGPT, _MERTOOLS, _MER2025),
        licence=_MER_LICENCE,
        paper=_AFFECTGPT_PAPER,
        aliases=("mer-caption+", "mercaption+", "mer-caption-plus"),
        hub=HubFiles(
            "MERChallenge/MER2025",
            "track2_train_mercaptionplus.csv",
            (*_MER_SUBTITLES, "track3_train_mercaptionplus.csv"),
        ),
    ),
)

_BASIC = (
    CorpusInfo(
        name="mer2023",
        title="MER2023, test1 (MER-MULTI)",
        kind="basic",
        n=411,
        split="test1",
        language="zh",
        main_score="hit_rate",
        label_files=("label-6way.npz",),
        transcript_files=_POLISHED,
        corpus_keys=("test1_corpus",),
        published=(_MERTOOLS, "http://merchallenge.cn/datasets"),
        licence=_MER_LICENCE,
        paper="Lian et al., MER 2023, ACM MM 2023, arXiv 2304.08981",
        aliases=("mer-2023",),
    ),
    CorpusInfo(
        name="mer2024",
        title="MER2024, test (MER-SEMI)",
        kind="basic",
        n=1169,
        split="test1",
        language="zh",
        main_score="hit_rate",
        label_files=("label-6way.npz",),
        transcript_files=("transcription_merge.csv",),
        corpus_keys=("test1_corpus",),
        published=(_MERTOOLS, "https://huggingface.co/datasets/MERChallenge/MER2024"),
        licence=_MER_LICENCE,
        paper="Lian et al., MER 2024, MRAC 2024, arXiv 2404.17113",
        aliases=("mer-2024",),
    ),
    CorpusInfo(
        name="meld",
        title="MELD, test",
        kind="basic",
        n=2610,
        split="test",
        language="en",
        main_score="hit_rate",
        label_files=_LABEL,
        transcript_files=_POLISHED,
        corpus_keys=_TEST,
        label_order=MELD_ORDER,
        published=("https://github.com/declare-lab/MELD", _MERTOOLS),
        licence="Annotations under GPL-3.0; the clips are from a television series, for research.",
        paper="Poria et al., MELD, ACL 2019, arXiv 1810.02508",
    ),
    CorpusInfo(
        name="iemocap4",
        title="IEMOCAP, four emotions, session 5",
        kind="basic",
        n=1241,
        split="session5",
        language="en",
        main_score="hit_rate",
        label_files=("label_4way.npz",),
        transcript_files=_POLISHED,
        corpus_keys=("whole_corpus", "test_corpus"),
        id_prefix="Ses05",
        label_order=IEMOCAP_ORDER,
        published=("https://sail.usc.edu/iemocap/", _MERTOOLS),
        licence="Academic research after a signed request to SAIL at the University of Southern"
        " California; no redistribution.",
        paper="Busso et al., IEMOCAP, Language Resources and Evaluation 42, 2008",
        aliases=("iemocap", "iemocap-4", "iemocapfour"),
    ),
)

_SENTIMENT = (
    CorpusInfo(
        name="cmumosi",
        title="CMU-MOSI, test",
        kind="sentiment",
        n=686,
        split="test",
        language="en",
        main_score="WAF",
        label_files=_LABEL,
        transcript_files=_POLISHED,
        corpus_keys=_TEST,
        published=("https://github.com/CMU-MultiComp-Lab/CMU-MultimodalSDK", _MERTOOLS),
        licence="Academic research only; the videos belong to their makers.",
        paper="Zadeh et al., MOSI, 2016, arXiv 1606.06259",
        aliases=("cmu-mosi", "mosi"),
    ),
    CorpusInfo(
        name="cmumosei",
        title="CMU-MOSEI, test",
        kind="sentiment",
        n=4659,
        split="test",
        language="en",
        main_score="WAF",
        label_files=_LABEL,
        transcript_files=_POLISHED,
        corpus_keys=_TEST,
        published=("https://github.com/CMU-MultiComp-Lab/CMU-MultimodalSDK", _MERTOOLS),
        licence="Academic research only; the videos belong to their makers.",
        paper="Zadeh et al., CMU-MOSEI, ACL 2018",
        aliases=("cmu-mosei", "mosei"),
    ),
    CorpusInfo(
        name="sims",
        title="CH-SIMS, test",
        kind="sentiment",
        n=457,
        split="test",
        language="zh",
        main_score="WAF",
        label_files=_LABEL,
        transcript_files=_POLISHED,
        corpus_keys=_TEST,
        published=("https://github.com/thuiar/MMSA", _MERTOOLS),
        licence="Academic research only; the clips are from films and series.",
        paper="Yu et al., CH-SIMS, ACL 2020",
        aliases=("ch-sims",),
    ),
    CorpusInfo(
        name="simsv2",
        title="CH-SIMS v2, test",
        kind="sentiment",
        n=1034,
        split="test",
        language="zh",
        main_score="WAF",
        label_files=_LABEL,
        transcript_files=_POLISHED,
        corpus_keys=_TEST,
        published=("https://github.com/thuiar/ch-sims-v2", _MERTOOLS),
        licence="Academic research only; the clips are from films and series.",
        paper="Liu et al., CH-SIMS v2.0, ICMI 2022, arXiv 2209.02604",
        aliases=("ch-sims-v2", "sims-v2"),
    ),
)

_EMBEDDED = (
    CorpusInfo(
        name="ovmer_scenes",
        title="ovmer scenes",
        kind="open",
        n=420,
        split="test",
        language="en, zh",
        main_score="S1",
        label_files=(),
        published=(),
        licence="CC BY 4.0.",
        paper="Written for this package",
        aliases=("ovmer-scenes", "scenes"),
        embedded=True,
    ),
    CorpusInfo(
        name="ovmer_mini",
        title="ovmer mini, generated",
        kind="open",
        n=500,
        split="test",
        language="en",
        main_score="S1",
        label_files=(),
        published=(),
        licence="Part of this package, under its licence.",
        paper="Written for this package",
        aliases=("ovmer-mini", "mini"),
        embedded=True,
    ),
)

CORPORA: Mapping[str, CorpusInfo] = {
    info.name: info for info in (*_OPEN, *_BASIC, *_SENTIMENT, *_EMBEDDED)
}
"""All corpora by name, in the order in which they are listed."""

MER_UNIBENCH = (
    *("mer2023", "mer2024", "meld", "iemocap4"),
    *("cmumosi", "cmumosei", "sims", "simsv2", "ovmerdplus"),
)
"""The nine corpora of MER-UniBench (AffectGPT)."""


def corpus_info(name: str) -> CorpusInfo:
    """The corpus called ``name``, by its name or an alias in any case.

    Raises:
        CorpusError: no corpus is called that.
    """
    asked = name.strip().lower()
    for info in CORPORA.values():
        if asked in (info.name, info.name.replace("_", "-"), *info.aliases):
            return info
    spellings = [s for info in CORPORA.values() for s in (info.name, *info.aliases)]
    raise CorpusError(
        f"unknown corpus {name!r}",
        accepted=CORPORA,
        hint=did_you_mean(asked, spellings) or "Run: ovmer data list",
    )
