"""matplotlib figures as SVG that may stand in a page under a strict content-security policy.

matplotlib writes its colours as ``style`` attributes, which such a policy refuses. Here they
become attributes of their own; ids go, numbers are cut to a tenth of a point, and the text
colour is ``currentColor``, so that a picture follows the page into dark mode. The bytes depend
on the data alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#010203"
"""Stands for the page's text colour while matplotlib draws."""
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_SETTINGS: Any = {
    "svg.hashsalt": "ovmer",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": ["sans-serif"],
    "font.size": 10,
    "axes.edgecolor": INK,
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}
_PROPERTIES = {
    *("fill", "fill-opacity", "opacity", "stroke", "stroke-width", "stroke-opacity"),
    *("stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin"),
    *("font-size", "font-weight", "font-style"),
    "text-anchor",
}
_NUMBER = re.compile(r"-?\d+\.\d+")
_COMMAND = re.compile(r" ?([MLCQz]) ?")
_CLASS = re.compile(r"class-([\w-]+)")


def draw(plot: Callable[[Figure], None], size: tuple[float, float]) -> str:
    """The SVG text of a figure of ``size`` inches that ``plot`` draws on.

    An artist whose ``gid`` is ``class-NAME`` gets ``class="NAME"`` and loses its own colours.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_visible(False)
        plot(figure)
        for axis in figure.axes:
            axis.patch.set_visible(False)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue())


def _inline(text: str) -> str:
    root = ElementTree.fromstring(text)
    shapes = {e.get("id"): e for e in root.iter() if e.get("id")}
    view = root.get("viewBox") or ""
    parts = [f'<svg viewBox="{_short(view)}" aria-hidden="true" focusable="false">']
    parts += [_element(child, shapes, "") for child in root]
    return "".join([*parts, "</svg>"]).replace(INK, "currentColor")


def _element(
    element: ElementTree.Element, shapes: dict[str | None, ElementTree.Element], given: str
) -> str:
    """``element`` and what is in it; ``given`` is the class of the group around it."""
    tag = element.tag.removeprefix(_SVG) if isinstance(element.tag, str) else ""
    found = _CLASS.fullmatch(element.get("id", ""))
    given = found[1] if found else given
    if tag == "g":
        inside = "".join(_element(child, shapes, given) for child in element)
        place = element.get("transform")
        if place and inside:
            return f'<g transform="{_short(place)}">{inside}</g>'
        return inside
    if tag == "use":
        x, y = element.get("x", "0"), element.get("y", "0")
        marker = shapes[element.get(_XLINK, "").removeprefix("#")]
        style = f"{marker.get('style', '')};{element.get('style', '')}"
        shape = f'<path d="{_path(marker)}"{_attributes(style, given)}/>'
        return f'<g transform="translate({_short(x)} {_short(y)})">{shape}</g>'
    if tag == "path":
        return f'<path d="{_path(element)}"{_attributes(_style(element), given)}/>'
    if tag == "text":
        places = [f' {k}="{_short(element.get(k, ""))}"' for k in ("x", "y") if element.get(k)]
        if element.get("transform"):
            places.append(f' transform="{_short(element.get("transform", ""))}"')
        style = _attributes(_style(element), given)
        return f"<text{''.join(places)}{style}>{_escaped(element.text or '')}</text>"
    return ""


def _path(element: ElementTree.Element) -> str:
    return _COMMAND.sub(r"\1", _short(element.get("d", "")))


def _style(element: ElementTree.Element) -> str:
    return element.get("style", "")


def _attributes(style: str, given: str) -> str:
    values: dict[str, str] = {}
    for declaration in style.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font":
            size = re.search(r"([\d.]+)px", value)
            name, value = "font-size", size[1] if size else "10"
        if name in _PROPERTIES and value:
            values[name] = _short(value.removesuffix("px"))
    if given:
        # What a class is for is left to the style sheet.
        for name in ("fill", "text-anchor"):
            values.pop(name, None)
        values["class"] = given
    return "".join(f' {name}="{value}"' for name, value in sorted(values.items()))


def _short(text: str) -> str:
    """Numbers of a path to a tenth, line breaks as spaces."""
    short = _NUMBER.sub(lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), " ".join(text.split()))
    return re.sub(r"(?<![\d.])-0(?![\d.])", "0", short)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
