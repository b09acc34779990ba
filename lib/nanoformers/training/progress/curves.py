"""Line plots as small SVG pictures, readable on light and dark pages alike.

They go into a page as `<img>` with the picture in its address: JupyterLab takes `<svg>` out of notebooks that
it does not trust yet, and a picture in an address stays.
"""

from __future__ import annotations

import base64
import html
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["line_plot"]

Point = tuple[float, float]

INK = "#808080"  # for text and lines: a grey that can be read on white and on black
COLORS = ("#3b82c4", "#e07b39", "#2f9e7a", "#b9699b", "#a08a00", "#7a6fd0")  # likewise
WIDTH, HEIGHT = 340, 220
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 24, 36
MOST_POINTS = 200


def line_plot(series: Mapping[str, Sequence[Point]], x_label: str, y_label: str) -> str:
    """Draw curves over one x axis.

    Args:
        series: for each name its points (x, y); points that are not finite are left out.
        x_label: of the horizontal axis, with its unit.
        y_label: of the vertical axis.

    Returns:
        An `<img>` element with alternative text; "" when there is nothing to draw.
    """
    drawn = {name: _finite(_thinned(points)) for name, points in series.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return ""
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    x_ticks, y_ticks = _ticks(min(xs), max(xs)), _ticks(min(ys), max(ys))
    x_range, y_range = _range(xs, x_ticks), _range(ys, y_ticks)
    legend = _legend(drawn)
    top = TOP + legend[-1][1]
    height = HEIGHT + legend[-1][1]

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_range[0]) / (x_range[1] - x_range[0])
        up = (y - y_range[0]) / (y_range[1] - y_range[0])
        return LEFT + across * (WIDTH - LEFT - RIGHT), height - BOTTOM - up * (height - top - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11" fill="{INK}">',
        f'<text x="{WIDTH - RIGHT}" y="{height - 4}" text-anchor="end">{html.escape(x_label)}</text>',
        f'<text transform="translate(11 {height / 2}) rotate(-90)" text-anchor="middle">'
        f"{html.escape(y_label)}</text>",
    ]
    for tick in y_ticks:
        _, y = place(x_range[0], tick)
        parts.append(
            f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{INK}" stroke-opacity=".3"/>'
            f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{_label(tick, y_ticks)}</text>'
        )
    for tick in x_ticks:
        x, y = place(tick, y_range[0])
        parts.append(
            f'<text x="{x:.1f}" y="{y + 14:.1f}" text-anchor="middle">{_label(tick, x_ticks)}</text>'
        )
    for (name, points), (x, y), color in zip(drawn.items(), legend, itertools.cycle(COLORS), strict=False):
        placed = [place(*point) for point in points]
        parts.append(
            f'<polyline fill="none" stroke="{color}" stroke-width="1.8" stroke-linejoin="round" points="'
            + " ".join(f"{across:.1f},{down:.1f}" for across, down in placed)
            + '"/>'
        )
        if len(placed) <= 30:
            parts += [f'<circle cx="{p:.1f}" cy="{q:.1f}" r="2.4" fill="{color}"/>' for p, q in placed]
        parts.append(
            f'<path d="M{x:.0f} {y + 11}h14" stroke="{color}" stroke-width="3"/>'
            f'<text x="{x + 18:.0f}" y="{y + 15}">{html.escape(name)}</text>'
        )
    picture = base64.b64encode("".join([*parts, "</svg>"]).encode()).decode()
    about = ", ".join(f"{name} ends at {points[-1][1]:.4g}" for name, points in drawn.items())
    return (
        f'<img width="{WIDTH}" height="{height}" alt="Curves over {html.escape(x_label)}: '
        f'{html.escape(about)}" src="data:image/svg+xml;base64,{picture}">'
    )


def _legend(names: Iterable[str]) -> list[tuple[float, int]]:
    """Return where each name of the legend begins, (x, y), in as many lines as are needed."""
    places = []
    x, y = float(LEFT), 0
    for name in names:
        width = 30 + 6.2 * len(name)
        if x > LEFT and x + width > WIDTH:
            x, y = float(LEFT), y + 15
        places.append((x, y))
        x += width
    return places


def _finite(points: Sequence[Point]) -> list[Point]:
    return [(float(x), float(y)) for x, y in points if math.isfinite(x) and math.isfinite(y)]


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most so many points as there are places to draw them, the last one always among them."""
    if len(points) <= MOST_POINTS:
        return points
    stride = math.ceil(len(points) / MOST_POINTS)
    return [*points[:-1:stride], points[-1]]


def _range(values: Sequence[float], ticks: Sequence[float]) -> Point:
    """From the least to the greatest of values and ticks; never empty."""
    low, high = min(*values, *ticks), max(*values, *ticks)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers between two values."""
    span = high - low
    if span <= 0:
        return [low]
    step = 10.0 ** math.floor(math.log10(span))
    for smaller in (0.5, 0.4, 0.5):  # to a half, a fifth, a tenth
        if span / step >= 3:
            break
        step *= smaller
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)][:10]


def _label(tick: float, ticks: Sequence[float]) -> str:
    if tick and not 1e-3 <= abs(tick) < 1e5:
        return f"{tick:.1e}"
    gap = min((b - a for a, b in itertools.pairwise(ticks)), default=abs(tick) or 1.0)
    return f"{tick:.{max(0, math.ceil(-math.log10(gap) - 1e-9))}f}"
