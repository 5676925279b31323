"""What a module leaves behind: threads, nodes, observers, processes. Taken before and after, the two must agree."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Any

__all__ = ["MARK", "Footprint", "marked_processes", "observer_count", "take"]

#: In the environment of whatever this process starts, however deep.
MARK = "SEER_STANDIN_PROCESS"


@dataclass(frozen=True)
class Footprint:
    """Names of threads, node ids, observers by object, and processes; equal where nothing was left behind."""

    threads: tuple[str, ...]
    nodes: tuple[str, ...]
    observers: tuple[tuple[str, int], ...]
    processes: tuple[str, ...]


def observer_count(subject: Any) -> int:
    """How many observers a VTK object has, as its own printout lists them; MRML nodes don't list theirs."""
    return str(subject).count("vtkObserver (")


def observed_events(node: Any) -> int:
    """How many kinds of event of a node have an observer: ModifiedEvent, and MRML's own."""
    return sum(bool(node.HasObserver(event)) for event in (33, *range(16000, 17200)))


def marked_processes() -> tuple[str, ...]:
    """Command lines of living processes that descend from this one, also where their parents are gone."""
    import psutil

    own, found = str(os.getpid()), []
    for process in psutil.process_iter():
        try:
            ours = process.pid != os.getpid() and process.environ().get(MARK) == own
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.Error, OSError):
            continue
    return tuple(sorted(found))


def take(slicer: Any) -> Footprint:
    """The state of this process and of the scene now."""
    scene = slicer.mrmlScene
    collection = scene.GetNodes()
    nodes = [collection.GetItemAsObject(index) for index in range(collection.GetNumberOfItems())]
    watched = [("scene", scene), ("application logic", slicer.app.applicationLogic())]
    observers = [(name, observer_count(each)) for name, each in watched]
    observers += [(node.GetID(), observed_events(node)) for node in nodes if not node.IsA("vtkMRMLColorNode")]
    return Footprint(
        tuple(sorted(thread.name for thread in threading.enumerate())),
        tuple(sorted(node.GetID() for node in nodes)),
        tuple(sorted(observers)),
        marked_processes(),
    )
