"""A line chart with logarithmic axes as a small SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 860, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 250, 44, 52
COLORS = ("#0b66c3", "#c2410c", "#15803d", "#7e22ce", "#be123c", "#0e7490", "#854d0e", "#475569")


def line_chart(title: str, x_label: str, y_label: str, lines: Mapping[str, Points], *, dashed: str) -> str:
    """The SVG. Values must be above 0; lines whose name contains `dashed` are dashed and share a colour with
    the line of the same name without it."""
    x_range = _range(x for points in lines.values() for x, _ in points)
    y_range = _range(y for points in lines.values() for _, y in points)

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + _share(x, x_range) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - _share(y, y_range) * (HEIGHT - TOP - BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15" font-weight="600" fill="#111827">{escape(title)}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 12}" fill="#374151">{escape(x_label)}</text>',
        f'<text x="8" y="{TOP - 8}" fill="#374151">{escape(y_label)}</text>',
    ]
    for value in _ticks(y_range):
        _, y = place(x_range[0], value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
        parts.append(
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#374151">{value:g}</text>'
        )
    for value in _ticks(x_range):
        x, _ = place(value, y_range[0])
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e5e7eb"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#374151">'
            f"{int(value):,}</text>"
        )
    bases = list(dict.fromkeys(_base(name, dashed) for name in lines))
    for number, (name, points) in enumerate(lines.items()):
        color = COLORS[bases.index(_base(name, dashed)) % len(COLORS)]
        dash = ' stroke-dasharray="6 4"' if dashed in name else ""
        places = [place(x, y) for x, y in sorted(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in places]
        y = TOP + 18 * number
        x = WIDTH - RIGHT + 20
        parts.append(f'<path d="M{x} {y}h24" stroke="{color}" stroke-width="2"{dash}/>')
        parts.append(f'<text x="{x + 32}" y="{y + 4}" fill="#111827">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _base(name: str, dashed: str) -> str:
    return name.replace(dashed, "").strip(" ,")


def _range(values: object) -> tuple[float, float]:
    """Whole powers of ten around the values."""
    found = [float(value) for value in values]  # type: ignore[attr-defined]
    low, high = math.floor(math.log10(min(found))), math.ceil(math.log10(max(found)))
    return 10.0**low, 10.0 ** max(high, low + 1)


def _share(value: float, among: tuple[float, float]) -> float:
    return (math.log10(value) - math.log10(among[0])) / (math.log10(among[1]) - math.log10(among[0]))


def _ticks(among: tuple[float, float]) -> list[float]:
    return [10.0**power for power in range(round(math.log10(among[0])), round(math.log10(among[1])) + 1)]
