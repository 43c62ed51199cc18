"""Fetching the files of an official lexicon from where its authors publish them.

Every file is held in memory until its sha256 is that of the release, so that nothing altered,
cut short or put in its place ever reaches a folder. What went wrong is a
:class:`~ovmer_bench.errors.DownloadError` that names the way by hand.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DownloadError, LexiconError, did_you_mean
from .releases import RELEASES, Release
from .tables import MAX_FILE_BYTES
from .upstream import InstallReport, install

if TYPE_CHECKING:
    import httpx

DEFAULT_BASE_URL = "https://raw.githubusercontent.com"
BASE_URL_VARIABLE = "OVMER_DOWNLOAD_BASE"

Advance = Callable[[str, int, "int | None"], None]
"""Told of each file: its name, bytes received so far, bytes in all where known."""


@dataclass(frozen=True)
class Patience:
    """How long and how often to try.

    Attributes:
        silence: seconds without a byte after which a connection counts as dead.
        whole: seconds that one file may take in all.
        attempts: tries for each file; only faults that may pass are tried again.
        pause: seconds before the second try, doubled before each further one.
        redirects: redirects followed for one file.
    """

    silence: float = 20.0
    whole: float = 120.0
    attempts: int = 3
    pause: float = 0.5
    redirects: int = 5


class _Passing(Exception):
    """A fault that may be gone at the next try."""


def download(
    lexicon_id: str,
    base_url: str | None = None,
    progress: bool | None = None,
    patience: Patience | None = None,
) -> Path:
    """A new temporary folder with the verified files of a release; the caller removes it.

    Args:
        lexicon_id: the release.
        base_url: stands for ``https://raw.githubusercontent.com``, with the same paths below
            it; by default the environment variable ``OVMER_DOWNLOAD_BASE``, where set.
        progress: show a progress bar; by default where the terminal can show it.
        patience: time-outs and retries.

    Raises:
        LexiconError: ``lexicon_id`` is not a known release.
        DownloadError: a file could not be fetched whole and unaltered; nothing is kept.
    """
    release = RELEASES.get(lexicon_id)
    if release is None:
        raise LexiconError(
            f"no known release {lexicon_id!r}",
            accepted=RELEASES,
            hint=did_you_mean(lexicon_id, RELEASES),
        )
    base = _checked_base(base_url or os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL)
    shown = sys.stderr.isatty() if progress is None else progress
    try:
        return _fetch_all(release, base, shown, patience or Patience())
    except DownloadError as error:
        page = f"https://github.com/{release.repository}/tree/HEAD/{release.folder}"
        error.hint = (
            f"Download the folder {page} by hand, "
            f"then run: ovmer lexicon install --id {lexicon_id} --from DIR"
        )
        raise


def download_and_install(
    lexicon_id: str,
    base_url: str | None = None,
    progress: bool | None = None,
    patience: Patience | None = None,
) -> InstallReport:
    """:func:`download` a release, install it, and remove the downloaded files."""
    folder = download(lexicon_id, base_url, progress, patience)
    try:
        return install(folder, lexicon_id)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch_all(release: Release, base: str, shown: bool, patience: Patience) -> Path:
    import httpx

    with ExitStack() as until_done:
        folder = Path(tempfile.mkdtemp(prefix="ovmer-lexicon-"))
        until_done.callback(shutil.rmtree, folder, ignore_errors=True)
        with (
            httpx.Client(timeout=patience.silence, headers=_HEADERS) as client,
            _bar(shown, len(release.files)) as advance,
        ):
            for name, sha256 in release.files.items():
                url = f"{base}/{release.repository}/HEAD/{release.folder}/{name}"
                body = _persist(client, url, patience, _told(advance, name))
                _verify(body, sha256, url)
                _store(folder / name, body)
        until_done.pop_all()
    return folder


# The bytes are hashed as they come, so they must come as they are.
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "ovmer-bench"}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE)


def _persist(
    client: httpx.Client, url: str, patience: Patience, told: Callable[[int, int | None], None]
) -> bytes:
    pause = patience.pause
    for attempt in range(1, patience.attempts + 1):
        try:
            return _fetch(client, url, patience, told)
        except _Passing as fault:
            if attempt == patience.attempts:
                tries = f", {attempt} tries" if attempt > 1 else ""
                raise DownloadError(f"{fault}{tries}", file=_plain(url)) from None
        time.sleep(pause)
        pause *= 2
    raise DownloadError("no try was allowed", file=_plain(url))


def _fetch(
    client: httpx.Client, url: str, patience: Patience, told: Callable[[int, int | None], None]
) -> bytes:
    import httpx

    deadline = time.monotonic() + patience.whole
    request = client.build_request("GET", url)
    try:
        for _ in range(patience.redirects + 1):
            response = client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return _body(response, deadline, told)
                request = _checked_redirect(request, response.next_request)
            finally:
                response.close()
    except httpx.TimeoutException as error:
        raise _Passing(f"the server fell silent ({type(error).__name__})") from None
    except httpx.TransportError as error:
        raise _Passing(f"the connection failed ({error or type(error).__name__})") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
        raise DownloadError(f"no sensible answer ({error})", file=_plain(url)) from None
    raise DownloadError(f"more than {patience.redirects} redirects", file=_plain(url))


def _checked_redirect(old: httpx.Request, new: httpx.Request) -> httpx.Request:
    if old.url.scheme == "https" and new.url.scheme != "https":
        raise DownloadError(
            f"redirected to {new.url.scheme}://{new.url.host}", file=_plain(str(old.url))
        )
    return new


def _body(
    response: httpx.Response, deadline: float, told: Callable[[int, int | None], None]
) -> bytes:
    url = _plain(str(response.url))
    if response.status_code in (429, 500, 502, 503, 504):
        raise _Passing(f"the server answered {response.status_code}")
    if response.status_code != 200:
        raise DownloadError(f"the server answered {response.status_code}", file=url)
    declared = response.headers.get("Content-Length", "")
    total = int(declared) if declared.isdecimal() else None
    body = bytearray()
    if (total or 0) <= MAX_FILE_BYTES:
        for chunk in response.iter_raw():
            body += chunk
            told(len(body), total)
            if time.monotonic() > deadline:
                raise _Passing(f"too slow: {len(body)} bytes when the time was up")
            if len(body) > MAX_FILE_BYTES:
                break
        else:
            return bytes(body)
    raise DownloadError("too large", file=url, accepted=f"at most {MAX_FILE_BYTES} bytes")


def _verify(body: bytes, sha256: str, url: str) -> None:
    actual = hashlib.sha256(body).hexdigest()
    if actual == sha256:
        return
    if body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise DownloadError("a web page came instead of the file", file=_plain(url))
    raise DownloadError(
        f"{len(body)} bytes with sha256 {actual} came instead of the released file",
        file=_plain(url),
        accepted=f"sha256 {sha256}",
    )


def _store(path: Path, body: bytes) -> None:
    try:
        path.write_bytes(body)
    except OSError as error:
        raise DownloadError(f"cannot be written: {error.strerror}", file=path) from None


def _checked_base(base_url: str) -> str:
    import httpx

    try:
        url = httpx.URL(base_url)
        host = url.raw_host.decode("ascii", "replace")
        sensible = url.scheme in ("http", "https") and bool(_HOST.fullmatch(host))
    except (httpx.InvalidURL, ValueError):
        sensible = False
    if not sensible:
        raise DownloadError(
            f"{base_url!r} is not a base address",
            accepted="http:// or https:// and a host",
            hint=f"Correct the argument or {BASE_URL_VARIABLE}.",
        )
    return base_url.rstrip("/")


def _plain(url: str) -> str:
    """``url`` without a user name and password, fit for a message."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _told(advance: Advance, name: str) -> Callable[[int, int | None], None]:
    return lambda received, total: advance(name, received, total)


@contextmanager
def _bar(shown: bool, n_files: int) -> Iterator[Advance]:
    """A progress bar on standard error: one row, file after file."""
    if not shown:
        yield lambda name, received, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        seen: list[str] = []

        def advance(name: str, received: int, total: int | None) -> None:
            if name not in seen:
                seen.append(name)
            description = f"{name} ({len(seen)}/{n_files})"
            progress.update(task, description=description, completed=received, total=total)

        yield advance
