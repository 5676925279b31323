"""Calls from proxies into PySide6: the function, the arguments, and PythonQt's words when they don't fit."""

from __future__ import annotations

import inspect
import keyword
from functools import cache
from typing import Any

from PySide6 import QtCore

from . import substitutes
from .values import bind, overloads


def native_function(native_class: type, name: str) -> Any:
    """The function of a PySide6 class, or None."""
    found = getattr(native_class, name + "_" if keyword.iskeyword(name) else name, None)
    return found if callable(found) and type(found).__name__ != "Signal" else None


def substitute_for(native_class: type | None, name: str, own: str) -> Any:
    """Our own version of a method, looked up along the class's bases."""
    bases = [base.__name__ for base in native_class.__mro__] if native_class is not None else []
    for base in [own, *bases, "*"]:
        if (base, name) in substitutes.METHODS:
            return substitutes.METHODS[base, name]
    return None


def property_substitute(native_class: type, name: str) -> Any:
    """Reader and writer of a property that Qt 6 lacks, or None."""
    for base in native_class.__mro__:
        if (base.__name__, name) in substitutes.PROPERTIES:
            return substitutes.PROPERTIES[base.__name__, name]
    return None


@cache
def _probe(native_class: type) -> Any:
    return type(native_class)(native_class.__name__, (native_class,), {})


def meta_object(native_class: type) -> QtCore.QMetaObject | None:
    """The meta object with a class's properties and signals; None for a class that is no QObject.

    It is that of an empty subclass: PySide6 ties ``QLabel.staticMetaObject`` to the life of any label that was asked
    for its ``metaObject()``.
    """
    if not issubclass(native_class, QtCore.QObject):
        return None
    return _probe(native_class).staticMetaObject


def is_static(native_class: type, name: str) -> bool:
    """Whether a function is called without an object."""
    if name in substitutes.STATICS:
        return True
    found = next((vars(b)[name] for b in native_class.__mro__ if name in vars(b)), None)
    return isinstance(found, staticmethod | classmethod) or inspect.isbuiltin(found)


def refuse_keywords(shown: str, kwargs: dict[str, Any]) -> None:
    """PythonQt takes no keyword arguments.

    Raises
    ------
    ValueError
        There are some.
    """
    if kwargs:
        raise ValueError(f"Called {shown} with keyword arguments, but called slot does not support kwargs.")


def mismatch(shown: str, function: Any, args: tuple[Any, ...]) -> ValueError:
    """The error for arguments that fit no overload."""
    known = overloads(function)
    listed = "\n".join(f"{shown}{s}" for s in known)
    if len(known) == 1:
        return ValueError(f"Called {listed} with wrong arguments: {args}")
    return ValueError(
        f"Could not find matching overload for given arguments:\n{args}\n The following slots are available:\n{listed}"
    )


def arguments_for(shown: str, function: Any, args: tuple[Any, ...], skip_self: bool, unwrap: Any) -> list[Any]:
    """The arguments as PySide6 takes them.

    Raises
    ------
    ValueError
        They fit no overload.
    """
    if inspect.isfunction(function):
        # One of our own widgets: plain Python, so only the number of arguments is known.
        converted = [unwrap(a) for a in args]
        try:
            inspect.signature(function).bind(*([None] if skip_self else []), *converted)
        except TypeError:
            raise ValueError(f"Called {shown} with wrong number of arguments: {args}") from None
        return converted
    fitted = bind(function, args, skip_self, unwrap)
    if fitted is None:
        raise mismatch(shown, function, args)
    return fitted


def construct(shown: str, native_class: type, made_class: type, args: tuple[Any, ...], unwrap: Any) -> Any:
    """Make the PySide6 object for a proxy; ``made_class`` is ``native_class`` or its shell for a Python subclass."""
    maker = substitutes.CONSTRUCTORS.get(native_class.__name__)
    if maker is not None:
        replaced = maker(*args)
        if replaced is not None:
            return replaced
    first_own = next(b for b in native_class.__mro__ if "__init__" in vars(b))
    if inspect.isfunction(vars(first_own)["__init__"]):
        function: Any = vars(first_own)["__init__"]
    else:
        function = first_own
    converted = arguments_for(shown, function, args, True, unwrap)
    try:
        return made_class(*converted)
    except TypeError as error:
        raise ValueError(f"Called {shown} with wrong arguments: {args} ({error})") from None
