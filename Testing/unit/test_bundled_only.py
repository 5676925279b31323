"""The embedded path runs on what 3D Slicer bundles alone; without a light wheel a step is left out and says so."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

#: Everything but what Slicer bundles (numpy, scipy, SimpleITK, Pillow, pydicom, requests, vtk) is blocked.
_BLOCKED_RUN = """
import importlib.abc, json, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"rapidfuzz", "slicerio", "nrrd", "rich", "nibabel", "torch", "pandas", "skimage"}:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
        return None

sys.meta_path.insert(0, Blocker())
from SEERSegmentLib.backbones.classical import ClassicalBackbone
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.pipeline import Job, run
from SEERSegmentLib.reasoning import clean_request
from SEERSegmentLib.reasoning.lexical import LexicalReasoner

volume, truth = chest_phantom(5.0)
result = run(Job(volume, clean_request(sys.argv[1]), LexicalReasoner(), ClassicalBackbone()))
print(json.dumps({
    "type": type(result).__name__,
    "answer": getattr(getattr(result, "reasoning", None), "answer", ""),
    "rationale": list(getattr(result, "reasoning", result).rationale),
    "volumes": [s.volume_ml for s in getattr(result, "segments", ())],
}))
"""


def _run(request: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", _BLOCKED_RUN, request], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_a_request_is_segmented_without_any_light_wheel() -> None:
    result = _run("pls outline the rt lung")
    assert result["type"] == "Segmentation"
    assert result["answer"] == "right lung"
    assert result["volumes"][0] > 1000


def test_a_misspelt_request_says_which_step_was_left_out() -> None:
    result = _run("pls outline the rigth lugn")
    assert any("rapidfuzz" in step for step in result["rationale"]), result
