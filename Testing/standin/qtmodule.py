"""The module ``qt`` of the stand-in: Qt's classes as PythonQt shows them."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from .proxies import Marker
from .pythonqt import proxy_class
from .surface import surface

__all__ = ["install", "qt"]


class Signal(Marker):
    """``qt.Signal``."""


class Slot(Marker):
    """``qt.Slot``."""


class Property(Marker):
    """``qt.Property``."""


# The application was recorded with this Qt.
_FUNCTIONS: dict[str, Any] = {"Signal": Signal, "Slot": Slot, "Property": Property, "qVersion": lambda: "5.15.8"}


class _Module(ModuleType):
    """Names of the application's module, made when first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in surface().names(self.__name__):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        if self.__name__ == "qt" and name in _FUNCTIONS:
            return _FUNCTIONS[name]
        return proxy_class(name)

    def __dir__(self) -> list[str]:
        return sorted(surface().names(self.__name__))


def make_module(name: str, about: str) -> ModuleType:
    """A module whose names are those recorded for it."""
    return _Module(name, about)


qt = make_module("qt", "Qt as PythonQt shows it.")


def install() -> ModuleType:
    """Put ``qt`` where ``import qt`` finds it."""
    sys.modules["qt"] = qt
    return qt
