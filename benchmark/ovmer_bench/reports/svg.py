"""Pictures as SVG text for pages that hold several.

Drawn by matplotlib without a display. Text and lines are ``currentColor``, so that a picture
follows the page into dark mode, and the bytes depend on what is drawn alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the page's text colour until the SVG is written."""
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_SETTINGS: Any = {
    "svg.hashsalt": "ovmer",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": ["sans-serif"],
    "font.size": 9,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
}


def picture(name: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    """What ``draw`` draws, as SVG text that follows the page in colour and width.

    Args:
        name: letters, digits and dashes; makes ids of the picture unique on a page.
        size: in inches.
        draw: gets an empty figure.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        draw(figure)
        for axis in figure.axes:
            axis.patch.set_alpha(0)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    # Ids are unique within one picture only, and a page holds several.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    return re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
