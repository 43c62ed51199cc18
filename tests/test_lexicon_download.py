"""Downloading a release from a real server on this host, honest or not."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import small_release
from ovmer_bench.errors import DownloadError, LexiconError
from ovmer_bench.lexicon import download as lexicon_download
from ovmer_bench.lexicon import load_lexicon
from ovmer_bench.lexicon.download import Patience, download, download_and_install
from ovmer_bench.lexicon.tables import MAX_FILE_BYTES
from ovmer_bench.lexicon.upstream import RELEASES, compile_folder, installed_ids

SMALL = "weather-1"
HASTY = Patience(silence=1.0, whole=2.0, attempts=2, pause=0.01)
FOLDER = "/someone/weather/HEAD/kit/emotion_wheel/"

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


class Server(ThreadingHTTPServer):
    """Serves the files of a folder; ``answers`` holds what it does instead, by file name."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.stopping = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what several tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        name = self.path.rpartition("/")[2]
        file = self.server.folder / name
        body = file.read_bytes() if file.is_file() else b""
        answers = self.server.answers.get(name)
        if answers:
            (answers.pop(0) if len(answers) > 1 else answers[0])(self, body)
        elif not body or not self.path.endswith(FOLDER + name):
            status(404)(self, body)
        else:
            honest(self, body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def reply(handler: BaseHTTPRequestHandler, code: int, headers: dict[str, str], body: bytes) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def honest(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {"Content-Length": str(len(body))}, body)


def without_length(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {}, body)


def truncated(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {"Content-Length": str(len(body))}, body[:-10])


def truncated_without_length(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {}, body[:-10])


def wrong_bytes(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    honest(handler, bytes([body[0] ^ 1]) + body[1:])


def web_page(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {"Content-Type": "text/html"}, b"\n<!DOCTYPE html><title>Sign in</title>")


def silent(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.server.stopping.wait(30)  # type: ignore[attr-defined]


def stalls(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {"Content-Length": str(len(body))}, body[:50])
    handler.wfile.flush()
    silent(handler, body)


def drips(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {"Content-Length": "100000"}, b"")
    while not handler.server.stopping.wait(0.1):  # type: ignore[attr-defined]
        handler.wfile.write(b"x")
        handler.wfile.flush()


def endless(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {}, b"")
    while True:
        handler.wfile.write(b"x" * 65536)


def huge(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    reply(handler, 200, {"Content-Length": str(10**15)}, b"x" * 100)


def no_http(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.wfile.write(b"\x00\x01\x02 what?\r\n\r\n")


def hangs_up(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


def status(code: int) -> Answer:
    return lambda handler, body: reply(handler, code, {"Content-Length": "0"}, b"")


def redirect(to: str) -> Answer:
    return lambda handler, body: reply(handler, 302, {"Location": to, "Content-Length": "0"}, b"")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, so that what is left behind shows."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("OVMER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(lexicon_download.BASE_URL_VARIABLE, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    load_lexicon.cache_clear()
    return folder


@pytest.fixture
def server(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with the small release, which is made a known one."""
    folder = small_release.write_mapping(small_release.write_sheets(tmp_path / "served"))
    release = small_release.release_of(folder, compile_folder(folder, SMALL).sha256)
    monkeypatch.setitem(RELEASES, SMALL, release)
    with serving(folder) as running:
        yield running


class serving:
    """A running server for a folder."""

    def __init__(self, folder: Path) -> None:
        self.server = Server(folder)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self) -> Server:
        self.thread.start()
        return self.server

    def __exit__(self, *error: object) -> None:
        self.server.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def refused(server: Server, name: str, *answers: Answer) -> str:
    """The one-line error when ``name`` is answered so; nothing may be left behind."""
    server.answers[name] = list(answers)
    with pytest.raises(DownloadError) as caught:
        download_and_install(SMALL, server.base, False, HASTY)
    message = str(caught.value)
    assert "\n" not in message
    assert name in message
    assert "https://github.com/someone/weather/tree/HEAD/kit/emotion_wheel by hand" in message
    assert f"ovmer lexicon install --id {SMALL} --from DIR" in message
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    assert installed_ids() == []
    return message


# An honest server


def test_downloads_every_file(server: Server, scratch: Path) -> None:
    folder = download(SMALL, server.base, False, HASTY)
    assert folder.parent == scratch
    got = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert got == {file.name: file.read_bytes() for file in server.folder.iterdir()}
    assert server.asked == [FOLDER + name for name in RELEASES[SMALL].files]


def test_downloads_and_installs(server: Server, scratch: Path) -> None:
    report = download_and_install(SMALL, server.base + "/", False, HASTY)
    assert (report.lexicon_id, report.official) == (SMALL, True)
    assert load_lexicon(SMALL).sha256 == RELEASES[SMALL].sha256
    assert list(scratch.iterdir()) == []


def test_base_address_from_the_environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(lexicon_download.BASE_URL_VARIABLE, server.base)
    assert download_and_install(SMALL, progress=False, patience=HASTY).official


@pytest.mark.parametrize("year", ["2025", "2026"])
def test_official_release(scratch: Path, reference: Path, year: str) -> None:
    with serving(reference / f"emotion_wheel_{year}") as server:
        release = RELEASES[f"affectgpt-{year}"]
        for name in release.files:
            server.answers[name] = [honest]
        report = download_and_install(f"affectgpt-{year}", server.base, False, HASTY)
        prefix = f"/{release.repository}/HEAD/{release.folder}/"
        assert server.asked == [prefix + name for name in release.files]
    assert report.official
    assert report.statistics["forms"] == release.counts["forms"]


def test_answer_without_length_is_fine(server: Server) -> None:
    server.answers["format.csv"] = [without_length]
    assert download_and_install(SMALL, server.base, False, HASTY).official


def test_redirect_is_followed(server: Server) -> None:
    server.answers["format.csv"] = [redirect("/elsewhere" + FOLDER + "synonym.csv"), honest]
    (server.folder / "synonym.csv").write_bytes((server.folder / "format.csv").read_bytes())
    server.answers["synonym.csv"] = [honest]
    assert download_and_install(SMALL, server.base, False, HASTY).official
    assert "/elsewhere" + FOLDER + "synonym.csv" in server.asked


@pytest.mark.parametrize("first", [status(500), status(503), truncated, stalls, hangs_up])
def test_fault_that_passes_is_tried_again(server: Server, first: Answer) -> None:
    server.answers["wheel2.xlsx"] = [first, honest]
    assert download_and_install(SMALL, server.base, False, HASTY).official
    assert server.asked.count(FOLDER + "wheel2.xlsx") == 2


def test_progress_bar_goes_to_standard_error(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # It is drawn for terminals only.
    monkeypatch.setenv("COLUMNS", "100")
    download_and_install(SMALL, server.base, True, HASTY)
    shown = capsys.readouterr()
    assert "wheel_mapping.npz (8/8)" in shown.err
    assert shown.out == ""


# A dishonest one


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (truncated, "the connection failed"),
        (truncated_without_length, "came instead of the released file"),
        (wrong_bytes, "came instead of the released file"),
        (web_page, "a web page came instead"),
        (silent, "the server fell silent"),
        (stalls, "the server fell silent"),
        (drips, "too slow"),
        (endless, "too large"),
        (huge, "too large"),
        (no_http, "the connection failed"),
        (hangs_up, "the connection failed"),
        (status(404), "answered 404"),
        (status(403), "answered 403"),
        (status(500), "answered 500"),
        (status(204), "answered 204"),
        (status(304), "answered 304"),
    ],
)
def test_dishonest_server(server: Server, answer: Answer, said: str) -> None:
    assert said in refused(server, "wheel3.xlsx", answer)


def test_what_cannot_pass_is_not_tried_again(server: Server) -> None:
    refused(server, "synonym.xlsx", status(404))
    assert server.asked.count(FOLDER + "synonym.xlsx") == 1
    refused(server, "synonym.xlsx", wrong_bytes)
    assert server.asked.count(FOLDER + "synonym.xlsx") == 2


def test_tries_are_counted(server: Server) -> None:
    message = refused(server, "synonym.xlsx", status(500))
    assert "2 tries" in message
    assert server.asked.count(FOLDER + "synonym.xlsx") == HASTY.attempts


def test_wrong_bytes_are_named_by_hash(server: Server) -> None:
    body = (server.folder / "wheel1.xlsx").read_bytes()
    message = refused(server, "wheel1.xlsx", wrong_bytes)
    assert RELEASES[SMALL].files["wheel1.xlsx"] in message
    assert hashlib.sha256(bytes([body[0] ^ 1]) + body[1:]).hexdigest() in message


def test_redirect_loop(server: Server) -> None:
    message = refused(server, "format.csv", redirect(FOLDER + "format.csv"))
    assert "more than 5 redirects" in message
    assert len(server.asked) == HASTY.redirects + 1


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[::bad", "http://\x00/"]
)
def test_redirect_to_nonsense(server: Server, to: str) -> None:
    refused(server, "format.csv", redirect(to))


def test_secure_address_is_not_left(server: Server) -> None:
    """From https only to https; the rule itself, as no server here has a certificate."""
    import httpx

    old = httpx.Request("GET", "https://example.org/a")
    to = httpx.Request("GET", "https://cdn.example.org/a")
    assert lexicon_download._checked_redirect(old, to) is to
    with pytest.raises(DownloadError, match=r"redirected to http://example\.org"):
        lexicon_download._checked_redirect(old, httpx.Request("GET", "http://example.org/a"))


def test_nobody_listens(server: Server, scratch: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(DownloadError, match=r"connection failed .*by hand"):
        download(SMALL, base, False, HASTY)
    assert list(scratch.iterdir()) == []


def test_password_stays_out_of_messages(server: Server) -> None:
    server.answers["format.csv"] = [status(404)]
    base = server.base.replace("http://", "http://me:secret@")
    with pytest.raises(DownloadError) as caught:
        download(SMALL, base, False, HASTY)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("base", ["ftp://x", "nonsense", "http://", "http://[", "http://a b", "/"])
def test_base_address_that_is_none(server: Server, scratch: Path, base: str) -> None:
    with pytest.raises(DownloadError, match="is not a base address"):
        download(SMALL, base, False, HASTY)
    assert list(scratch.iterdir()) == []


def test_unknown_release(scratch: Path) -> None:
    with pytest.raises(LexiconError, match="Did you mean 'affectgpt-2025'"):
        download("affectgpt2025", "http://127.0.0.1:1", False, HASTY)


def test_interruption_leaves_nothing(server: Server, scratch: Path) -> None:
    def interrupt(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        silent(handler, body)

    server.answers["wheel2.xlsx"] = [interrupt]
    with pytest.raises(KeyboardInterrupt):
        download(SMALL, server.base, False, Patience(silence=5, attempts=1))
    assert list(scratch.iterdir()) == []


def test_a_release_file_is_far_below_the_limit(reference: Path) -> None:
    sizes = [file.stat().st_size for file in reference.glob("emotion_wheel_*/*")]
    assert max(sizes) * 10 < MAX_FILE_BYTES
