"""What the commands of ``ovmer data`` say of a corpus."""

from __future__ import annotations

from ..corpora.store import Corpus


def described(corpus: Corpus) -> str:
    """Name, clips, subtitles and sample-set hash, in one line."""
    clips = len(corpus.samples)
    subtitles = sum(any(sample.subtitle.values()) for sample in corpus.samples)
    hashed = f"sample set {corpus.sha256[:12]}"
    return f"{corpus.info.name}: {clips:,} clips, {subtitles:,} with subtitle, {hashed}"
