"""What the presenter needs of the world, as protocols: a scene, timers, a worker and a place for preferences.

In Slicer they are ``SEERSegmentLib.mrml`` and the small Qt classes of the module; in tests, plain Python.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..values import Modality
from ..worker.messages import AgreementReport, CroppedMask, RunReport, VolumeFile
from ..worker.wire import Order, Report
from .state import OverlapPolicy, ShownSegment

__all__ = ["Client", "Committed", "Copying", "Inputs", "Preferences", "Scene", "Timers"]


@dataclass(frozen=True)
class Inputs:
    """What the user chose in the panel's first section: MRML node ids, empty for none.

    An empty ``segmentation_id`` makes a new segmentation. ``modality`` is what the user says the volume is; UNKNOWN
    leaves it to the volume's DICOM tags and, without them, its intensities.
    """

    volume_id: str
    segmentation_id: str = ""
    roi_id: str = ""
    overlap: OverlapPolicy = OverlapPolicy.KEEP
    modality: Modality = Modality.UNKNOWN


class Copying(Protocol):
    """A volume on its way into the session folder, one slab per call, so that the application stays responsive."""

    def step(self) -> float:
        """Copy one slab; the share done, 1.0 at the end. Raises VolumeError ``volume-changed``, ``volume-gone``."""
        ...

    def finish(self) -> VolumeFile:
        """Check that the volume did not change meanwhile, and describe the file."""
        ...

    def abandon(self) -> None:
        """Stop and remove what was written."""
        ...


@dataclass(frozen=True)
class Committed:
    """What a run put into the scene; ``undo`` is the scene's own and only given back to it."""

    segmentation_id: str
    segments: tuple[ShownSegment, ...]
    undo: Any


class Scene(Protocol):
    """MRML as the presenter sees it. Every method runs in the application's main thread."""

    def copy_volume(self, volume_id: str, folder: Path) -> Copying:
        """Raises VolumeError: no such node, a non-linear transform, a colour volume …"""
        ...

    def crop(self, volume_id: str, roi_id: str) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Half-open voxel range (k, j, i) that the ROI covers. Raises VolumeError ``roi-outside``, ``roi-gone``."""
        ...

    def commit(self, report: RunReport, inputs: Inputs, request: str, folder: Path) -> Committed:
        """Write the segments, their terminology, provenance and reasoning. On an error the scene is as before."""
        ...

    def undo(self, committed: Committed) -> None:
        """Remove the node that the run made, or put the segmentation back to what it was."""
        ...

    def read_masks(self, committed: Committed, folder: Path) -> tuple[tuple[str, CroppedMask], ...]:
        """The segments as they are now, by name; a deleted one is empty."""
        ...

    def add_agreement(self, report: AgreementReport, volume_id: str, folder: Path) -> str:
        """A scalar volume of the agreement map on the volume's grid; its node id."""
        ...

    def exists(self, node_id: str) -> bool: ...


class Timers(Protocol):
    """Time, as the application's event loop gives it."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def call_later(self, milliseconds: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call once later; the result cancels it."""
        ...


class Preferences(Protocol):
    """The user's preferences; :mod:`.preferences` has the one table of names and defaults."""

    def get(self, name: str) -> Any: ...

    def set(self, name: str, value: Any) -> None: ...


class Client(Protocol):
    """The worker process as the presenter sees it: :class:`~..worker.client.WorkerClient`, or a test's own."""

    @property
    def folder(self) -> Path:
        """Of the session: voxels, masks and pictures."""
        ...

    def new_job(self) -> str: ...

    def send(self, order: Order, on_report: Callable[[Report], None]) -> None:
        """Reports of the order's job come to ``on_report`` until a final one. Raises ServiceError."""
        ...

    def cancel(self, job: str) -> None:
        """No report of the job is delivered from here on."""
        ...

    def discard(self, job: str) -> None:
        """Remove the files that the worker wrote for a job."""
        ...

    def close(self) -> None: ...
