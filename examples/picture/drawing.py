"""Draws the panels of a dashboard at their positions, in Grafana's dark theme."""

import datetime
import re

import matplotlib

matplotlib.use("Agg")

import matplotlib.dates
import matplotlib.pyplot as plt
from PIL import Image

# Of a screen: Grafana divides its width by 24.
COLUMN, ROW, GAP, DPI = 52, 26, 4, 100
BACKGROUND, PANEL, TEXT, FAINT, GRID = "#111217", "#181b1f", "#ccccdc", "#8e8e99", "#2c3235"
NAMED = {"green": "#73bf69", "yellow": "#fade2a", "orange": "#ff9830", "red": "#f2495c"}
PALETTE = [
    "#73bf69",
    "#f2cc0c",
    "#5794f2",
    "#ff9830",
    "#f2495c",
    "#b877d9",
    "#8ab8ff",
    "#ffb357",
    "#c0d8ff",
    "#96d98d",
]
# More lines than these are drawn, and not named.
LEGEND_LINES = 5


def draw(dashboard, data, out):
    """Draws all panels except tables and graphs of nodes, and moves panels up into their space."""
    panels, titles = placed(dashboard["panels"])
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width_px, height_px = 24 * COLUMN, height * ROW
    figure = plt.figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor=BACKGROUND)
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 7, "text.color": TEXT})

    def box(pos):
        """Left, bottom, width and height on the figure."""
        left, top = pos["x"] * COLUMN + GAP, pos["y"] * ROW + GAP
        width, high = pos["w"] * COLUMN - 2 * GAP, pos["h"] * ROW - 2 * GAP
        return left / width_px, 1 - (top + high) / height_px, width / width_px, high / height_px

    for title in titles:
        left, bottom, _, high = box(title["gridPos"])
        figure.text(
            left + 0.003, bottom + high / 2, "⌄  " + title["title"], size=9, weight="bold", va="center"
        )
    for panel in panels:
        left, bottom, width, high = box(panel["gridPos"])
        frame = figure.add_axes((left, bottom, width, high), facecolor=PANEL)
        frame.set(xticks=[], yticks=[])
        frame.spines[:].set_color(GRID)
        pixels = panel["gridPos"]["h"] * ROW
        frame.text(
            0.012 * 12 / panel["gridPos"]["w"],
            1 - 7 / pixels,
            panel["title"],
            weight="bold",
            va="top",
            size=8,
        )
        series = [
            (target, metric, values)
            for target in panel["targets"]
            for metric, values in data["answers"][f"{panel['id']} {target['refId']}"]
        ]
        DRAWN[panel["type"]](frame, panel, series, data)
    figure.savefig(out, facecolor=BACKGROUND)
    plt.close(figure)
    # A third of the size, and nobody sees a difference.
    Image.open(out).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(out, optimize=True)


def placed(all_panels):
    """Returns panels and row titles, without what is not drawn and rows that contain nothing else."""
    panels, titles, up, row = [], [], 0, None
    for panel in all_panels:
        pos = dict(panel["gridPos"], y=panel["gridPos"]["y"] - up)
        if panel["type"] in ("table", "nodeGraph"):
            up += pos["h"]
        elif panel["type"] == "row":
            row = dict(panel, gridPos=pos)
        else:
            if row:
                titles.append(row)
                row = None
            panels.append(dict(panel, gridPos=pos))
    return panels, titles


def inner(frame, panel, top, bottom, left=0.0, right=0.0):
    """Returns axes inside a panel's frame, at these distances in pixels from its edges."""
    at = frame.get_position()
    wide, high = panel["gridPos"]["w"] * COLUMN - 2 * GAP, panel["gridPos"]["h"] * ROW - 2 * GAP
    return frame.figure.add_axes(
        (
            at.x0 + at.width * left / wide,
            at.y0 + at.height * bottom / high,
            at.width * (1 - (left + right) / wide),
            at.height * (1 - (top + bottom) / high),
        ),
        facecolor="none",
    )


def stat(frame, panel, series, data):
    ((_, _, values),) = series
    value = float(values[-1][1])
    colour = colour_of(panel, value)
    frame.text(0.5, 0.5, shown(panel, value), size=17, weight="bold", ha="center", va="center", color=colour)
    if len(values) > 1:
        axes = inner(frame, panel, 70, 0)
        axes.axis("off")
        times, numbers = points(values)
        axes.plot(times, numbers, color=colour, linewidth=0.8)
        axes.fill_between(times, numbers, color=colour, alpha=0.15)
        axes.set_xlim(moment(data["start"]), moment(data["end"]))
        axes.set_ylim(0, max(numbers) * 1.1 or 1)


