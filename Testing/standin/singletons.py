"""None, True and False that can't be used up.

PySide6's wheels give them out without taking a reference. From Python 3.12 on that is right, since they are immortal
there; before, each call of a Qt method that returns nothing takes one reference of None away, and after some ten
thousand calls the interpreter aborts.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["make_immortal"]

_MANY = 1 << 40


def make_immortal() -> None:
    """Give the three more references than a process can use up; does nothing from Python 3.12 on."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython" or hasattr(sys, "gettotalrefcount"):
        return
    for single in (None, True, False):
        count = ctypes.c_ssize_t.from_address(id(single))  # the first field of an object
        if count.value < _MANY:
            count.value += _MANY
