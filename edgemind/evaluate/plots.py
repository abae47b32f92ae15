"""Accuracy against cost: as PNG and SVG (matplotlib, an extra), and drawn with characters.

Reached from `edgemind eval`; `text_bars` from `edgemind usage` and `bench`, which draws its own
figure with `new_figure` and `write_figure`.
A point that no other beats in both is on the Pareto front.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.errors import ConfigError
from edgemind.evaluate.statistics import Interval

MARKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Point:
    """One policy: its cost in the plot's unit, its accuracy as a fraction."""

    name: str
    cost: float
    accuracy: Interval


def front(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats: the cheapest first, each next one more accurate."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda each: (each.cost, -each.accuracy.value)):
        if not kept or point.accuracy.value > kept[-1].accuracy.value:
            kept.append(point)
    return kept


def need_matplotlib() -> None:
    """`ConfigError` with the way out where matplotlib is not installed."""
    try:
        import matplotlib as _  # noqa: F401
    except ImportError:
        raise ConfigError(
            "plots as files need matplotlib: pip install 'edgemind[eval]', or leave out --plot"
        ) from None


def save(
    points: Sequence[Point], unit: str, title: str, path: Path, bars: str = "bars: 95 %"
) -> list[Path]:
    """Draw to `path` with the suffixes .png and .svg; the two paths. `bars` says what bars are.

    Raises `ConfigError` without matplotlib, and where the files cannot be written.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    best = front(points)
    axes.plot(
        [each.cost for each in best],
        [100 * each.accuracy.value for each in best],
        color="0.6",
        linewidth=1,
        zorder=1,
        label="Pareto front",
    )
    for number, each in enumerate(points):
        value, low, high = (100 * part for part in _ends(each))
        colour = f"C{number % 10}"
        ends = [[value - low], [high - value]]
        marker = "os^vD<>P"[number % 8]
        axes.errorbar(
            each.cost, value, ends, fmt=marker, color=colour, capsize=3, markersize=5,
            label=each.name,
        )  # fmt: skip
    axes.set_xlabel(f"{unit} per question")
    axes.set_ylabel(f"right answers, % ({bars})", fontsize=9)
    axes.set_title(title, fontsize=10)
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    # Names beside the plot: points are often too close for names beside points.
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    files = [path.with_name(path.name + suffix) for suffix in (".png", ".svg")]
    for file in files:
        write_figure(figure, file)
    return files


def new_figure() -> Any:
    """An empty figure of matplotlib; `ConfigError` without it."""
    need_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # No pyplot: it keeps figures in a global list, and looks for a screen.
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Any, path: Path) -> None:
    """Draw to a file whose suffix says how; `ConfigError` where it cannot be written."""
    import matplotlib as mpl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The same points give the same file: no date, no random ids.
        with mpl.rc_context({"svg.hashsalt": "edgemind"}):
            options = {"metadata": {"Date": None}} if path.suffix == ".svg" else {"dpi": 150}
            figure.savefig(path, **options)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None


def _ends(point: Point) -> tuple[float, float, float]:
    return point.accuracy.value, point.accuracy.low, point.accuracy.high


def text_plot(points: Sequence[Point], unit: str, *, width: int = 64, height: int = 16) -> str:
    """The same plot with characters, `width` × `height` inside its axes.

    Each point is a letter that is named below, with a star if it is on the front; `*` is several
    points at one place.
    """
    if not points:
        return ""
    costs = [point.cost for point in points]
    heights = [100 * point.accuracy.value for point in points]
    right = max(costs) or 1.0
    low, high = min(heights), max(heights)
    if high - low < 1:
        low, high = low - 0.5, high + 0.5
    cells = [[" "] * width for _ in range(height)]
    marks = [MARKS[number % len(MARKS)] for number in range(len(points))]
    for mark, cost, value in zip(marks, costs, heights, strict=True):
        column = round(cost / right * (width - 1))
        row = round((high - value) / (high - low) * (height - 1))
        cells[row][column] = mark if cells[row][column] == " " else "*"
    labels = {0: f"{high:.1f}", height // 2: f"{(high + low) / 2:.1f}", height - 1: f"{low:.1f}"}
    lines = _framed("right %", cells, labels)
    end = f"{right:.4g} {unit}"
    lines.append(f"{'':8}0{end:>{width - 1}}")
    best = {point.name for point in front(points)}
    named = [
        f"{mark} {point.name}{'*' if point.name in best else ''}"
        for mark, point in zip(marks, points, strict=True)
    ]
    lines.append(f"{'':8}{'  '.join(named)}")
    return "\n".join(lines)


BLOCKS = " ▁▂▃▄▅▆▇█"


def text_bars(
    bars: Sequence[tuple[str, float]], unit: str, *, width: int = 7, height: int = 8
) -> str:
    """Columns with characters: (name, value from 0) each, `width` wide, names below."""
    if not bars:
        return ""
    top = max(value for _, value in bars) or 1.0
    cells = [[""] * len(bars) for _ in range(height)]
    for column, (_, value) in enumerate(bars):
        eighths = round(value / top * height * 8)
        if value > 0:
            eighths = max(1, eighths)  # little is not nothing
        for row in range(height):
            filled = min(8, max(0, eighths - 8 * (height - 1 - row)))
            cells[row][column] = f"{BLOCKS[filled] * (width - 2):^{width}}"
    lines = _framed(unit, cells, {0: f"{top:.4g}", height - 1: "0"}, width)
    lines.append(f"{'':8}{''.join(f'{name[:width]:^{width}}' for name, _ in bars)}".rstrip())
    return "\n".join(lines)


def _framed(
    title: str, cells: Sequence[Sequence[str]], labels: Mapping[int, str], width: int = 1
) -> list[str]:
    """Rows of cells, each `width` characters, behind an axis with labels and on another one."""
    lines = [title]
    lines += [f"{labels.get(number, ''):>6} │{''.join(row)}" for number, row in enumerate(cells)]
    lines = [line.rstrip() for line in lines]
    lines.append(f"{'':6} └{'─' * (width * len(cells[0]))}")
    return lines
