"""Peak memory of `seer segment`, against the volume's own bytes.

The large volume is the generated chest, its voxels repeated to 512 × 512 × 400 of int16 (210 MB); the small one is the
real chest of `make demo` (15 MB), where interpreter and libraries weigh most. The bar is four times a volume's bytes
plus 300 MB. A report is written too.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np

from SEERSegmentLib.imaging import read_volume
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.samples import fetch_sample

SHAPE = (400, 512, 512)
REQUESTS = ("pls outline the rt lung", "show me all the bones", "airways, left lung and right lung")

# VmHWM of Linux, not ru_maxrss: that one starts at the size of the process which started this one.
_CHILD = """
import sys
from SEERSegmentLib.cli import main
code = main(sys.argv[1:])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("peak", int(status["VmHWM"].split()[0]) * 1024, file=sys.stderr)
raise SystemExit(code)
"""


def write_large_phantom(path: Path, shape: tuple[int, int, int] = SHAPE) -> int:
    """Enlarge the generated chest by repetition of voxels, write it uncompressed as NRRD; returns the voxels' bytes."""
    small, _ = chest_phantom(2.5)
    index = [np.arange(n) * m // n for n, m in zip(shape, small.shape, strict=True)]
    spacing = [2.5 * m / n for n, m in zip(shape[::-1], small.shape[::-1], strict=True)]
    header = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {shape[2]} {shape[1]} {shape[0]}\n"
        f"space directions: ({spacing[0]},0,0) (0,{spacing[1]},0) (0,0,{spacing[2]})\n"
        "kinds: domain domain domain\nendian: little\nencoding: raw\n"
        f"space origin: ({-small.affine[0, 3]},{-small.affine[1, 3]},{small.affine[2, 3]})\n\n"
    )
    with path.open("wb") as out:
        out.write(header.encode())
        for k in index[0]:
            out.write(small.voxels[k][np.ix_(index[1], index[2])].astype("<i2").tobytes())
    return 2 * shape[0] * shape[1] * shape[2]


def peak_bytes(arguments: list[str]) -> int:
    """Peak resident bytes of one run of the command in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _CHILD, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return int(float(done.stderr.strip().splitlines()[-1].split()[1]))


def main() -> None:
    """Print the table."""
    print("| request | volume, MB | peak, MB | bar, MB | seconds (user) |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.nrrd"
        volumes = [(large, write_large_phantom(large))]
        small = fetch_sample("aorta-ct")
        volumes.append((small, read_volume(small).voxels.nbytes))
        for (volume, size), request in product(volumes, REQUESTS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            outputs = ["-o", str(Path(folder) / "out.seg.nrrd"), "--report", str(Path(folder) / "out.html")]
            peak = peak_bytes(["segment", str(volume), request, *outputs, "--overwrite", "--modality", "CT"])
            seconds = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
            bar = 4 * size + 300e6
            print(f"| {request} | {size / 1e6:.0f} | {peak / 1e6:.0f} | {bar / 1e6:.0f} | {seconds:.0f} |", flush=True)
