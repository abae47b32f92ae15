"""The window's icons: strokes on a square of 24, drawn in any colour and sharp at any density."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

STROKES = {
    "new": '<path d="M12 5v14M5 12h14"/>',
    "side": '<rect x="3.5" y="4.5" width="17" height="15" rx="3"/><path d="M9.5 4.5v15"/>',
    "settings": (
        '<path d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2.2"/>'
        '<circle cx="9" cy="17" r="2.2"/>'
    ),
    "keys": (
        '<rect x="2.5" y="6" width="19" height="12" rx="2.5"/>'
        '<path d="M6.5 10h.01M10 10h.01M14 10h.01M17.5 10h.01M8 14.2h8"/>'
    ),
    "sun": (
        '<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4'
        'M17 17l1.4 1.4M5.6 18.4l1.4-1.4M17 7l1.4-1.4"/>'
    ),
    "moon": '<path d="M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z"/>',
    "attach": (
        '<path d="M19 11.5l-7.2 7.2a4.6 4.6 0 0 1-6.5-6.5l7.7-7.7a3 3 0 0 1 4.3 4.3l-7.6 7.6'
        'a1.5 1.5 0 0 1-2.1-2.1l6.7-6.7"/>'
    ),
    "send": '<path d="M12 19V5.5M6 11.3l6-6 6 6"/>',
    "stop": '<rect x="7" y="7" width="10" height="10" rx="2" fill="{colour}"/>',
    "down": '<path d="M7 10l5 5 5-5"/>',
    "right": '<path d="M10 7l5 5-5 5"/>',
    "copy": (
        '<rect x="9" y="9" width="11" height="11" rx="2.5"/>'
        '<path d="M5.5 15A1.5 1.5 0 0 1 4 13.5v-8A1.5 1.5 0 0 1 5.5 4h8A1.5 1.5 0 0 1 15 5.5"/>'
    ),
    "again": '<path d="M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4v5h-5"/>',
    "why": '<circle cx="12" cy="12" r="8.5"/><path d="M9.6 9.5a2.5 2.5 0 1 1 3.4 2.3c-.7.3-1 .8-1'
    ' 1.6M12 16.6h.01"/>',
    "close": '<path d="M7 7l10 10M17 7L7 17"/>',
    "lock": (
        '<rect x="5.5" y="10.5" width="13" height="9.5" rx="2.5"/>'
        '<path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5"/>'
    ),
    "open": (
        '<rect x="5.5" y="10.5" width="13" height="9.5" rx="2.5"/>'
        '<path d="M8.5 10.5V8a3.5 3.5 0 0 1 6.8-1"/>'
    ),
    "file": (
        '<path d="M13.5 3.5H8A2.5 2.5 0 0 0 5.5 6v12A2.5 2.5 0 0 0 8 20.5h8a2.5 2.5 0 0 0 '
        '2.5-2.5V8.5zM13.5 3.5v5h5"/>'
    ),
    "tick": '<path d="M5.5 12.5l4.2 4.2 8.8-9"/>',
}
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" '
    'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">{strokes}</svg>'
)
DENSITIES = (1.0, 1.5, 2.0, 3.0)


@lru_cache(maxsize=256)
def icon(name: str, colour: str, size: int = 18) -> QIcon:
    """An icon of `size` logical pixels, with a picture for each density of screens."""
    strokes = STROKES[name].format(colour=colour)
    drawing = QSvgRenderer(QByteArray(_SVG.format(colour=colour, strokes=strokes).encode()))
    made = QIcon()
    for density in DENSITIES:
        picture = QPixmap(round(size * density), round(size * density))
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        drawing.render(painter)
        painter.end()
        picture.setDevicePixelRatio(density)
        made.addPixmap(picture)
    return made
