"""The user's preferences: one table of names, defaults and meanings; :mod:`.choices` makes the parts of a run of them.

They are kept in a store that may return every value as text after a restart, as QSettings does. A value that can't be
read falls back to its default, with a line in the log.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .choices import AUTOMATIC
from .history import MAX_HISTORY
from .seams import Preferences
from .state import OverlapPolicy

__all__ = [
    "DEFAULTS",
    "TABLE",
    "Preference",
    "PreferenceTable",
    "Store",
    "default_episode_folder",
    "episode_folder",
]


@dataclass(frozen=True)
class Preference:
    """A row of the table. Its type is that of ``default``; ``choices``, or ``low`` to ``high``, is what it may be."""

    name: str
    default: Any
    doc: str
    choices: tuple[str, ...] = ()
    low: int = 0
    high: int = 2**31 - 1

    def read(self, value: Any) -> Any:
        """A stored or given value, in this preference's type. Raises ValueError."""
        readers: dict[type, Callable[[Any], Any]] = {
            bool: _boolean,
            int: self._whole,
            str: self._text,
            list: _texts,
            dict: _lists_of_texts,
        }
        return readers[type(self.default)](value)

    def _whole(self, value: Any) -> int:
        wrong = ValueError(f"not a whole number from {self.low} to {self.high}")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise wrong
        try:
            number = int(value)
        except (ValueError, OverflowError):
            raise wrong from None  # Python's own words repeat the value
        if (number != value and not isinstance(value, str)) or not self.low <= number <= self.high:
            raise wrong
        return number

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("not text")
        if self.choices and value not in self.choices:
            raise ValueError(f"not one of {', '.join(self.choices)}")
        return value


_IDS = ("mask", "refuse", "send")
_TEMPLATES = ("seer", "official", "official-v1.0", "custom")

TABLE: tuple[Preference, ...] = (
    Preference(
        "reasonerKind", "embedded", "Who reads the request: embedded, local, remote, medvol, or a name of the registry."
    ),
    Preference("tablesFirst", False, "The model is asked only where the embedded tables abstain or are unsure."),
    Preference("localModel", "", "Folder of the local model, or its name on the hub."),
    Preference("localRevision", "", "Commit of the local model, where its name is one of the hub."),
    Preference("localAdapter", "", "Folder of an adapter on top of it, or its name on the hub; empty for none."),
    Preference("adapterRevision", "", "Commit of the adapter, where its name is one of the hub."),
    Preference("download", False, "Fetch from the hub what is not on this computer."),
    Preference("remoteUrl", "", "Address of the remote reasoner's server."),
    Preference("remoteModel", "", "Model to ask that server for; empty for its first."),
    Preference("remoteKey", "", "Key for that server; kept in memory only, unless rememberKey."),
    Preference("rememberKey", False, "Write remoteKey to the settings file, in clear."),
    Preference("identifiers", "mask", "What becomes of names and numbers of patients in a request to a server.", _IDS),
    Preference("template", "seer", "Words that a model is asked in.", _TEMPLATES),
    Preference("officialCheckout", "", "Checkout of the official repository, for its words."),
    Preference("templateFile", "", "File with words of one's own."),
    Preference("rephrasings", 0, "Rephrasings that a model is asked beside the request; the majority counts.", high=16),
    Preference("medvolModel", "local", "Where the model of MedVol-R1 is.", ("local", "remote")),
    Preference("medvolScale", "relative-1000", "Scale of the boxes in its replies.", ("relative-1000", "pixels")),
    Preference("medvolNumbering", "shown", "How its slices are numbered.", ("shown", "source")),
    Preference("backbone", "classical", "Who segments: a name of the registry."),
    Preference("referenceLabels", "", "Label map that the backbone 'reference' answers from."),
    Preference("preset", AUTOMATIC, "Views that the reasoner sees.", (AUTOMATIC, "multi-view", "seer-v1")),
    Preference("device", "auto", "Device that models run on: auto, cpu, cuda, cuda:1."),
    Preference("overlap", OverlapPolicy.KEEP.value, "New segments on old ones.", tuple(p.value for p in OverlapPolicy)),
    Preference("phrasings", 8, "Rephrasings that 'Check phrasing' runs.", low=1, high=64),
    Preference("seed", 0, "Seed of the rephrasings."),
    Preference("idleMinutes", 10, "The worker ends after this time without a job.", low=1, high=24 * 60),
    Preference("episodeFolder", "", "Where reviewed episodes are kept; empty for the user's data folder."),
    Preference("history", [], f"Requests that were run, newest first, at most {MAX_HISTORY}."),
    Preference(
        "consents", {}, "Server → what may be sent to it without asking: snapshots, slices, identifiers, volume."
    ),
    Preference("lightPackagesAsked", False, "The user was asked about the optional light packages."),
)

