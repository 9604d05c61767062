"""Charts as SVG, drawn in place: no script, no font and no picture from elsewhere."""

from collections.abc import Sequence
from html import escape
from typing import Final

_WIDTH: Final = 720
_HEIGHT: Final = 220
_MARGIN: Final = 28
_COLOURS: Final = ("#2563a8", "#c7cfd8")
_LIMIT: Final = "#b3261e"


def bars(labels: Sequence[str], pairs: Sequence[tuple[float, float]], title: str) -> str:
    """Two bars for each label, side by side; the second is the paler one."""
    top = max((max(pair) for pair in pairs), default=0) or 1
    space = (_WIDTH - _MARGIN) / max(len(pairs), 1)
    width = space * 0.36
    shapes = []
    for index, (label, pair) in enumerate(zip(labels, pairs, strict=True)):
        left = _MARGIN + index * space
        for place, value in enumerate(pair):
            height = max(value, 0) / top * (_HEIGHT - 2 * _MARGIN)
            shapes.append(
                f'<rect x="{left + place * width:.1f}" y="{_HEIGHT - _MARGIN - height:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}" fill="{_COLOURS[place]}"><title>{escape(label)}: {value:.2f}</title></rect>'
            )
        shapes.append(_text(left + width, _HEIGHT - _MARGIN / 2, label))
    return _svg([*shapes, _text(_MARGIN, _MARGIN / 2, f"{top:,.0f}", "start")], title)


def curve(values: Sequence[float], limit: float, labels: Sequence[str], title: str) -> str:
    """A line that grows, and the limit that it may reach."""
    top = max([*values, limit]) or 1
    step = (_WIDTH - 2 * _MARGIN) / max(len(values) - 1, 1)
    drawn = _HEIGHT - 2 * _MARGIN
    points = " ".join(
        f"{_MARGIN + index * step:.1f},{_HEIGHT - _MARGIN - value / top * drawn:.1f}"
        for index, value in enumerate(values)
    )
    y = _HEIGHT - _MARGIN - limit / top * drawn
    across = f'x1="{_MARGIN}" x2="{_WIDTH - _MARGIN}" y1="{y:.1f}" y2="{y:.1f}"'
    shapes = [
        f'<line {across} stroke="{_LIMIT}" stroke-dasharray="6 4"/>',
        f'<polyline points="{points}" fill="none" stroke="{_COLOURS[0]}" stroke-width="2.5"/>',
        _text(_MARGIN, y - 6, f"{limit:,.0f}", "start"),
    ]
    if labels:
        shapes.append(_text(_MARGIN, _HEIGHT - _MARGIN / 2, labels[0], "start"))
        shapes.append(_text(_WIDTH - _MARGIN, _HEIGHT - _MARGIN / 2, labels[-1], "end"))
    return _svg(shapes, title)


def _svg(shapes: Sequence[str], title: str) -> str:
    inside = "".join(shapes)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
