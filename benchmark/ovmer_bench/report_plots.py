"""Pictures of a score as SVG text: sunbursts, histogram, confusion table.

Drawn by matplotlib without a display. Colours of text and lines are ``currentColor``, so that
a picture follows the page into dark mode, and the bytes depend on the data alone.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .diagnostics import SectorHealth, confusion, label_counts, sector_health
from .scoring import Evaluation
from .statistics import ClipStatistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK = "#010203"
"""Stands for the page's text colour until the SVG is written."""
_COLOURS = "viridis"
_EMPTY = "#9aa0a6"
_SETTINGS: Any = {
    "svg.hashsalt": "ovmer",
    "svg.fonttype": "none",
    "font.family": ["sans-serif"],
    "font.size": 9,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), _INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), _INK),
}


def sunburst(statistics: ClipStatistics, wheel: int) -> str:
    """One wheel, level 1 inside and level 2 outside, by recall (left) and precision (right)."""
    inner = sector_health(statistics, wheel, 1)
    outer = _outer_ring(statistics, wheel, [sector.name for sector in inner])
    measures: list[tuple[str, Callable[[SectorHealth], float | None]]] = [
        ("recall", lambda sector: sector.recall),
        ("precision", lambda sector: sector.precision),
    ]

    def draw(figure: Figure) -> None:
        import matplotlib as mpl

        axes = figure.subplots(1, 2)
        for axis, (title, of) in zip(axes, measures, strict=True):
            _draw_wheel(axis, inner, outer, of)
            axis.text(0, 0, title, ha="center", va="center", fontsize=11)
        scale = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 100), _COLOURS)
        bar = figure.colorbar(scale, ax=list(axes), orientation="horizontal", shrink=0.4)
        bar.set_label("percent of clips; grey: never in gold (recall), never said (precision)")

    return _svg(f"wheel{wheel}", draw, (11, 6.4))


def histogram(evaluation: Evaluation) -> str:
    """Labels per clip of gold and prediction."""
    sides = {"gold": evaluation.gold.labels, "predicted": evaluation.labels}
    if evaluation.gold.kind == "sentiment":
        del sides["gold"]
    counts = {name: label_counts(lists) for name, lists in sides.items()}
    most = max(len(row) for row in counts.values()) - 1
    last = max(n for row in counts.values() for n, count in enumerate(row) if count)

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        width = 0.8 / len(counts)
        for i, (name, row) in enumerate(counts.items()):
            places = np.arange(last + 1) + (i - (len(counts) - 1) / 2) * width
            colour = ("#7a5195", "#ef8e3b")[i] if len(counts) == 2 else "#ef8e3b"
            axis.bar(places, row[: last + 1], width, label=name, color=colour)
        ticks = [f"{n}+" if n == most else str(n) for n in range(last + 1)]
        axis.set_xticks(range(last + 1), ticks)
        axis.set_xlabel("labels per clip")
        axis.set_ylabel("clips")
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)

    return _svg("histogram", draw, (6.4, 3.2))


def confusion_table(statistics: ClipStatistics, wheel: int) -> str:
    """Gold against predicted sectors of one wheel at level 1, as shares of the gold row."""
    names = statistics.sectors(f"M3-W{wheel}-L1")
    table = confusion(statistics, wheel)
    gold = np.array([sector.gold for sector in sector_health(statistics, wheel, 1)])
    share = 100 * table / np.maximum(gold, 1)[:, None]

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        axis.imshow(share, cmap=_COLOURS, vmin=0, vmax=100)
        for i, j in np.ndindex(*table.shape):
            colour = "black" if share[i, j] > 55 else "white"
            axis.text(j, i, str(table[i, j]), ha="center", va="center", color=colour)
        axis.set_xticks(range(len(names)), names, rotation=35, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.set_xlabel("predicted")
        axis.set_ylabel("gold")

    return _svg(f"confusion{wheel}", draw, (4.8, 4.2))


def _outer_ring(
    statistics: ClipStatistics, wheel: int, inner: Sequence[str]
) -> list[list[SectorHealth]]:
    """Level-2 sectors grouped under their level-1 sector, in the order of ``inner``."""
    on_wheel = statistics.lexicon.wheels[wheel - 1]
    parent = {middle: on_wheel.level1[word] for word, middle in on_wheel.level2.items()}
    sectors = sector_health(statistics, wheel, 2)
    return [[s for s in sectors if parent[s.name] == name] for name in inner]


def _draw_wheel(
    axis: Axes,
    inner: Sequence[SectorHealth],
    outer: Sequence[Sequence[SectorHealth]],
    of: Callable[[SectorHealth], float | None],
) -> None:
    sizes = [len(group) for group in outer]
    middle = [sector for group in outer for sector in group]
    for sectors, widths, radius in ((middle, [1] * len(middle), 1.0), (inner, sizes, 0.62)):
        wedges, _ = axis.pie(
            widths,
            radius=radius,
            colors=[_colour(of(sector)) for sector in sectors],
            startangle=90,
            counterclock=False,
            wedgeprops={"width": 0.38, "edgecolor": "white", "linewidth": 0.8},
        )
        for wedge, sector in zip(wedges, sectors, strict=True):
            angle = np.deg2rad((wedge.theta1 + wedge.theta2) / 2)
            _label(axis, sector, of(sector), angle, radius - 0.19)
    axis.set_xlim(-1.02, 1.02)
    axis.set_ylim(-1.02, 1.02)


def _label(
    axis: Axes, sector: SectorHealth, value: float | None, angle: float, radius: float
) -> None:
    turned = np.rad2deg(angle)
    if np.cos(angle) < 0:
        turned += 180
    colour = "black" if value is None or value > 0.55 else "white"
    size = 8.5 if sector.level == 1 else 6
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    style: dict[str, Any] = {"ha": "center", "va": "center", "rotation_mode": "anchor"}
    axis.text(x, y, sector.name, rotation=turned, color=colour, fontsize=size, **style)


def _colour(value: float | None) -> str:
    import matplotlib as mpl

    return _EMPTY if value is None else mpl.colors.to_hex(mpl.colormaps[_COLOURS](value))


def _svg(name: str, draw: Callable[[Figure], None], size: tuple[float, float]) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        figure.patch.set_alpha(0)
        draw(figure)
        for axis in figure.axes:
            axis.patch.set_alpha(0)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    # Ids are unique within one picture only, and a page holds several.
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    return re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
