"""What the site needs beyond MkDocs: formulas without a script, docstring roles as code, and a
look at every page that it fetches nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

_ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):<code>~?(?:[\w.]*\.)?(\w+)</code>")
_SHOWN_FILE = re.compile(r"<!-- file: ([\w.-]+) -->\n(```\w+)$", re.MULTILINE)
_MESSAGES = re.compile(r"<!-- run: \w+ fails -->\n```console$", re.MULTILINE)
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>"
    r"|<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|preload)[^>]*(?:https?:)?//[^>]*>"
)


def on_config(config: Any) -> Any:
    """Let a block fenced as ``math`` become MathML, which browsers set by themselves."""
    fences = config["mdx_configs"].setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": _formula}]
    return config


def on_page_markdown(markdown: str, **kwargs: Any) -> str:
    """A file that a page shows gets its name as a title; lines of messages are wrapped."""
    titled = _SHOWN_FILE.sub(r'\2 title="\1"', markdown)
    return _MESSAGES.sub("``` { .console .wrapped }", titled)


def on_page_content(html: str, **kwargs: Any) -> str:
    """``:func:`~package.name``` of docstrings shows as ``name``."""
    return _ROLE.sub(r"<code>\1</code>", html)


def on_post_page(output: str, page: Any, **kwargs: Any) -> str:
    """Refuse a page whose reader would fetch something from another host."""
    if found := _FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches {found[0]}")
    return output


def _formula(source: str, language: str, css: str, options: Any, md: Any, **kwargs: Any) -> str:
    lines = (convert(line, display="block") for line in source.strip().split("\n\n"))
    return f'<div class="{css}">{"".join(lines)}</div>'
