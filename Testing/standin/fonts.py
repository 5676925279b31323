"""Text in pictures: the offscreen platform draws boxes where no font is installed."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication

__all__ = ["ensure_fonts", "offscreen_application"]


# What Qt lists although there is no font behind it.
_ALIASES = {"Monospace", "Sans Serif", "Serif"}


def _families() -> list[str]:
    return [family for family in QFontDatabase.families() if family not in _ALIASES]


def ensure_fonts(application: QApplication) -> str:
    """Choose a sans-serif family that exists and return its name.

    Installed fonts come first (Debian: ``fonts-dejavu-core``, and ``libfontconfig1`` to find them); else DejaVu out of
    matplotlib's package data, where that is installed.

    Raises
    ------
    RuntimeError
        There is no font at all, so a picture would show boxes.
    """
    if not _families():
        spec = importlib.util.find_spec("matplotlib")
        folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" if spec and spec.origin else Path()
        for file in sorted(folder.glob("DejaVuSans*.ttf")):
            QFontDatabase.addApplicationFont(str(file))
    families = _families()
    if not families:
        raise RuntimeError("no fonts: install the Debian package fonts-dejavu-core")
    family = next((f for f in ("Noto Sans", "DejaVu Sans", "Liberation Sans") if f in families), families[0])
    application.setFont(QFont(family, 9))
    return family


def offscreen_application() -> QApplication:
    """The process's Qt application, off screen unless a platform is asked for, with text that can be seen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication(["Slicer"])
    ensure_fonts(application)
    return application
