"""Where a model's folder is: a path, or a repository of the Hugging Face hub in this machine's cache, at one commit.

A hub name can go on into the repository: ``organisation/name/folder/in/it``. Only a pinned commit is accepted: what a
branch points to may change under a user's feet. Nothing is fetched unless the caller says so.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import MissingExtra, ReasonerError, ServiceError, UsageError

__all__ = ["Found", "cache_folder", "find"]

_NAME = re.compile(r"(?!.*\.\.)([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)((?:/[\w.-]+)*)")
_COMMIT = re.compile(r"[0-9a-f]{40}")

#: The kinds of files that are fetched: weights in safetensors, and texts. No pickles, no Python.
_FETCHED = ("*.safetensors", "*.json", "*.txt", "*.jinja")


@dataclass(frozen=True)
class Found:
    """A folder, what it was asked for as, and the commit it is of (empty for a plain folder)."""

    folder: Path
    name: str
    revision: str = ""


def find(name: str, revision: str, *, download: bool, what: str = "model") -> Found:
    """The folder that a user's words for a model or an adapter mean.

    Parameters
    ----------
    name : str
        A folder, or ``organisation/name`` on the hub.
    revision : str
        Of the hub: a commit, 40 hex digits.
    download : bool
        Fetch what is not in the cache.
    what : {"model", "adapter"}

    Raises
    ------
    ReasonerError
        ``model-missing``.
    UsageError
        ``model-unpinned``.
    ServiceError
        ``model-download``.
    """
    with suppress(RuntimeError):  # "~nobody/…"
        if name and Path(name).expanduser().is_dir():
            return Found(Path(name).expanduser(), name)
    match = _NAME.fullmatch(name)
    if match is None:
        raise ReasonerError(f"There is no folder {name or '(no name was given)'} for the {what}.", code="model-missing")
    repository, inside = match[1], match[2].strip("/")
    if not _COMMIT.fullmatch(revision):
        option = "revision" if what == "model" else "adapter_revision"
        raise UsageError(
            f"There is no folder {name}. If the hub's {repository} is meant, say which commit of it: {option}= and its"
            " 40 hex digits.",
            code="model-unpinned",
        )
    snapshot = cache_folder() / f"models--{repository.replace('/', '--')}" / "snapshots" / revision
    if download:
        snapshot = _fetch(repository, revision, inside)
    folder = snapshot / inside
    if not folder.is_dir():
        raise ReasonerError(
            f"The {what} {name} is not on this machine at commit {revision[:12]}; download it first, or allow the"
            " download (download=yes).",
            code="model-missing",
            detail=str(folder),
        )
    return Found(folder, name, revision)


def cache_folder() -> Path:
    """The hub's cache on this machine, found as the hub's own client does; the client is not imported."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if value := os.environ.get(variable):
            return Path(value).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "huggingface" / "hub"


def _fetch(repository: str, revision: str, inside: str) -> Path:
    """The snapshot in the cache, completed from the hub (with ``HF_HUB_OFFLINE`` set, only looked up)."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise MissingExtra("The local reasoner", "local") from error
    patterns = [f"{inside}/{pattern}" if inside else pattern for pattern in _FETCHED]
    try:
        return Path(snapshot_download(repository, revision=revision, cache_dir=cache_folder(), allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise ServiceError(
            f"{repository} could not be downloaded at commit {revision[:12]}.",
            code="model-download",
            detail=f"{type(error).__name__}: {error}",
            retryable=True,
        ) from error
