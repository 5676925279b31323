"""The module ``ctk`` of the stand-in: our own PySide6 widgets behind proxies."""

from __future__ import annotations

import sys
from types import ModuleType

from . import ctkcollapsible, ctkpaths, ctkwidgets
from .pythonqt import register_class
from .qtmodule import make_module

__all__ = ["WIDGETS", "ctk", "install"]

WIDGETS = (
    ctkcollapsible.ctkCollapsibleButton,
    ctkcollapsible.ctkCollapsibleGroupBox,
    ctkcollapsible.ctkExpandableWidget,
    ctkwidgets.ctkCheckBox,
    ctkwidgets.ctkComboBox,
    ctkpaths.ctkDirectoryButton,
    ctkwidgets.ctkDoubleSpinBox,
    ctkwidgets.ctkFittedTextBrowser,
    ctkwidgets.ctkMenuButton,
    ctkpaths.ctkPathLineEdit,
    ctkwidgets.ctkPushButton,
    ctkwidgets.ctkSliderWidget,
)
for _widget in WIDGETS:
    register_class(_widget.__name__, _widget)

ctk = make_module("ctk", "ctk's widgets as PythonQt shows them.")


def install() -> ModuleType:
    """Put ``ctk`` where ``import ctk`` finds it."""
    sys.modules["ctk"] = ctk
    return ctk
