"""Which recorded members the stand-in builds, and which only raise NotImplementedError when they are used."""

from __future__ import annotations

from dataclasses import dataclass

from .calls import meta_object, native_function, property_substitute, substitute_for
from .pythonqt import proxy_class
from .signals import native_signal
from .surface import surface

__all__ = ["Coverage", "coverage"]


@dataclass(frozen=True)
class Coverage:
    """The members of one class, by what the stand-in does with them."""

    properties: frozenset[str]
    methods: frozenset[str]
    signals: frozenset[str]
    not_built: frozenset[str]

    @property
    def built(self) -> int:
        """How many members work."""
        return len(self.properties) + len(self.methods) + len(self.signals)


def coverage(name: str) -> Coverage:
    """Sort the members of a class.

    Raises
    ------
    NotImplementedError
        The class is recorded but not built at all.
    """
    cls = proxy_class(name)
    record, native = surface().record(name), cls._native_class
    meta = meta_object(native)
    properties = {
        p
        for p in record.properties
        if property_substitute(native, p) or (meta is not None and meta.indexOfProperty(p) >= 0)
    }
    named = {s.name for s in record.signals}
    methods = {
        m
        for m in (record.methods | record.functions) - named
        if native_function(native, m) or substitute_for(native, m, name)
    }
    signals = {s.signature for s in record.signals if meta is not None and native_signal(meta, s)}
    wanted = (
        set(record.properties) | ((record.methods | record.functions) - named) | {s.signature for s in record.signals}
    )
    not_built = wanted - properties - methods - signals
    return Coverage(frozenset(properties), frozenset(methods), frozenset(signals), frozenset(not_built))
