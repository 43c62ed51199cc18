"""Fetching the annotation files of gated data sets, with the user's own token.

The owners of these data sets open them on request, to people who signed in; what is fetched
stays in the cache of ``huggingface_hub``, as anything else that it fetches. The token is the
one it finds by itself (``HF_TOKEN``, or what ``hf auth login`` left): it is handed to nobody
else, not stored and not shown.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import CorpusError, DownloadError
from .importers import import_corpus
from .registry import CORPORA, CorpusInfo, HubFiles, corpus_info

if TYPE_CHECKING:
    from .store import Corpus

_OF_THE_DISK = frozenset(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EACCES", "EPERM", "EROFS", "ENOTDIR", "EIO")
    if hasattr(errno, name)
)
_ENDPOINT, _OFFICIAL = "HF_ENDPOINT", "https://huggingface.co"
_SIGN_IN = "Set HF_TOKEN, or run: hf auth login"
_LONGEST_SAID = 200


@dataclass(frozen=True)
class Downloaded:
    """What :func:`download_corpus` did.

    Attributes:
        corpus: as imported.
        repository: where the files came from.
        files: fetched.
        missing: files with subtitles or descriptions that the data set does not hold.
    """

    corpus: Corpus
    repository: str
    files: tuple[str, ...]
    missing: tuple[str, ...]


def download_corpus(name: str, *, allow_count: bool = False, replace: bool = False) -> Downloaded:
    """Fetch the annotation files of a corpus from Hugging Face and import them.

    Args:
        name: a corpus whose registry entry names files there.
        allow_count, replace: as :func:`~.importers.import_corpus` takes them.

    Raises:
        CorpusError: unknown corpus, one that cannot be fetched, or files that do not fit.
        DownloadError: no token, no access, no such file, no network, broken off, or no room.
    """
    info = corpus_info(name)
    if info.hub is None:
        raise CorpusError(
            f"{info.name} is not fetched from Hugging Face",
            accepted=[known.name for known in CORPORA.values() if known.hub],
            hint=_other_way(info),
        )
    fetched, missing = _fetch_all(info.hub)
    with _gathered(info.name, fetched) as folder:
        try:
            corpus = import_corpus(info.name, folder, allow_count=allow_count, replace=replace)
        except CorpusError as error:
            error.file = info.hub.page
            raise
    return Downloaded(
        corpus, info.hub.repository, tuple(path.name for path in fetched), tuple(missing)
    )


def _other_way(info: CorpusInfo) -> str:
    if info.embedded:
        return "It is part of the package."
    return f"Run: ovmer data info {info.name}, which says where it is published"


def _fetch_all(hub: HubFiles) -> tuple[list[Path], list[str]]:
    """Files in the cache, and names of texts that the data set does not hold."""
    fetched = [_fetch(hub, hub.labels)]
    missing = []
    for name in hub.texts:
        try:
            fetched.append(_fetch(hub, name))
        except _NoSuchFile:
            missing.append(name)
    return fetched, missing


class _NoSuchFile(DownloadError):
    """The data set can be read and does not hold the file."""


def _fetch(hub: HubFiles, name: str) -> Path:
    _host()
    from huggingface_hub import errors, hf_hub_download

    token = _token()
    # The library's transport errors; which package they come from changed between its releases.
    transport: type[Exception] = getattr(errors, "HTTPError", OSError)
    try:
        return Path(hf_hub_download(hub.repository, name, repo_type="dataset", token=token))
    except (OSError, ValueError, RuntimeError, transport) as error:
        raise _explained(error, hub, name, token) from None


def _token() -> str | None:
    """The user's token; ``None`` where there is none."""
    from huggingface_hub import get_token

    try:
        token = get_token()
    except (OSError, ValueError) as error:
        raise DownloadError(f"the stored token cannot be read: {error}", hint=_SIGN_IN) from None
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise DownloadError(
            "the token holds characters that no token has",
            field="HF_TOKEN",
            hint="Copy it again from https://huggingface.co/settings/tokens",
        )
    return token or None


def _host() -> str:
    """The host that is asked.

    Checked before the library is imported: it fails then on an address that is none.
    """
    try:
        address = urlsplit(os.environ.get(_ENDPOINT) or _OFFICIAL)
        if address.scheme in ("http", "https") and address.hostname and address.port != 0:
            return address.hostname
    except ValueError:
        pass
    raise DownloadError(
        "is no address",
        field=_ENDPOINT,
        accepted="http:// or https:// and a host",
        hint="Correct it, or unset it.",
    )