_BY_NAME = {row.name: row for row in TABLE}

#: Name → default of all preferences. Copy a list or dict before changing it.
DEFAULTS: Mapping[str, Any] = {row.name: row.default for row in TABLE}


class Store(Protocol):
    """Where values stay between sessions: the application's settings."""

    def get(self, name: str) -> Any:
        """The value as stored, perhaps as text; None where there is none."""
        ...

    def set(self, name: str, value: Any) -> None: ...

    def remove(self, name: str) -> None: ...


class PreferenceTable:
    """The preferences of a user in a Store. The key stays in memory unless ``rememberKey`` is set."""

    def __init__(self, store: Store, on_log: Callable[[str], None] | None = None) -> None:
        self._store = store
        self._on_log = on_log
        self._reported: set[str] = set()
        self._key: str | None = None

    def get(self, name: str) -> Any:
        """A preference in its type; its default where nothing usable is stored. Raises KeyError for another name."""
        row = _BY_NAME[name]
        if name == "remoteKey" and (self._key is not None or not self.get("rememberKey")):
            return self._key or ""
        stored = self._store.get(name)
        if stored is None:
            return copy.deepcopy(row.default)
        try:
            return row.read(stored)
        except ValueError as error:  # the value itself is not logged: it may be a key in the wrong place
            if self._on_log is not None and name not in self._reported:
                self._reported.add(name)  # once, and before: whoever logs may look at a preference
                self._on_log(f"The preference {name} can't be read ({error}); its default is used.")
            return copy.deepcopy(row.default)

    def set(self, name: str, value: Any) -> None:
        """Keep a value. Raises KeyError for an unknown name, ValueError for a value that it can't have."""
        value = _BY_NAME[name].read(value)
        if name == "remoteKey":
            self._key = value
            self._keep_key(self.get("rememberKey"))
        elif name == "rememberKey":
            key = self.get("remoteKey")  # before the switch is thrown: it decides where the key is read from
            self._key = key
            self._store.set(name, value)
            self._keep_key(value)
        else:
            self._store.set(name, json.dumps(value) if isinstance(value, list | dict) else value)

    def _keep_key(self, remember: bool) -> None:
        if remember and self._key:
            self._store.set("remoteKey", self._key)
        else:
            self._store.remove("remoteKey")


def episode_folder(preferences: Preferences) -> str:
    """The folder of the reviewed episodes: the user's choice, or the default."""
    chosen = preferences.get("episodeFolder")
    return str(Path(chosen).expanduser()) if chosen else default_episode_folder()


def default_episode_folder() -> str:
    """The episodes in the user's data folder, where this platform keeps such."""
    from ..episodes import default_folder  # not before it is asked for: opening the panel needs no store

    return str(default_folder())


def _boolean(value: Any) -> bool:
    words = {"true": True, "1": True, "false": False, "0": False}
    word = str(value).lower()
    if not isinstance(value, bool | int | str) or word not in words:
        raise ValueError("neither true nor false")
    return words[word]


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError("not written as a list or table") from error


def _texts(value: Any) -> list[str]:
    value = _parsed(value)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("not a list of texts")
    return list(value)


def _lists_of_texts(value: Any) -> dict[str, list[str]]:
    value = _parsed(value)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError("not a table of lists")
    return {key: _texts(items) for key, items in value.items()}
