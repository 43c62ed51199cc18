"""What the site needs beyond MkDocs: formulas without a script, and docstring roles as code."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

_ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):<code>~?(?:[\w.]*\.)?(\w+)</code>")


def on_config(config: Any) -> Any:
    """Let a block fenced as ``math`` become MathML, which browsers set by themselves."""
    fences = config["mdx_configs"].setdefault("pymdownx.superfences", {})
    fences["custom_fences"] = [{"name": "math", "class": "math", "format": _formula}]
    return config


def on_page_content(html: str, **kwargs: Any) -> str:
    """``:func:`~package.name``` of docstrings shows as ``name``."""
    return _ROLE.sub(r"<code>\1</code>", html)


def _formula(source: str, language: str, css: str, options: Any, md: Any, **kwargs: Any) -> str:
    lines = (convert(line, display="block") for line in source.strip().split("\n\n"))
    return f'<div class="{css}">{"".join(lines)}</div>'
