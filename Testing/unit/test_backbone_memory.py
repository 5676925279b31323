"""Peak memory of the embedded backbone, measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_CHILD = """
import numpy as np
import scipy.ndimage, SimpleITK
from SEERSegmentLib.anatomy import load_vocabulary
from SEERSegmentLib.backbones.classical import ClassicalBackbone, body, chest, fat, skeleton
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.protocols import CancelToken, ignore_progress
from SEERSegmentLib.values import Target, TargetSpec, Volume

def peak():  # VmHWM, not ru_maxrss: that one starts at the size of the process which started this one
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["VmHWM"].split()[0]) * 1024

load_vocabulary()
small, _ = chest_phantom(5.0)
shape = (200, 256, 256)
index = [np.arange(n) * m // n for n, m in zip(shape, small.shape)]
voxels = small.voxels[np.ix_(*index)]
scale = [m / n for n, m in zip(shape[::-1], small.shape[::-1])]
volume = Volume(voxels, small.affine @ np.diag([*scale, 1.0]), small.modality)
before = peak()
masks = ClassicalBackbone().segment(
    volume, TargetSpec("", (Target("skeleton", "skeleton"),)), ignore_progress, CancelToken()
)
print(voxels.nbytes, peak() - before, masks[0].voxels.mean())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")
def test_skeleton_takes_little_more_than_the_volume_itself(repository: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, cwd=repository, check=True)
    volume, growth, share = (float(word) for word in done.stdout.split())
    assert volume == 2 * 200 * 256 * 256
    assert share > 0.005
    # The whole command may take four times the volume's bytes and 300 MB, interpreter and one copy of the volume
    # included: of that, three volumes and half of the 300 MB are left to the backbone.
    assert 0 < growth < 3 * volume + 150e6
