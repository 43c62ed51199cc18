"""Fetching annotations of gated data sets: the real library against a hub on this host.

``huggingface_hub`` reads its settings when it is imported, so every run is a process of its own.
"""

from __future__ import annotations

import csv
import io
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command import Result, listing, run
from ovmer_bench.corpora.registry import CORPORA, HubFiles

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

TOKEN = "hf_theTokenOfTheUser0123456789"
COMMIT = "c0ffee" + "0" * 34
FETCHED = [name for name, info in CORPORA.items() if info.hub]

Answer = Callable[["Handler", bytes], None]


class Hub(ThreadingHTTPServer):
    """As much of the hub as a download asks of it: gated data sets, and what may go wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.tokens = {TOKEN: True}  # whether its owner was granted access
        self.instead: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.seen: set[str] = set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def hold(self, corpus: str, n: int | None = None, without: tuple[str, ...] = ()) -> None:
        """Put the annotation files of a corpus into its data set, for ``n`` invented clips."""
        info = CORPORA[corpus]
        assert info.hub is not None
        clips = [f"clip_{i}" for i in range(info.n if n is None else n)]
        for name in (info.hub.labels, *info.hub.texts):
            if name not in without:
                self.files[place(info.hub, name)] = table(name, clips)

    def handle_error(self, request: object, client_address: object) -> None:
        """A server that hangs up is what a test is about."""


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        if not self.path.startswith("/datasets/"):  # What the library asks for itself.
            self.begin(404, 0, {})
            return
        self.server.asked.append(f"{self.command} {self.path}")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.seen.add(token)
        body = self.server.files.get(self.path)
        instead = self.server.instead.get(f"{self.command} {self.path}")
        data_set = self.path.partition("/resolve/")[0]
        if instead is not None:
            instead(self, body or b"")
        elif not any(file.startswith(f"{data_set}/") for file in self.server.files):
            self.refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        elif not token:
            self.refuse(401, "GatedRepo", "Access is restricted. Please log in.")
        elif token not in self.server.tokens:
            self.refuse(401, None, "Invalid credentials in Authorization header")
        elif not self.server.tokens[token]:
            self.refuse(403, "GatedRepo", f"{token} is not in the authorized list.")
        elif body is None:
            self.refuse(404, "EntryNotFound", "Entry not found")
        else:
            self.send(body)

    def refuse(self, status: int, code: str | None, message: str) -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.begin(status, 0, headers)

    def send(self, body: bytes) -> None:
        start = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        partial = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
        rest = body[start:]
        self.begin(206 if start else 200, len(rest), partial if start else {})
        if self.command == "GET":
            self.wfile.write(rest)

    def begin(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        standing = {"ETag": f'"{abs(hash(self.path)):040x}"', "X-Repo-Commit": COMMIT}
        for name, value in {**standing, "Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def place(hub: HubFiles, name: str) -> str:
    return f"/datasets/{hub.repository}/resolve/main/{name}"


def table(name: str, clips: list[str]) -> bytes:
    """An annotation file as the challenges publish it."""
    if name.startswith("subtitle"):
        heads, row = ["name", "chinese", "english"], ["算了。", "Never mind."]
    elif name.startswith("track3"):
        heads, row = ["name", "english", "chinese"], ["A sigh is heard.", "叹气。"]
    else:
        heads, row = ["name", "openset"], ["[sad, resigned]"]
    written = io.StringIO(newline="")
    csv.writer(written).writerows([heads, *([clip, *row] for clip in clips)])
    return written.getvalue().encode()


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def download(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    """Run ``ovmer data download`` with a token, against the hub here, in an empty home."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def download(*arguments: str, token: str = TOKEN, **environment: str) -> Result:
        settings = {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": hub.address}
        settings |= {"HF_TOKEN": token} if token else {}
        done = run("data", "download", *arguments, cwd=tmp_path, **settings | environment)
        everything = done.out + done.err
        assert TOKEN not in everything and "Traceback" not in everything
        return done

    yield download
    # The token is nobody's business: neither our folder nor the cache holds it.
    for path in tmp_path.rglob("*"):
        assert (
            not path.is_file()
            or path.parts[-2:] == ("hf", "token")
            or (TOKEN.encode() not in path.read_bytes())
        )


def refused(done: Result, tmp_path: Path, *words: str) -> str:
    """The one-line error; nothing was imported."""
    assert (done.code, done.out) == (2, "")
    message = done.err.splitlines()[-1]
    assert message.startswith("error: ")
    for word in words:
        assert word in message, message
    assert not (tmp_path / "home" / "corpora").exists()
    return message


# What is fetched


@pytest.mark.parametrize("name", FETCHED)
def test_every_corpus_is_fetched_and_imported(
    hub: Hub, download: Callable[..., Result], tmp_path: Path, name: str
) -> None:
    hub.hold(name)
    done = download(name)
    info = CORPORA[name]
    assert done.code == 0, done.err
    assert info.hub is not None
    files = (info.hub.labels, *info.hub.texts)
    fetched, imported = done.out.splitlines()
    assert fetched == f"fetched {', '.join(files)} from {info.hub.repository}"
    assert imported.startswith(f"imported {name}: {info.n:,} clips, {info.n:,} with subtitle")
    assert run("data", "verify", name, cwd=tmp_path).out.startswith(f"ok {name}")
    assert hub.seen == {TOKEN}
    # Only its own files, and only those.
    assert {line.split()[1] for line in hub.asked} == {place(info.hub, file) for file in files}


def test_descriptions_are_imported_too(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    hub.hold("ovmerd")
    assert download("ov-merd").code == 0
    shown = run("data", "show", "ovmerd", "clip_7", cwd=tmp_path).out
    assert "A sigh is heard." in shown and "Never mind." in shown


def test_what_was_fetched_is_not_fetched_again(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    hub.hold("human_ov")
    assert download("human_ov").code == 0
    before = [line for line in hub.asked if line.startswith("GET")]
    assert download("human_ov").code == 0
    assert [line for line in hub.asked if line.startswith("GET")] == before
    # Nor is a token or a network needed for what is in the cache.
    asked = len(hub.asked)
    assert download("human_ov", token="", HF_HUB_OFFLINE="1").code == 0
    assert len(hub.asked) == asked


def test_a_release_without_subtitles_is_imported_without(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    hub.hold("human_ov", without=("subtitle_chieng.csv",))
    done = download("human_ov")
    assert done.code == 0, done.err
    assert "MERChallenge/MER2026 holds no subtitle_chieng.csv\n" in done.out
    assert "1,532 clips, 0 with subtitle" in done.out


def test_the_token_of_the_login_is_found(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    hub.hold("ovmerd")
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text(f"{TOKEN}\n", "utf-8")
    assert download("ovmerd", token="").code == 0
    assert hub.seen == {TOKEN}


# What goes wrong


def test_no_token(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("ovmerd")
    page = "https://huggingface.co/datasets/MERChallenge/MER2025"
    refused(
        download("ovmerd", token=""), tmp_path,
        "MERChallenge/MER2025/track2_train_ovmerd.csv: needs a token, and none was found",
        f"Ask for access at {page}, signed in as the owner of the token",
        "Set HF_TOKEN, or run: hf auth login",
    )  # fmt: skip


def test_token_without_access(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("human_ov")
    hub.tokens[TOKEN] = False
    refused(
        download("human_ov"), tmp_path,
        "the owner of the token has no access (*** is not in the authorized list.)",
        "Ask for access at https://huggingface.co/datasets/MERChallenge/MER2026",
        "fine-grained",
    )  # fmt: skip


def test_a_403_without_a_reason(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("ovmerd")
    hub.instead = always("ovmerd", lambda handler, body: handler.begin(403, 0, {}))
    refused(download("ovmerd"), tmp_path, "the owner of the token has no access", "Ask for access")


def test_wrong_token(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("ovmerd")
    message = refused(
        download("ovmerd", token="hf_wrong"), tmp_path,
        "the token was not accepted: it is wrong, expired or revoked",
        "Make a new one at https://huggingface.co/settings/tokens",
    )  # fmt: skip
    assert "hf_wrong" not in message


@pytest.mark.parametrize("token", ["hf_tökén", "hf_a b", "hf_\x1b[31m"])
def test_what_is_no_token(
    hub: Hub, download: Callable[..., Result], tmp_path: Path, token: str
) -> None:
    hub.hold("ovmerd")
    refused(download("ovmerd", token=token), tmp_path, "characters that no token has", "HF_TOKEN")
    assert not hub.asked


def test_no_such_data_set(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    refused(
        download("ovmerd"), tmp_path,
        "MERChallenge/MER2025: no such data set",
        "https://huggingface.co/datasets/MERChallenge/MER2025",
        "ovmer data import",
    )  # fmt: skip


def test_no_such_file(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("ovmerd", without=("track2_train_ovmerd.csv",))
    refused(
        download("ovmerd"), tmp_path,
        "MER2025/track2_train_ovmerd.csv: the data set holds no such file", "ovmer data import",
    )  # fmt: skip


def test_no_network(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://me:secret@127.0.0.1:{free.getsockname()[1]}"
    message = refused(
        download("ovmerd", HF_ENDPOINT=nobody), tmp_path,
        "no connection to 127.0.0.1", "Check the network and the proxy",
    )  # fmt: skip
    assert "secret" not in message


def test_a_proxy_that_is_not_there(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    proxy = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    done = download("ovmerd", HF_ENDPOINT="http://hub.invalid", NO_PROXY="", no_proxy="", **proxy)
    refused(done, tmp_path, "no connection to hub.invalid", "proxy")


@pytest.mark.parametrize("endpoint", ["nonsense", "http://", "ftp://x", "http://[", "http://a:b"])
def test_endpoint_that_is_none(
    hub: Hub, download: Callable[..., Result], tmp_path: Path, endpoint: str
) -> None:
    refused(download("ovmerd", HF_ENDPOINT=endpoint), tmp_path, "HF_ENDPOINT", "is no address")


def test_offline(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("ovmerd")
    refused(
        download("ovmerd", HF_HUB_OFFLINE="1"), tmp_path,
        "HF_HUB_OFFLINE forbids to fetch it", "Unset HF_HUB_OFFLINE",
    )  # fmt: skip
    assert not hub.asked


def always(name: str, answer: Answer) -> dict[str, Answer]:
    hub = CORPORA[name].hub
    assert hub is not None
    path = place(hub, hub.labels)
    return {f"{method} {path}": answer for method in ("HEAD", "GET")}


def broken_off(handler: Handler, body: bytes) -> None:
    """Half the file, and at every further try nothing."""
    if "Range" not in handler.headers:
        handler.begin(200, len(body), {})
        handler.wfile.write(body[: len(body) // 2])
        handler.wfile.flush()
    handler.connection.shutdown(socket.SHUT_RDWR)


def too_short(handler: Handler, body: bytes) -> None:
    """Less than was announced, and a proper end."""
    handler.begin(200, len(body) // 2, {})
    handler.wfile.write(body[: len(body) // 2])


@pytest.mark.parametrize("answer", [broken_off, too_short])
def test_broken_off_in_the_middle(
    hub: Hub, download: Callable[..., Result], tmp_path: Path, answer: Answer
) -> None:
    hub.hold("ovmerd")
    files = CORPORA["ovmerd"].hub
    assert files is not None
    hub.instead[f"GET {place(files, files.labels)}"] = answer
    refused(
        download("ovmerd"), tmp_path,
        "track2_train_ovmerd.csv: broken off in the middle", "Run the command again",
    )  # fmt: skip
    hub.instead.clear()
    assert download("ovmerd").code == 0


def test_a_server_that_is_down(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("ovmerd")
    hub.instead = always("ovmerd", lambda handler, body: handler.begin(501, 0, {}))
    refused(download("ovmerd"), tmp_path, "the server answered 501", "later")


def test_a_page_in_place_of_the_hub(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    """The sign-in page of a hotel's network."""

    def page(handler: Handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    hub.instead = always("ovmerd", page)
    refused(download("ovmerd"), tmp_path, "no connection to 127.0.0.1")


def test_cache_that_cannot_be_written(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    hub.hold("ovmerd")
    (tmp_path / "file").write_text("", "utf-8")
    done = download("ovmerd", HF_HOME=str(tmp_path / "file" / "hf"))
    refused(done, tmp_path, "cannot be written: Not a directory", "HF_HOME")


def test_no_room(
    hub: Hub, download: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may not grow past a limit: what the library meets is what a full disk gives it."""
    resource = pytest.importorskip("resource", reason="limits are set on POSIX systems only")
    hub.hold("ovmerd")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        done = download("ovmerd")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    refused(done, tmp_path, "cannot be written: File too large", "Make room")


def test_files_that_do_not_fit(hub: Hub, download: Callable[..., Result], tmp_path: Path) -> None:
    hub.hold("ovmerd", n=300)
    message = refused(
        download("ovmerd"), tmp_path,
        "https://huggingface.co/datasets/MERChallenge/MER2025: ovmerd: no label file fits",
        "300 clips, not 332 (see --allow-count)",
    )  # fmt: skip
    assert str(tmp_path) not in message
    assert download("ovmerd", "--allow-count").code == 0


def test_an_import_with_more_texts_stays(
    hub: Hub, download: Callable[..., Result], tmp_path: Path
) -> None:
    hub.hold("human_ov")
    assert download("human_ov").code == 0
    before = listing(tmp_path / "home")
    hub.files = {}
    hub.hold("human_ov", without=("subtitle_chieng.csv",))
    fresh = {"HF_HOME": str(tmp_path / "hf2")}
    done = download("human_ov", **fresh)
    assert (done.code, listing(tmp_path / "home")) == (2, before)
    assert "--replace" in done.err
    assert download("human_ov", "--replace", **fresh).code == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("meld", ("meld is not fetched from Hugging Face", "ovmerd, human_ov", "ovmer data info")),
        ("ovmer_scenes", ("is not fetched", "part of the package")),
        ("ovmerdd", ("unknown corpus 'ovmerdd'", "Did you mean 'ovmerd'")),
    ],
)
def test_corpora_that_are_not_fetched(
    hub: Hub, download: Callable[..., Result], tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    refused(download(name), tmp_path, *words)
    assert not hub.asked
