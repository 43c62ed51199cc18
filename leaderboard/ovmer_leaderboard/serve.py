"""Look at a built site in a browser: a server for this machine alone."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ovmer_bench.errors import InputError

from .folder import MARK

LOOPBACK = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Serves files, never a listing of a folder, and tells the browser to guess nothing."""

    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def list_directory(self, path: object) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the reader looks at the browser."""


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of ``folder`` on the loopback address; port 0 takes a free one.

    Raises:
        InputError: no site in ``folder``, or the port is taken.
    """
    if not (folder / MARK).is_file():
        raise InputError("holds no site", file=folder, hint="Run ovmer-leaderboard build first.")
    try:
        return ThreadingHTTPServer((LOOPBACK, port), partial(_Handler, directory=str(folder)))
    except OSError as error:
        raise InputError(f"port {port}: {error.strerror}", hint="Give another --port.") from None
