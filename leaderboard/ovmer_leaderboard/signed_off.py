"""Score reports that somebody with the gold made and signed off.

Gold of most corpora may not be shared, so a site is mostly built where it is not. Whoever has it
runs :func:`sign_off`: the ruler's own reports are written beside the predictions, and a line for
each goes into a ledger outside the submissions, which only maintainers change. A report counts
where the ledger holds its hash and where it is about the predictions that lie beside it now;
any other number that comes with a submission is never read.

The ledger has the format of ``sha256sum``: run ``sha256sum -c ../signed-off.txt`` in the folder
of the submissions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ovmer_bench.corpora.registry import corpus_info
from ovmer_bench.errors import InputError
from ovmer_bench.files import read_bytes, read_text, write_texts
from ovmer_bench.lexicon import load_lexicon
from ovmer_bench.metrics.score_report import ScoreReport
from ovmer_bench.metrics.scoring import evaluate
from ovmer_bench.reading.readers import PredictionFile
from ovmer_bench.submission import REPORTS, Submission, has_gold

LEDGER = "signed-off.txt"
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


class Ledger:
    """Hashes of signed-off reports by place, ``NAME/reports/CORPUS.LEXICON.json``.

    Args:
        path: the file; one that does not exist is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hashes: dict[str, str] = {}
        if not path.exists():
            return
        for number, line in enumerate(read_text(path).split("\n"), 1):
            if not line.strip() or line.startswith("#"):
                continue
            match = _LINE.fullmatch(line)
            if match is None:
                raise InputError(
                    f"{line[:120]!r} is no line of a ledger",
                    file=path,
                    line=number,
                    accepted="sha256, two spaces, NAME/reports/CORPUS.LEXICON.json",
                )
            self.hashes[match[2]] = match[1]

    def report(self, submission: Submission, task: str, lexicon: str) -> ScoreReport | str:
        """The signed-off report of a submission, or why there is none that counts."""
        path = submission.reports.get((task, lexicon))
        if path is None:
            return f"the gold of {task} is not on this machine and no report was signed off"
        place = f"{submission.name}/{REPORTS}/{path.name}"
        if self.hashes.get(place) != hashlib.sha256(read_bytes(path)).hexdigest():
            return f"the report of {task} was not signed off, or was changed since"
        report = ScoreReport.read(path)
        if (report.corpus, report.n_missing) != (task, 0):
            return f"the report of {task} is of another corpus, or of a part of it"
        if report.predictions_sha256 != answers_sha256(submission.predictions[task]):
            return f"the report of {task} is of other predictions"
        return report

    def text(self, added: Mapping[str, str]) -> str:
        """The ledger's text with ``added`` lines, in order of place."""
        lines = sorted({**self.hashes, **added}.items())
        return "".join(f"{digest}  {place}\n" for place, digest in lines)


def answers_sha256(predictions: PredictionFile) -> str:
    """What a report calls ``predictions_sha256``; needs no gold."""
    no_gold: dict[str, list[str]] = {p.id: [] for p in predictions.predictions}
    return evaluate(predictions, no_gold).report(draws=0).predictions_sha256


def sign_off(
    submissions: Iterable[Submission], lexicons: Iterable[str], ledger: Path
) -> list[Path]:
    """Score submissions on every corpus whose gold is here and may not be shared; sign reports.

    Reports and ledger are written all or none.

    Returns:
        The reports.

    Raises:
        InputError: there is nothing to score.
    """
    texts: dict[Path, str] = {}
    added: dict[str, str] = {}
    for submission in submissions:
        for task, predictions in submission.predictions.items():
            if corpus_info(task).embedded or not has_gold(task):
                continue
            for lexicon in lexicons:
                evaluation = evaluate(
                    predictions, task, lexicon=load_lexicon(lexicon), system=submission.name
                )
                if evaluation.statistics.lexicon.id != lexicon:
                    continue
                text = evaluation.report().to_json()
                path = submission.folder / REPORTS / f"{task}.{lexicon}.json"
                texts[path] = text
                place = f"{submission.name}/{REPORTS}/{path.name}"
                added[place] = hashlib.sha256(text.encode("utf-8")).hexdigest()
    if not texts:
        raise InputError(
            "no report to sign off: embedded corpora are scored for every build, and the gold of"
            " no other corpus of these submissions is on this machine",
            hint="Run: ovmer data import CORPUS --from DIR",
        )
    written = list(texts)
    write_texts({**texts, ledger: Ledger(ledger).text(added)})
    return written
