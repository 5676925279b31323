"""What PythonQt exposes in the real 3D Slicer, read from ``Testing/data``.

Two files: ``pythonqt-surface.json`` was written by introspection inside the application and is what the stand-in obeys;
``qt5-members.json`` lists the Qt 5.15 members of a few classes that exist in the application but were not
introspected there (events, ``Qt``, ``QObject`` …). A class in neither file is not available to the panel.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "data"


@dataclass(frozen=True)
class SignalRecord:
    """One signal overload: ``clicked(bool)`` has the name ``clicked`` and the parameters ``("bool",)``."""

    signature: str
    name: str
    parameters: tuple[str, ...]

    @classmethod
    def parse(cls, signature: str) -> SignalRecord:
        """Read a normalised signature; blanks are dropped as Qt does."""
        text = normalised(signature)
        name, _, rest = text.partition("(")
        inner = rest[:-1]
        return cls(text, name, tuple(inner.split(",")) if inner else ())


def normalised(signature: str) -> str:
    """A signature as Qt writes it: no blanks, no ``const … &`` around a value."""
    text = signature.replace(" ", "")
    name, bracket, rest = text.partition("(")
    if not bracket or not rest.endswith(")"):
        return text
    parts = [p.removeprefix("const").removesuffix("&") if p.endswith("&") else p for p in rest[:-1].split(",")]
    return f"{name}({','.join(parts)})"


@dataclass(frozen=True)
class ClassRecord:
    """The members of one class, inherited ones included.

    ``properties`` maps a name to ``(type, writable)``; ``functions`` are statics recorded where an instance property of
    the same name stands (``QTimer.singleShot``); ``seen`` is False for the Qt 5.15 records.
    """

    name: str
    properties: dict[str, tuple[str, bool]]
    methods: frozenset[str]
    signals: tuple[SignalRecord, ...]
    enums: dict[str, int]
    types: frozenset[str]
    functions: frozenset[str] = frozenset()
    seen: bool = True
    is_object: bool = True
    members: frozenset[str] = field(default=frozenset())

    def signals_named(self, name: str) -> tuple[SignalRecord, ...]:
        """The overloads of a signal, in the order PythonQt tries them: the first is the one ``obj.name`` means."""
        return tuple(s for s in self.signals if s.name == name)

    def signal(self, signature: str) -> SignalRecord | None:
        """The overload with that signature, or None."""
        wanted = normalised(signature)
        return next((s for s in self.signals if s.signature == wanted), None)


def _record(name: str, entries: list[dict[str, Any]], seen: bool) -> ClassRecord:
    properties: dict[str, tuple[str, bool]] = {}
    functions: set[str] = set()
    methods: set[str] = set()
    signals: dict[str, SignalRecord] = {}
    enums: dict[str, int] = {}
    types: set[str] = set()
    # own entries come last, so that they win over the parent's
    for entry in entries:
        for member, kind in entry.get("property", {}).items():
            if kind == "function":
                functions.add(member)
            else:
                properties[member] = (kind.removesuffix(" (read-only)"), not kind.endswith("(read-only)"))
        methods.update(entry.get("method", ()))
        enums.update(entry.get("enum", {}))
        types.update(entry.get("other", {}))
    for entry in reversed(entries):
        for signature in entry.get("signal", ()):
            signals.setdefault(normalised(signature), SignalRecord.parse(signature))
    methods -= properties.keys()
    members = frozenset(properties) | methods | frozenset(enums) | types | functions
    is_object = "objectName" in properties
    return ClassRecord(
        name,
        properties,
        frozenset(methods),
        tuple(signals.values()),
        enums,
        frozenset(types),
        frozenset(functions),
        seen,
        is_object,
        members | ({"name"} if is_object else set()),
    )


class Surface:
    """Both files, with look-ups."""

    def __init__(self, folder: Path = DATA) -> None:
        self._seen = json.loads((folder / "pythonqt-surface.json").read_text(encoding="utf-8"))
        self._qt5 = json.loads((folder / "qt5-members.json").read_text(encoding="utf-8"))["classes"]
        self.behaviour: dict[str, str] = self._seen["behaviour"]
        self._records: dict[str, ClassRecord] = {}
        self._made = tuple(n for n, e in self._seen["classes"].items() if "not instantiated" not in e)
        self._known = frozenset((*self._made, *self._qt5))

    def names(self, module: str) -> frozenset[str]:
        """The names that ``qt``, ``ctk``, ``slicer``, ``slicer.util`` or ``slicer.modules`` has in the application."""
        return frozenset(self._seen[module])

    def class_names(self) -> tuple[str, ...]:
        """Every class that was introspected and could be made."""
        return self._made

    def has(self, name: str) -> bool:
        """Whether the class's members are known, from the application or from Qt 5.15."""
        return name in self._known

    def record(self, name: str) -> ClassRecord:
        """The members of a class.

        Raises
        ------
        KeyError
            Neither file knows the class.
        """
        if name not in self._records:
            self._records[name] = self._read(name)
        return self._records[name]

    def _read(self, name: str) -> ClassRecord:
        entry = self._seen["classes"].get(name)
        if entry is None or "not instantiated" in entry:
            return _record(name, [self._qt5[name]], seen=False)
        entries = [entry]
        while "inherits" in entry:
            entry = self._seen["classes"][entry["inherits"]]
            entries.insert(0, entry)
        return _record(name, entries, seen=True)


@cache
def surface() -> Surface:
    """The one surface of this process."""
    return Surface()
