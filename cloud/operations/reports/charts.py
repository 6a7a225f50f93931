"""Charts as PNG, through matplotlib, which nothing else here imports; only the process of a job loads it."""

import math
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cloud.domain.report import CHART_PIXELS, MOST_CHARTS, Chart

_DPI = 100
_INK, _BAR = "#1f2933", "#2f6f9f"
_MOST_TICKS = 8
_LONGEST_LABEL = 24


def draw_charts(charts: Sequence[Chart]) -> Mapping[str, bytes]:
    """Return a PNG of 900 x 400 pixels for each of the first six charts that have something to show, by name."""
    shown = [chart for chart in charts if any(value is not None for value in chart.values)]
    return {chart.name: draw_chart(chart) for chart in shown[:MOST_CHARTS]}


def draw_chart(chart: Chart) -> bytes:
    """Return one chart as PNG."""
    width, height = CHART_PIXELS
    # Names of devices hold dollar signs that must not be read as formulae.
    with mpl.rc_context({"text.parse_math": False}):
        figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(chart.title, color=_INK)
        axes.set_ylabel(chart.unit)
        axes.spines[["top", "right"]].set_visible(False)
        (_draw_line if chart.is_line else _draw_bars)(axes, chart)
        FigureCanvasAgg(figure)
        picture = BytesIO()
        figure.savefig(picture, format="png")
    return picture.getvalue()


def font_path() -> Path:
    """Return a font file that has the letters of most languages."""
    return Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def _draw_line(axes: Axes, chart: Chart) -> None:
    axes.plot(range(len(chart.values)), [math.nan if one is None else one for one in chart.values], color=_BAR)
    axes.grid(visible=True, axis="y", alpha=0.3)
    step = max(1, math.ceil(len(chart.labels) / _MOST_TICKS))
    _label(axes, list(range(0, len(chart.labels), step)), chart)


def _draw_bars(axes: Axes, chart: Chart) -> None:
    heights = [0.0 if one is None else one for one in chart.values]
    axes.bar(range(len(heights)), heights, color=_BAR)
    if all(height.is_integer() for height in map(float, heights)):
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    step = max(1, math.ceil(len(chart.labels) / (2 * _MOST_TICKS)))
    _label(axes, list(range(0, len(chart.labels), step)), chart)


def _label(axes: Axes, places: list[int], chart: Chart) -> None:
    texts = [_short(chart.labels[place]) for place in places]
    axes.set_xticks(places, texts, rotation=30, ha="right", fontsize=8)


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
