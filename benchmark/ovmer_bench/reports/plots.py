"""Pictures of a score as SVG text: sunbursts, histogram, confusion table.

Drawn by matplotlib without a display. Colours of text and lines are ``currentColor``, so that
a picture follows the page into dark mode, and the bytes depend on the data alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..metrics.scoring import Evaluation
from ..metrics.statistics import ClipStatistics
from .diagnostics import SectorHealth, confusion, label_counts, sector_health
from .svg import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SectorMeasure = Literal["recall", "precision"]

_COLOURS = "viridis"
EMPTY = "#9aa0a6"
_WHEEL_INCHES = 5.5
_RING = 0.38
"""Width of a ring of a wheel, whose radius is 1."""


def sunburst(statistics: ClipStatistics, wheel: int, measure: SectorMeasure) -> str:
    """One wheel, level 1 inside and level 2 outside, coloured by a measure of each sector."""
    inner = sector_health(statistics, wheel, 1)
    outer = _outer_ring(statistics, wheel, [sector.name for sector in inner])

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        _draw_wheel(axis, inner, outer, lambda sector: getattr(sector, measure))
        axis.text(0, 0, measure, ha="center", va="center", fontsize=12)

    return picture(f"wheel{wheel}-{measure}", (_WHEEL_INCHES, _WHEEL_INCHES), draw)


def scale() -> str:
    """The colours of 0 to 100 percent as a CSS gradient, and grey for what has no value."""
    stops = ", ".join(_colour(i / 10) for i in range(11))
    return f"linear-gradient(to right, {stops})"


def histogram(evaluation: Evaluation) -> str:
    """Labels per clip of gold and prediction."""
    sides = {"gold": evaluation.gold.labels, "predicted": evaluation.labels}
    if evaluation.gold.kind == "sentiment":
        del sides["gold"]
    counts = {name: label_counts(lists) for name, lists in sides.items()}
    most = max(len(row) for row in counts.values()) - 1
    last = max(n for row in counts.values() for n, count in enumerate(row) if count)

    def draw(figure: Figure) -> None:
        import matplotlib as mpl

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
        axis.yaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        if len(counts) > 1:
            axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)

    return picture("histogram", (5, 2.8), draw)


def confusion_table(statistics: ClipStatistics, wheel: int) -> str:
    """Gold against predicted sectors of one wheel at level 1, as shares of the gold row."""
    names = statistics.sectors(f"M3-W{wheel}-L1")
    table = confusion(statistics, wheel)
    gold = np.array([sector.gold for sector in sector_health(statistics, wheel, 1)])
    share = 100 * table / np.maximum(gold, 1)[:, None]
    centres = np.arange(len(names))

    def draw(figure: Figure) -> None:
        axis = figure.subplots()
        cells = axis.pcolormesh(centres, centres, share, cmap=_COLOURS, vmin=0, vmax=100)
        cells.set(edgecolor="white", linewidth=0.8)
        axis.invert_yaxis()
        axis.set_aspect("equal")
        for i, j in np.ndindex(*table.shape):
            colour = _ink_on(share[i, j] / 100)
            axis.text(j, i, str(table[i, j]), ha="center", va="center", color=colour)
        axis.set_xticks(centres, names, rotation=35, ha="right")
        axis.set_yticks(centres, names)
        axis.set_xlabel("predicted")
        axis.set_ylabel("gold")

    return picture(f"confusion{wheel}", (4.8, 4.2), draw)


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
            wedgeprops={"width": _RING, "edgecolor": "white", "linewidth": 0.8},
        )
        for wedge, sector in zip(wedges, sectors, strict=True):
            angle = np.deg2rad((wedge.theta1 + wedge.theta2) / 2)
            _label(axis, sector, of(sector), angle, radius - _RING / 2)
    axis.set_xlim(-1.01, 1.01)
    axis.set_ylim(-1.01, 1.01)


def _label(
    axis: Axes, sector: SectorHealth, value: float | None, angle: float, radius: float
) -> None:
    turned = np.rad2deg(angle)
    if np.cos(angle) < 0:
        turned += 180
    # As large as the ring is wide, at a mean letter of 0.58 of the size.
    fits = 0.9 * _RING * 36 * _WHEEL_INCHES / (0.58 * len(sector.name))
    size = min(11.5 if sector.level == 1 else 9, fits)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    style: dict[str, Any] = {"ha": "center", "va": "center", "rotation_mode": "anchor"}
    axis.text(x, y, sector.name, rotation=turned, color=_ink_on(value), fontsize=size, **style)


def _ink_on(value: float | None) -> str:
    """Black or white, whichever stands out more on the colour of ``value`` (WCAG 2 contrast)."""
    import matplotlib as mpl

    shares = np.array(mpl.colors.to_rgb(_colour(value)))
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ (0.2126, 0.7152, 0.0722))
    return "black" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "white"


def _colour(value: float | None) -> str:
    import matplotlib as mpl

    return EMPTY if value is None else mpl.colors.to_hex(mpl.colormaps[_COLOURS](value))
