"""Emotion wheels coloured by how well a system found each sector.

matplotlib draws a wheel once; a system's wheel is that drawing with other classes, whose
colours are in the style sheet. So a thousand wheels cost little more than one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .board import LexiconInfo, Sector
from .svg import draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Measure = Literal["recall", "precision"]
STEPS = 20
"""Colours between 0 and 1; class ``v7`` is 7/20, ``vn`` is no value."""
NO_VALUE = "#9aa0a6"
_INCHES = 5.2
_RING = 0.38
_LIGHT_FROM = 9
"""First step on whose colour black reads better than white (luminance above 0.18)."""
_HOLE = re.compile(r'class="([wt])-(\d+)"')
"""Where the drawing waits for the colour of a sector: its wedge, its text."""

Shape = tuple[tuple[str, tuple[str, ...]], ...]
"""Level-1 sectors in printed order, each with its level-2 sectors."""


def style_sheet() -> str:
    """CSS of the colour scale: fills, backgrounds and the text on them."""
    import matplotlib as mpl

    colours = mpl.colormaps["viridis"]
    lines = []
    for step in [*range(STEPS + 1), None]:
        paint = NO_VALUE if step is None else mpl.colors.to_hex(colours(step / STEPS))
        name, ink = step_class(step), "#000" if is_light(step) else "#fff"
        lines.append(f".{name} {{ fill: {paint}; background: {paint}; color: {ink}; }}")
        lines.append(f"text.{name} {{ fill: {ink}; background: none; }}")
    stops = ", ".join(mpl.colors.to_hex(colours(i / 10)) for i in range(11))
    lines.append(f".scale {{ background: linear-gradient(to right, {stops}); }}")
    lines.append(f".scale.vn {{ background: {NO_VALUE}; width: 1rem; }}")
    lines.append(".wheel text { text-anchor: middle; }")
    lines.append(".wheel path { stroke: var(--card); stroke-width: 1; }")
    return "\n".join(lines) + "\n"


def step_of(value: float | None) -> int | None:
    """The nearest of the scale's colours."""
    return None if value is None else round(min(max(value, 0.0), 1.0) * STEPS)


def step_class(step: int | None) -> str:
    """Name of a colour's class."""
    return "vn" if step is None else f"v{step}"


def is_light(step: int | None) -> bool:
    """Whether black reads better than white on the colour."""
    return step is None or step >= _LIGHT_FROM


def sunburst(lexicon: LexiconInfo, wheel: int, sectors: Iterable[Sector], measure: Measure) -> str:
    """SVG of one wheel, level 1 inside and level 2 outside, coloured by ``measure``."""
    inner, outer = lexicon.sectors[wheel - 1]
    parents = lexicon.parents[wheel - 1]
    shape = tuple((name, tuple(s for s in outer if parents[s] == name)) for name in inner)
    found = {(s.level, s.name): s for s in sectors if s.wheel == wheel}
    names = [(1, name) for name in inner] + [(2, s) for _, group in shape for s in group]
    pieces = _pieces(shape, measure)
    parts = [pieces[0]]
    for kind, index, rest in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        sector = found.get(names[int(index)])
        value = getattr(sector, measure) if sector else None
        parts += [f'class="{step_class(step_of(value))}"', rest]
        if kind == "w":
            # The tooltip goes into the path, which closes itself in the drawing.
            tip = _tip(names[int(index)][1], sector, measure)
            parts[-1] = re.sub(r"^([^>]*)/>", rf"\1><title>{escape(tip)}</title></path>", rest)
    return "".join(parts).replace("<svg ", '<svg class="wheel" ', 1)


def _tip(name: str, sector: Sector | None, measure: Measure) -> str:
    if sector is None:
        return name
    value = getattr(sector, measure)
    whole = sector.gold if measure == "recall" else sector.predicted
    if value is None:
        return f"{name}: never in {'gold' if measure == 'recall' else 'the answers'}"
    return f"{name}: {100 * value:.0f} %, {sector.common} of {whole} clips"


@cache
def _pieces(shape: Shape, title: str) -> list[str]:
    """The drawing cut at its classes: text, kind, number, text, kind, number, text ..."""
    drawn = draw(lambda figure: _draw(figure, shape, title), (_INCHES, _INCHES))
    return _HOLE.split(drawn)


def _draw(figure: Figure, shape: Shape, title: str) -> None:
    axis = figure.subplots()
    inner = [name for name, _ in shape]
    outer = [name for _, group in shape for name in group]
    rings = (
        (inner, [max(len(group), 1) for _, group in shape], 0.62, 0, 11.0),
        (outer, [1] * len(outer), 1.0, len(inner), 9.0),
    )
    for names, widths, radius, first, size in rings:
        wedges, _ = axis.pie(
            widths,
            radius=radius,
            startangle=90,
            counterclock=False,
            wedgeprops={"width": _RING, "linewidth": 0},
        )
        for i, (wedge, name) in enumerate(zip(wedges, names, strict=True)):
            wedge.set_gid(f"class-w-{first + i}")
            angle = np.deg2rad((wedge.theta1 + wedge.theta2) / 2)
            turned = np.rad2deg(angle) + (180 if np.cos(angle) < 0 else 0)
            # As large as the ring is wide, at a mean letter of 0.58 of the size.
            fits = 0.9 * _RING * 36 * _INCHES / (0.58 * len(name))
            style: dict[str, Any] = {"ha": "center", "va": "center", "rotation_mode": "anchor"}
            middle = radius - _RING / 2
            text = axis.text(
                middle * np.cos(angle),
                middle * np.sin(angle),
                name,
                rotation=turned,
                fontsize=min(size, fits),
                **style,
            )
            text.set_gid(f"class-t-{first + i}")
    axis.text(0, 0, title, ha="center", va="center", fontsize=12)
    axis.set_xlim(-1.01, 1.01)
    axis.set_ylim(-1.01, 1.01)
