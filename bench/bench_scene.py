"""Masks into the MRML scene and back, as ratios to Slicer's own functions; 512 × 512 × 400 voxels.

Writing is the whole commit of a run with one segment: the mask's file of the session folder into a new segmentation
with name, colour, codes, tags, text node and place. Its peer is ``slicer.util.updateSegmentBinaryLabelmapFromArray``
into a segment that is there already. Reading is the segment as it is now into a file of the session folder; its peer is
``slicer.util.arrayFromSegmentBinaryLabelmap``. Peers get the mask on the whole grid, as they take and give it. By turns
in one process, least of several times; the masks are compared once.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHAPE = (400, 512, 512)
REPEATS = 5


def organ_mask() -> NDArray[np.uint8]:
    """A liver's size: an ellipsoid within 160 × 220 × 260 voxels."""
    mask = np.zeros(SHAPE, np.uint8)
    k, j, i = np.ogrid[-1:1:160j, -1:1:220j, -1:1:260j]
    mask[120:280, 150:370, 60:320] = k**2 + j**2 + i**2 <= 1
    return mask


def full_mask() -> NDArray[np.uint8]:
    """A patient's body: an elliptic cylinder that reaches all borders of the grid."""
    mask = np.zeros(SHAPE, np.uint8)
    j, i = np.ogrid[-1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    mask[:] = (j**2 + i**2 <= 1.0001)[None]
    return mask


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came back."""
    start = time.perf_counter()
    result = run()
    return 1000 * (time.perf_counter() - start), result


def ratios(slicer: Any, volume: Any, mask: NDArray[np.uint8], folder: Path) -> dict[str, float]:
    """Least times in ms: ``write``, ``write peer``, ``read``, ``read peer``; refuses to compare masks that differ."""
    from SEERSegmentLib.mrml.scene import MrmlScene
    from SEERSegmentLib.presenter.seams import Inputs
    from SEERSegmentLib.values import CroppedArray, Provenance, Reasoning, Target, TargetSpec
    from SEERSegmentLib.worker.files import read_mask, write_mask
    from SEERSegmentLib.worker.messages import RunReport, SegmentPiece

    target = Target("liver", "liver")
    cropped = write_mask(folder, f"mask-{int(mask.sum())}.npy", CroppedArray.of(mask))
    piece = SegmentPiece("liver", "liver", (221, 130, 101), None, target, 1.0, cropped, None)
    report = RunReport(
        "job", "", (), (), Reasoning((), (), "liver", "bench"), TargetSpec("liver", (target,)), (piece,), (),
        Provenance("bench", ()),
    )  # fmt: skip
    scene, inputs = MrmlScene(), Inputs(volume.GetID())
    update, export = slicer.util.updateSegmentBinaryLabelmapFromArray, slicer.util.arrayFromSegmentBinaryLabelmap
    times: dict[str, list[float]] = {"write": [], "write peer": [], "read": [], "read peer": []}
    for _ in range(REPEATS):
        taken, committed = timed(lambda: scene.commit(report, inputs, "liver", folder))
        times["write"].append(taken)
        taken, ((_, read),) = timed(lambda done=committed: scene.read_masks(done, folder))
        times["read"].append(taken)

        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        identifier = node.GetSegmentation().AddEmptySegment("liver")
        taken, _ = timed(lambda to=node, i=identifier: update(mask, to, i, volume))
        times["write peer"].append(taken)
        taken, peer = timed(lambda of=node, i=identifier: export(of, i, volume))
        times["read peer"].append(taken)
        if not np.array_equal(read_mask(folder, read).whole(), peer.astype(bool)):
            raise AssertionError("the masks differ")
        scene.undo(committed)
        slicer.mrmlScene.RemoveNode(node)
    return {what: min(taken) for what, taken in times.items()}


def longest_copy_step(volume: Any, folder: Path) -> tuple[float, int]:
    """Longest step of copying the volume into the session folder in ms, and how many there were."""
    from SEERSegmentLib.mrml.scene import MrmlScene

    begin, copying = timed(lambda: MrmlScene().copy_volume(volume.GetID(), folder))
    steps = [begin]
    share = 0.0
    while share < 1.0:
        taken, share = timed(copying.step)
        steps.append(taken)
    taken, _ = timed(copying.finish)
    return max(*steps, taken), len(steps)


def main() -> None:
    """Print the ratios and the bars."""
    from Testing.standin.core import boot_core

    slicer = boot_core()
    voxels = np.zeros(SHAPE, np.int16)
    voxels[:] = np.arange(SHAPE[0], dtype=np.int16)[:, None, None]
    volume = slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.diag([-0.7, -0.7, 1.0, 1.0]), name="large CT")
    del voxels
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("| what | SEER, ms | slicer.util, ms | slicer.util / SEER | bar |\n|---|---|---|---|---|")
        for title, mask, bar in (("organ-sized", organ_mask(), 5.0), ("full-extent", full_mask(), 2.5)):
            times = ratios(slicer, volume, mask, folder)
            for what in ("write", "read"):
                ratio = times[f"{what} peer"] / times[what]
                numbers = f"{times[what]:.0f} | {times[f'{what} peer']:.0f} | {ratio:.1f}"
                print(f"| {what}, {title} | {numbers} | ≥ {bar:g} |", flush=True)
        longest, steps = longest_copy_step(volume, folder)
        print(
            f"\nCopying the volume: {steps} steps, the longest {longest:.0f} ms (bar for a block of the panel: 50 ms)."
        )


if __name__ == "__main__":
    main()
