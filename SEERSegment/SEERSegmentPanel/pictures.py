"""Views as pictures on the screen: scaled, with the patient directions written over a copy of them."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

__all__ = ["caption", "lettered"]

#: Along the normal of each plane: the direction of positive RAS coordinates, and its opposite.
_NORMAL = {"axial": ("S", "I"), "coronal": ("A", "P"), "sagittal": ("R", "L")}


def caption(view):
    """Plane and position, as ``"Axial · I 170.2 mm"``: so far below the origin of the patient's coordinates."""
    names = {"axial": _("Axial"), "coronal": _("Coronal"), "sagittal": _("Sagittal")}
    plane = names[view.plane.value]
    if view.position_mm is None:
        return _("{plane} projection").format(plane=plane)
    letter = _NORMAL[view.plane.value][view.position_mm < 0]
    return f"{plane} · {letter} {abs(view.position_mm):.1f} mm"


def lettered(png, letters, width, height):
    """A pixmap of a PNG file's bytes, at most ``width`` × ``height``, letters at top, right, bottom and left.

    Returns None where they are no picture.
    """
    pixmap = qt.QPixmap()
    if not png or not pixmap.loadFromData(qt.QByteArray(png)):
        return None
    pixmap = pixmap.scaled(width, height, qt.Qt.KeepAspectRatio, qt.Qt.SmoothTransformation)
    font = qt.QFont()
    font.setPixelSize(max(10, min(pixmap.width(), pixmap.height()) // 14))
    font.setBold(True)
    metrics = qt.QFontMetrics(font)
    painter = qt.QPainter()
    painter.begin(pixmap)
    painter.setFont(font)
    across, down = pixmap.width(), pixmap.height()
    rise = metrics.ascent()
    for text, side in zip(letters, ("top", "right", "bottom", "left"), strict=True):
        wide = metrics.horizontalAdvance(text)
        x = {"left": 4, "right": across - wide - 4}.get(side, (across - wide) // 2)
        y = {"top": rise + 2, "bottom": down - 5}.get(side, (down + rise) // 2)
        _outlined(painter, x, y, text)
    painter.end()
    return pixmap


def _outlined(painter, x, y, text):
    """Yellow on a black rim, readable on lung and on bone."""
    painter.setPen(qt.QColor(0, 0, 0))
    for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        painter.drawText(x + dx, y + dy, text)
    painter.setPen(qt.QColor(255, 226, 110))
    painter.drawText(x, y, text)
