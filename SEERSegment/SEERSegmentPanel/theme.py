"""Colours that read well on Slicer's light and dark palettes, and icons drawn without a font."""

from __future__ import annotations

from dataclasses import dataclass

import qt

__all__ = ["Theme", "severity_icon", "swatch", "theme_of"]


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``: of text and frames, and for each kind of message its ink and its tinted ground."""

    dark: bool
    card: str
    border: str
    muted: str
    ink: dict
    tint: dict

    def card_style(self, name, kind="", edge=""):
        """Style sheet of the frame ``name``: rounded, tinted for ``kind``, with a coloured left ``edge``."""
        ground = self.tint.get(kind, self.card)
        line = self.ink[kind] if kind in self.tint else self.border
        left = f" border-left: 3px solid {self.ink[edge]};" if edge else ""
        return f"QFrame#{name} {{ background-color: {ground}; border: 1px solid {line}; border-radius: 5px;{left} }}"


_LIGHT = Theme(
    dark=False,
    card="#fbfcfd",
    border="#cfd6de",
    muted="#5a6572",
    ink={
        "info": "#1b66c9",
        "ok": "#1e7d3c",
        "warning": "#8a5a00",
        "error": "#c0271d",
        "evidence": "#1b66c9",
        "rationale": "#7a45b8",
        "answer": "#1e7d3c",
    },
    tint={"info": "#e9f2fd", "ok": "#e7f5ea", "warning": "#fff5db", "error": "#fdecea"},
)
_DARK = Theme(
    dark=True,
    card="#3a3e45",
    border="#565c66",
    muted="#b3bac4",
    ink={
        "info": "#7db7ff",
        "ok": "#7fd196",
        "warning": "#f0c350",
        "error": "#ff9b91",
        "evidence": "#7db7ff",
        "rationale": "#cda6f5",
        "answer": "#7fd196",
    },
    tint={"info": "#2b3b50", "ok": "#2a4031", "warning": "#484029", "error": "#4c302e"},
)


def theme_of(widget):
    """The theme that fits the palette of ``widget``."""
    ground = widget.palette.color(qt.QPalette.Active, qt.QPalette.Window)
    return _DARK if ground.lightness() < 128 else _LIGHT


def severity_icon(severity, colour, size=16):
    """A pixmap for a severity: a disc with an i, a triangle with a stroke, a disc with a cross, or a tick."""
    pixmap = qt.QPixmap(4 * size, 4 * size)  # drawn large and reduced: smooth without depending on the screen
    pixmap.fill(qt.QColor(0, 0, 0, 0))
    painter = qt.QPainter()
    painter.begin(pixmap)
    painter.setRenderHint(qt.QPainter.Antialiasing, True)
    painter.scale(4.0 * size / 16, 4.0 * size / 16)
    pen = qt.QPen(qt.QColor(colour))
    pen.setWidthF(1.6)
    painter.setPen(pen)
    for x0, y0, x1, y1 in _STROKES[severity]:
        painter.drawLine(x0, y0, x1, y1)
    if severity in ("info", "error"):
        painter.drawEllipse(1, 1, 14, 14)
    painter.end()
    return pixmap.scaled(size, size, qt.Qt.KeepAspectRatio, qt.Qt.SmoothTransformation)


#: Lines on a 16 × 16 grid.
_STROKES = {
    "info": ((8, 7, 8, 12), (8, 4, 8, 4)),
    "warning": ((8, 1, 15, 14), (15, 14, 1, 14), (1, 14, 8, 1), (8, 6, 8, 9), (8, 12, 8, 12)),
    "error": ((5, 5, 11, 11), (5, 11, 11, 5)),
    "ok": ((2, 9, 6, 13), (6, 13, 14, 3)),
    "run": ((4, 2, 13, 8), (13, 8, 4, 14), (4, 14, 4, 2)),
    "stop": ((3, 3, 13, 3), (13, 3, 13, 13), (13, 13, 3, 13), (3, 13, 3, 3)),
}


def swatch(rgb, size=14):
    """An icon filled with a segment's colour, (r, g, b) in 0..255."""
    pixmap = qt.QPixmap(size, size)
    pixmap.fill(qt.QColor(*(int(part) for part in rgb)))
    icon = qt.QIcon(pixmap)
    icon.addPixmap(pixmap, qt.QIcon.Selected)  # a selected row must not tint it
    return icon
