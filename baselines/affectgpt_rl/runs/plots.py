"""Curves of a run as SVG text.

Drawn as all pictures of the ruler are (``ovmer_bench.reports.svg``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ovmer_bench.reports.svg import picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#a06cc4", "#ef8e3b", "#2f9e8f", "#d95f6e", "#5b8def", "#9aa33a")
GRID: Mapping[str, Any] = {"color": "#9aa0a6", "alpha": 0.3, "linewidth": 0.6}
_SIZE = (4.0, 2.4)
_MOST_POINTS = 250
_MARKED = 40
"""Up to so many points each gets a dot."""
_WINDOW_SHARE = 0.06

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Curve:
    """Numbers over steps.

    Attributes:
        name: of what it shows, as the legend says it.
        points: (step, value), in the order of steps.
    """

    name: str
    points: Points

    @property
    def last(self) -> float:
        """The latest value."""
        return self.points[-1][1]


def curves_svg(name: str, curves: Sequence[Curve], unit: str, *, legend: bool) -> str:
    """Curves on common axes; noisy ones are drawn pale, with their moving mean on top.

    Args:
        name: letters and dashes; makes ids of the picture unique on a page.
        curves: at least one, each with a point.
        unit: what the vertical axis shows.
        legend: whether the curves are named.
    """

    def draw(figure: Figure) -> None:
        from matplotlib.ticker import MaxNLocator

        axis = bare_axis(figure)
        for i, curve in enumerate(curves):
            _draw(axis, curve, COLOURS[i % len(COLOURS)])
        axis.set_xlabel("step")
        axis.set_ylabel(unit)
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axis.grid(axis="y", **GRID)
        if legend:
            axis.legend(frameon=False, fontsize=8)

    return picture(name, _SIZE, draw)


def bare_axis(figure: Figure) -> Any:
    """One pair of axes without ground and frame."""
    axis = figure.subplots()
    axis.patch.set_alpha(0)
    axis.spines[["top", "right"]].set_visible(False)
    return axis


def thinned(points: Points, most: int = _MOST_POINTS) -> list[tuple[int, float]]:
    """At most ``most`` points, each the mean of its neighbours, at the last of their steps."""
    width = math.ceil(len(points) / most)
    groups = [points[i : i + width] for i in range(0, len(points), width)]
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def smoothed(points: Points, width: int) -> list[tuple[int, float]]:
    """The mean of each point and up to ``width - 1`` before it."""
    values = [value for _, value in points]
    return [
        (step, sum(values[max(0, i - width + 1) : i + 1]) / min(i + 1, width))
        for i, (step, _) in enumerate(points)
    ]


def _draw(axis: Any, curve: Curve, colour: str) -> None:
    points = thinned(curve.points)
    # A name that begins with an underscore would be kept out of the legend.
    name = f" {curve.name}" if curve.name.startswith("_") else curve.name
    style: Mapping[str, Any] = {"color": colour, "label": name, "linewidth": 1.6}
    if len(points) <= _MARKED:
        axis.plot(*_columns(points), marker="o", markersize=3, **style)
        return
    axis.plot(*_columns(points), color=colour, alpha=0.3, linewidth=0.8)
    axis.plot(*_columns(smoothed(points, round(_WINDOW_SHARE * len(points)))), **style)


def _columns(points: Points) -> tuple[list[int], list[float]]:
    return [step for step, _ in points], [value for _, value in points]
