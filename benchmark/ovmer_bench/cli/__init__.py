"""The command ``ovmer``: thin, every command builds on the public API."""

from .main import main

__all__ = ["main"]
