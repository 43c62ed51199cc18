"""Make the generated parts of README.md and ``docs/`` anew.

Run in ``tests/``: ``python -m studies.docs``. Generated regions are filled from the registry,
the lexicon and the corpora (:mod:`.docs_pages`); then every example is run and what it prints is
written behind it (``console_blocks``). Examples whose needs are not met here (the released data
under ``$OVMER_REFERENCE``, lm-eval) are left as they are and named.
"""

from __future__ import annotations

import sys
from pathlib import Path

from console_blocks import README, ROOT, RUN_KINDS, Page, runnable_kinds
from ovmer_bench.files import write_text

from .docs_pages import pages, regenerated


def main() -> None:
    """Rewrite the pages given as arguments, or all of them."""
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or [README, *pages()]
    kinds = runnable_kinds()
    for path in chosen:
        before = path.read_text("utf-8")
        write_text(path, regenerated(path))
        write_text(path, Page(path).rewritten(kinds))
        if path.read_text("utf-8") != before:
            print(f"changed {path.relative_to(ROOT)}")
        for kind in RUN_KINDS:
            if kind not in kinds and Page(path).blocks(kind):
                print(f"not run: the {kind} examples of {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
