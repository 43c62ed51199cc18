"""What the task files of ``tasks/`` call: documents in, answers out.

The harness (lm-eval) reads the YAML files, calls :func:`load` for the documents of a task, puts
each document's prompt to a model, and hands the text that came back to :func:`process_results`.
Aggregations are in :mod:`.scores`. Nothing here imports the harness itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import prompts
from ..corpora.media_check import OnMissing
from ..corpora.registry import CorpusInfo, corpus_info
from ..corpora.store import Corpus, load_corpus
from ..errors import CorpusError, InputError, OvmerError, did_you_mean
from ..lexicon import BUILTIN_ID, load_lexicon
from ..parsing import ParsedOutput, parse_outputs
from ..reading.schema import Sample
from .media import N_FRAMES, clip_audio, clip_frames, few_shot_samples, shown_samples
from .scores import Answer, metric_names

if TYPE_CHECKING:
    from datasets import Dataset

Document = Mapping[str, Any]

TEST, FEW_SHOT = "test", "few_shot"

OPTIONS = ("ovmer_lexicon", "ovmer_on_missing")
"""What ``--metadata`` may set. The harness merges model arguments into the same mapping, so ours
have a prefix and whatever else stands there is not ours to judge."""


class StopRun(OvmerError, SystemExit):
    """An error of ours inside a run of the harness.

    Also a :class:`SystemExit`, because the harness does not catch what a task raises: where
    nobody else does, the run ends with one line and exit code 1 in place of a traceback.
    """

    def __init__(self, error: OvmerError) -> None:
        OvmerError.__init__(
            self,
            error.message,
            file=error.file,
            line=error.line,
            field=error.field,
            accepted=error.accepted,
            hint=error.hint,
        )
        self.code = f"error: {self}"


def tasks_dir() -> Path:
    """The folder of the task files, for ``lm_eval --include_path``."""
    return Path(__file__).parents[1] / "tasks"


def load(ovmer: Mapping[str, Any], **options: object) -> dict[str, Dataset]:
    """Documents of one task.

    Args:
        ovmer: what the task file says: ``corpus``, ``evidence`` (a list) and ``prompt``.
        options: metadata of the task, of the command line and of the model, merged.

    Raises:
        StopRun: the corpus is not to be had or lacks the evidence, or an unknown option.
    """
    try:
        lexicon = _lexicon_option(options)
        corpus = load_corpus(str(ovmer["corpus"]))
        evidence, mode = tuple(ovmer["evidence"]), ovmer["prompt"]
        _check_evidence(corpus, evidence)
        shown = shown_samples(corpus, evidence, _on_missing_option(options))
        splits = {TEST: shown, FEW_SHOT: few_shot_samples(corpus.info)}
        return {
            split: _dataset(samples, corpus.info, evidence, mode, lexicon)
            for split, samples in splits.items()
            if samples
        }
    except OvmerError as error:
        raise StopRun(error) from None


def with_gold(documents: Iterable[Document]) -> list[Document]:
    """Documents that can stand as few-shot examples."""
    return [document for document in documents if document["target"]]


def frames(document: Document) -> list[Any]:
    """Pictures of a clip, in order, as Pillow images.

    Raises:
        StopRun: they cannot be read.
    """
    try:
        return clip_frames(document["id"], document["corpus"])
    except OvmerError as error:
        raise StopRun(error) from None


def audio(document: Document) -> list[dict[str, Any]]:
    """The sound of a clip: ``array``, floats in [-1, 1], and ``sampling_rate`` in Hz.

    Raises:
        StopRun: it cannot be read.
    """
    try:
        return [clip_audio(document["id"], document["corpus"])]
    except OvmerError as error:
        raise StopRun(error) from None


def only_tagged(responses: Sequence[Sequence[str]], documents: object) -> list[list[str]]:
    """Responses as they are where ``<answer>`` tags hold something, else empty.

    The filter of ``think`` prompts: what stands outside the tags is thought, not answer. The
    tags stay, so that whoever reads the filtered response sees whether the format was kept.
    """
    kept = []
    for texts in responses:
        pairs = zip(texts, _read(texts), strict=True)
        kept.append([said if reading.kind == "answer" else "" for said, reading in pairs])
    return kept


def process_results(document: Document, results: Sequence[str]) -> dict[str, Answer]:
    """The answer to one document, once for every metric of its task."""
    output = results[0]
    (reading,) = _read([output])
    kept = reading.format_kept
    if document["prompt_mode"] == "think":
        kept = kept and "</think>" in output.lower()
    answer = Answer(
        corpus=document["corpus"],
        clip=document["id"],
        lexicon=document["lexicon"],
        output=output,
        labels=tuple(reading.labels),
        kept=kept,
    )
    return dict.fromkeys(metric_names(corpus_info(answer.corpus)), answer)


def _read(texts: Sequence[str]) -> list[ParsedOutput]:
    return parse_outputs(texts, load_lexicon(BUILTIN_ID))


def _lexicon_option(options: Mapping[str, object]) -> str:
    for name in options:
        if name.startswith("ovmer") and name not in OPTIONS:
            raise InputError(
                f"unknown option {name!r}",
                field="--metadata",
                accepted=OPTIONS,
                hint=did_you_mean(name, OPTIONS),
            )
    return load_lexicon(str(options.get("ovmer_lexicon", BUILTIN_ID))).id


def _on_missing_option(options: Mapping[str, object]) -> OnMissing:
    said = options.get("ovmer_on_missing", "fail")
    if said not in ("fail", "skip"):
        raise InputError(f"ovmer_on_missing is {said!r}", field="--metadata", accepted="fail, skip")
    return "skip" if said == "skip" else "fail"


def _check_evidence(corpus: Corpus, evidence: Sequence[str]) -> None:
    name = corpus.info.name
    if "subtitle" in evidence and not any(any(s.subtitle.values()) for s in corpus.samples):
        raise CorpusError(
            f"{name} was imported without subtitles, and this task asks about them",
            accepted=corpus.info.transcript_files,
            hint=f"Put that file beside the labels and run: ovmer data import {name} --from DIR",
        )
    if "clues" in evidence and not any(any(s.clues.values()) for s in corpus.samples):
        raise CorpusError(f"{name} holds no written clues")


def _dataset(
    samples: Sequence[Sample],
    info: CorpusInfo,
    evidence: Sequence[prompts.Evidence],
    mode: prompts.Mode,
    lexicon: str,
) -> Dataset:
    from datasets import Dataset

    documents = []
    for sample in samples:
        shown = prompts.evidence_text(sample.subtitle, sample.clues, evidence, N_FRAMES)
        documents.append(
            {
                "id": sample.id,
                "corpus": info.name,
                "prompt": prompts.prompt(shown, mode),
                "prompt_mode": mode,
                "target": prompts.target(_gold_words(sample), shown, mode),
                "lexicon": lexicon,
            }
        )
    return Dataset.from_list(documents)


def _gold_words(sample: Sample) -> list[str]:
    """Gold as words, also where it is a valence."""
    if sample.labels is not None:
        return list(sample.labels)
    if sample.label is not None:
        return [sample.label]
    valence = sample.valence or 0.0
    return ["positive" if valence > 0 else "negative" if valence < 0 else "neutral"]
