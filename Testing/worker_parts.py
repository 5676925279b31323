"""Reasoners and backbones that misbehave, for tests of the worker; :func:`installed` makes them third parties' parts.

They are imported by a real worker process, through entry points of a distribution in a folder on its PYTHONPATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from SEERSegmentLib.protocols import BackboneInfo, CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from SEERSegmentLib.values import Evidence, Mask, Modality, Progress, Reasoning, Stage, TargetSpec, Volume

ANSWER = Reasoning((), (), "right lung", "test")


class TestReasoner:
    """Answers at once; the others do something else first."""

    __test__ = False
    info = ReasonerInfo("test", "1", "For tests.")

    def __init__(self, key: str = "", mark: str = "") -> None:
        self.key, self.mark = key, mark

    def readiness(self) -> Readiness:
        return Readiness(True)

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning:
        self.act(emit, cancel)
        return ANSWER

    def act(self, emit: Emit, cancel: CancelToken) -> None: ...


class Chatty(TestReasoner):
    """Prints where it should not, in three ways."""

    def act(self, emit: Emit, cancel: CancelToken) -> None:
        print("printed by a library")
        sys.stdout.flush()
        os.write(1, b'{"$":"CancelledReport","job":"written by a library"}\n')
        subprocess.run([sys.executable, "-c", "print('printed by a child')"], check=True)
        assert sys.stdin.read() == ""  # and it does not take the orders away


class Endless(TestReasoner):
    """Works until it is cancelled, and looks every now and then whether it is."""

    def act(self, emit: Emit, cancel: CancelToken) -> None:
        emit(Progress(Stage.REASON, None, f"made {id(self)}"))
        while True:
            cancel.check()
            time.sleep(0.005)


class Deaf(TestReasoner):
    """Never looks."""

    def act(self, emit: Emit, cancel: CancelToken) -> None:
        emit(Progress(Stage.REASON, None, "deaf"))
        time.sleep(600)


class Parent(TestReasoner):
    """Has a child, whose id it tells."""

    def act(self, emit: Emit, cancel: CancelToken) -> None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        emit(Progress(Stage.REASON, None, f"child {child.pid}"))
        time.sleep(600)


class Careless(TestReasoner):
    """Quotes its key in an error."""

    def act(self, emit: Emit, cancel: CancelToken) -> None:
        raise ValueError(f"the header Bearer {self.key} is not right")


class Hungry(TestReasoner):
    def act(self, emit: Emit, cancel: CancelToken) -> None:
        raise MemoryError


class Leaving(TestReasoner):
    def act(self, emit: Emit, cancel: CancelToken) -> None:
        sys.exit(3)


class Odd(TestReasoner):
    """Returns what no message can hold."""

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning:
        return replace(ANSWER, evidence=(Evidence("odd", "odd", object()),))  # type: ignore[arg-type]


class Remote(TestReasoner):
    """Sends snapshots, and leaves a mark wherever it is made."""

    info = ReasonerInfo("remote", "1", "For tests.", offline=False, needs=("network",))

    def __init__(self, key: str = "", mark: str = "") -> None:
        super().__init__(key, mark)
        if mark:
            Path(mark).touch()


class Unready(TestReasoner):
    def readiness(self) -> Readiness:
        return Readiness(False, "Download its weights.")


class Wrecked(TestReasoner):
    def __init__(self) -> None:
        raise OSError("libcudart.so.12: cannot open shared object file")


class Quoting(TestReasoner):
    """Quotes its key in an error as soon as it is made."""

    def __init__(self, key: str = "", mark: str = "") -> None:
        if key:
            raise ValueError(f"the key {key} is not right")
        super().__init__(key, mark)


class Cloud:
    """A backbone that sends the volume."""

    info = BackboneInfo("cloud", "1", "For tests.", frozenset({"label"}), frozenset(Modality), offline=False)

    def readiness(self) -> Readiness:
        return Readiness(True)

    def segment(self, volume: Volume, spec: TargetSpec, emit: Emit, cancel: CancelToken) -> Sequence[Mask]:
        return [Mask(np.zeros(volume.shape, bool), volume.affine, target) for target in spec.targets]


_BLOCKER = """
import importlib.abc, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"rapidfuzz", "slicerio", "nrrd", "rich", "nibabel", "psutil", "torch", "pandas"}:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)

sys.meta_path.insert(0, Blocker())
"""

REASONERS = (Chatty, Endless, Deaf, Parent, Careless, Hungry, Leaving, Odd, Remote, Unready, Wrecked, Quoting)


def installed(folder: Path) -> dict[str, str]:
    """Lay these parts into a folder as a distribution; the environment that makes a process see them.

    That process also has no package but what 3D Slicer bundles.
    """
    (folder / "sitecustomize.py").write_text(_BLOCKER)
    shutil.copy(__file__, folder / "worker_parts.py")
    about = folder / "worker_parts-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: worker-parts\nVersion: 1.0\n")
    reasoners = [f"{kind.__name__.lower()} = worker_parts:{kind.__name__}" for kind in REASONERS]
    lines = ["[seer.reasoners]", *reasoners, "absent = a_package_that_is_not_there:X"]
    lines += ["[seer.backbones]", "cloud = worker_parts:Cloud"]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return {"PYTHONPATH": str(folder)}


def volume_file(folder: Path, volume: Volume, name: str = "volume.npy", **more: Any) -> Any:
    """A volume in a session folder, as the panel lays it there."""
    from SEERSegmentLib.worker.files import create_array
    from SEERSegmentLib.worker.messages import VolumeFile

    voxels, file = create_array(folder, name, volume.voxels.dtype, volume.shape)
    voxels[:] = volume.voxels
    return VolumeFile(file, tuple(tuple(map(float, row)) for row in volume.affine), **more)