def _explained(error: Exception, hub: HubFiles, name: str, token: str | None) -> DownloadError:
    """What went wrong, for the person who asked, and what to do next."""
    from huggingface_hub import errors

    place = f"{hub.repository}/{name}"
    causes = list(_causes(error))
    if _any(causes, errors.OfflineModeIsEnabled) or _is_offline():
        return DownloadError(
            "is not in the cache, and HF_HUB_OFFLINE forbids to fetch it",
            file=place,
            hint="Unset HF_HUB_OFFLINE and run the command again.",
        )
    disk = [e for e in causes if isinstance(e, OSError) and e.errno in _OF_THE_DISK]
    if disk:
        return DownloadError(
            f"cannot be written: {disk[0].strerror}",
            file=disk[0].filename or place,
            hint="Make room or the folder writable, or name another with HF_HOME.",
        )
    status = next((s for s in map(_status, causes) if s is not None), None)
    if status is not None and status >= 400:
        return _refused(status, causes, hub, name, token)
    if _any(causes, errors.LocalEntryNotFoundError) or _of_a_proxy(causes):
        return DownloadError(
            f"no connection to {_host()}",
            file=place,
            hint="Check the network and the proxy (HTTPS_PROXY), then run the command again.",
        )
    return DownloadError(
        f"broken off in the middle ({type(causes[-1]).__name__})",
        file=place,
        hint="Nothing was imported. Run the command again.",
    )


def _refused(
    status: int, causes: list[BaseException], hub: HubFiles, name: str, token: str | None
) -> DownloadError:
    """The server's refusal: it tells a missing token, a wrong one and missing access apart."""
    from huggingface_hub import errors

    place = f"{hub.repository}/{name}"
    ask = f"Ask for access at {hub.page}, signed in as the owner of the token"
    by_hand = f"See {hub.page}; files fetched by hand are read by: ovmer data import"
    if status == 401 and token is None:
        return DownloadError(
            "needs a token, and none was found", file=place, hint=f"{ask}. Then: {_SIGN_IN}"
        )
    if status == 401:
        return DownloadError(
            "the token was not accepted: it is wrong, expired or revoked",
            file=place,
            hint="Make a new one at https://huggingface.co/settings/tokens. " + _SIGN_IN,
        )
    if status == 403 or _any(causes, errors.GatedRepoError):
        return DownloadError(
            f"the owner of the token has no access{_said(causes, token)}",
            file=place,
            hint=f"{ask}, and wait until it is granted. A fine-grained token must also be allowed"
            " to read gated repositories.",
        )
    if _any(causes, errors.RepositoryNotFoundError):
        return DownloadError("no such data set", file=hub.repository, hint=by_hand)
    if status == 404:
        return _NoSuchFile("the data set holds no such file", file=place, hint=by_hand)
    return DownloadError(
        f"the server answered {status}{_said(causes, token)}",
        file=place,
        hint="Run the command again later.",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, each once."""
    seen: list[BaseException] = []
    step: BaseException | None = error
    while step is not None and not any(step is other for other in seen):
        seen.append(step)
        yield step
        step = step.__cause__ or step.__context__


def _any(causes: list[BaseException], kind: type[BaseException]) -> bool:
    return any(isinstance(cause, kind) for cause in causes)


def _of_a_proxy(causes: list[BaseException]) -> bool:
    return any(type(cause).__name__ == "ProxyError" for cause in causes)


def _status(error: BaseException) -> int | None:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _said(causes: list[BaseException], token: str | None) -> str:
    """What the server says of it, in parentheses and without the token."""
    for cause in causes:
        said = getattr(cause, "server_message", None)
        if isinstance(said, str) and said.strip():
            plain = " ".join(said.split())[:_LONGEST_SAID]
            return f" ({plain.replace(token, '***') if token else plain})"
    return ""


def _is_offline() -> bool:
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


@contextmanager
def _gathered(name: str, files: list[Path]) -> Iterator[Path]:
    """A temporary folder, called after the corpus, with copies of the files and no others."""
    with ExitStack() as until_done:
        try:
            scratch = until_done.enter_context(tempfile.TemporaryDirectory(prefix="ovmer-"))
            folder = Path(scratch) / name
            folder.mkdir()
            for file in files:
                shutil.copyfile(file, folder / file.name)
        except OSError as error:
            raise DownloadError(
                f"cannot be written: {error.strerror}",
                file=tempfile.gettempdir(),
                hint="Make room, or name another folder with TMPDIR.",
            ) from None
        yield folder