def bargauge(frame, panel, series, data):
    axes = inner(frame, panel, 26, 4, left=300, right=90)
    low, high = (panel["fieldConfig"]["defaults"][key] for key in ("min", "max"))
    axes.set(xlim=(low, high), ylim=(len(series) - 0.4, -0.6), xticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_yticks(range(len(series)), [legend(target, metric) for target, metric, _ in series], color=TEXT)
    for at, (_, _, values) in enumerate(series):
        value = float(values[-1][1])
        colour = colour_of(panel, value)
        axes.barh(at, high - low, left=low, color=GRID, height=0.7)
        axes.barh(at, min(max(value, low), high) - low, left=low, color=colour, height=0.7)
        axes.text(
            1.01,
            at,
            shown(panel, value),
            color=colour,
            va="center",
            weight="bold",
            transform=axes.get_yaxis_transform(),
        )


def timeseries(frame, panel, series, data):
    custom = panel["fieldConfig"]["defaults"]["custom"]
    maxima = [max(float(value) for _, value in values) for _, _, values in series]
    ranked = sorted(range(len(series)), key=lambda i: -maxima[i])
    lines = min(len(series), LEGEND_LINES)
    axes = inner(frame, panel, 28, 36 + 13 * lines, left=44, right=8)
    axes.grid(color=GRID, linewidth=0.5)
    axes.tick_params(length=0, labelcolor=FAINT, labelsize=6)
    axes.spines[:].set_visible(False)
    axes.xaxis.set_major_locator(matplotlib.dates.MinuteLocator(interval=2))
    axes.xaxis.set_major_formatter(matplotlib.dates.DateFormatter("%H:%M"))
    axes.set_xlim(moment(data["start"]), moment(data["end"]))

    below = {}
    for i, (_, _, values) in enumerate(series):
        times, numbers = points(values)
        if custom["stacking"]["mode"] == "normal":
            bottoms = [below.get(time, 0) for time in times]
            numbers = [number + bottom for number, bottom in zip(numbers, bottoms)]
            below |= dict(zip(times, numbers))
        else:
            bottoms = [0] * len(times)
        colour = PALETTE[i % len(PALETTE)]
        axes.plot(times, numbers, color=colour, linewidth=0.9, label="_")
        axes.fill_between(
            times, bottoms, numbers, color=colour, alpha=custom["fillOpacity"] / 100, linewidth=0
        )
    top = max([*below.values()] or maxima)
    axes.set_ylim(0, top * 1.08 or 1)
    scale = custom.get("scaleDistribution")
    if scale:
        axes.set_yscale(scale["type"], base=scale["log"], linthresh=scale["linearThreshold"])
    else:
        axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    axes.yaxis.set_major_formatter(lambda value, _: shown(panel, value))
    if custom["thresholdsStyle"]["mode"] == "dashed":
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]:
            axes.axhline(step["value"], color=NAMED[step["color"]], linewidth=0.7, linestyle="--")

    named = [
        (override["matcher"]["options"], prop["value"])
        for override in panel["fieldConfig"]["overrides"]
        for prop in override["properties"]
        if prop["id"] == "displayName"
    ]
    wide, high = panel["gridPos"]["w"] * COLUMN - 2 * GAP, panel["gridPos"]["h"] * ROW - 2 * GAP
    for line, i in enumerate(ranked[:LEGEND_LINES]):
        target, metric, values = series[i]
        name = dict(named).get(legend(target, metric), legend(target, metric))
        y = (13 * (lines - line) - 3) / high
        frame.plot([8 / wide, 22 / wide], [y, y], color=PALETTE[i % len(PALETTE)], linewidth=2)
        frame.text(28 / wide, y, name, size=6, va="center")
        frame.text(1 - 56 / wide, y, shown(panel, float(values[-1][1])), size=6, va="center", ha="right")
        frame.text(1 - 8 / wide, y, shown(panel, maxima[i]), size=6, va="center", ha="right")
    head = (13 * lines + 9) / high
    more = f"{len(series) - lines} more" if len(series) > lines else ""
    frame.text(28 / wide, head, more, size=6, color=FAINT, va="center")
    frame.text(1 - 56 / wide, head, "Last", size=6, color=FAINT, va="center", ha="right")
    frame.text(1 - 8 / wide, head, "Max", size=6, color=FAINT, va="center", ha="right")
    frame.set(xlim=(0, 1), ylim=(0, 1))


DRAWN = {"stat": stat, "bargauge": bargauge, "timeseries": timeseries}


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds)


def points(values):
    return [moment(time) for time, _ in values], [float(value) for _, value in values]


def legend(target, metric):
    return re.sub(r"\{\{(\w+)\}\}", lambda label: metric.get(label[1], ""), target["legendFormat"]).strip()


def colour_of(panel, value):
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return NAMED[reached[-1]]


def shown(panel, value):
    """Formats a value in the panel's unit, with about three digits, as Grafana does."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    match unit:
        case "percentunit":
            return f"{digits(value * 100)}%"
        case "reqps" | "cps":
            return f"{digits(value)} {'req/s' if unit == 'reqps' else 'c/s'}"
        case "s" if 0 < abs(value) < 1:
            return f"{digits(value * 1000)} ms"
        case "s":
            return f"{digits(value)} s"
        case "suffix:×":
            return f"{digits(value)}×"
        case "bytes":
            power = next(power for power in (2, 1, 0) if value >= 1024**power or power == 0)
            return f"{digits(value / 1024**power)} {('B', 'KiB', 'MiB')[power]}"
        case "short":
            return digits(value)
    raise ValueError(f"unknown unit {unit}")


def digits(value):
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
