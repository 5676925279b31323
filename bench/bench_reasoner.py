"""Speed of all that is not the model, against the official preparation of views; and of a batch of rephrasings.

The volume is that of `bench views`: 512 × 512 × 400 voxels of int16. The official way to views opens the file with
nibabel, computes eight slices and writes them as PNG with Pillow (`bench/bench_views.py` repeats its steps); it is
timed in the same run.
SEER's overhead is rendering `seer-v1` from the volume in memory, composing the prompt, either the payload for a server
(PNG, base64, JSON) or the pictures for a model at hand, and parsing a reply.

The batch is the tiny Qwen3-VL of the tests, on one thread: eight wordings of a request asked together, against one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from SEERSegmentLib.imaging import render_views
from SEERSegmentLib.protocols import CancelToken, ReasoningCase
from SEERSegmentLib.reasoning.grounded.wordings import rephrasings_of
from SEERSegmentLib.reasoning.prompt import Prompt, compose, load_template
from SEERSegmentLib.reasoning.reply import parse_reply
from SEERSegmentLib.values import Modality, Request, Volume

from .bench_views import best_ms, large_volume, official_pixels

REPLY = (
    "<evidence>Axial slices through the chest (image 3). Both lungs are aerated; no effusion on the right (image 4)."
    "</evidence>\n<rationale>“rt” is right and “lung” is the lung; nothing else is asked for.</rationale>\n"
    "<answer>right lung</answer>"
)
WORDINGS = 8


def overhead_ms(volume: Volume) -> tuple[float, float, float]:
    """The official way's view preparation, SEER's overhead before a server, and before a model at hand."""
    import nibabel
    from PIL import Image

    from SEERSegmentLib.reasoning.openai.payload import chat_payload, encoded

    template, request = load_template(), Request("pls outline the rt lung")

    def prompt() -> Prompt:
        views = render_views(volume, "seer-v1", as_stored=True)
        return compose(ReasoningCase(request, Modality.CT, views), template)

    def remote() -> None:
        made = prompt()
        encoded(chat_payload(made, "seer", 256))
        parse_reply(REPLY, views=made.views)

    def local() -> None:
        made = prompt()
        for view in made.views:
            Image.fromarray(view.pixels).convert("RGB")
        parse_reply(REPLY, views=made.views)

    parse_reply(REPLY)  # tables are loaded once a process
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "volume.nii"
        nibabel.save(nibabel.Nifti1Image(volume.voxels.T, volume.affine), path)
        official, far, near = best_ms(lambda: official_pixels(path, Path(name)), remote, local)
    return official, far, near


def batch_ms() -> tuple[float, float]:
    """One request, and eight wordings of it in one batch, on the tiny model."""
    from SEERSegmentLib.imaging.phantom import chest_phantom
    from SEERSegmentLib.pipeline import observe
    from SEERSegmentLib.reasoning.qwen import QwenVL
    from Testing.tiny_qwen import tiny_qwen

    volume, _ = chest_phantom(4.0)
    seen = observe(volume, "seer-v1")
    case = ReasoningCase(Request("right lung"), volume.modality, seen.views, seen.facts)
    others = rephrasings_of(case, WORDINGS - 1, 0, CancelToken())
    template = load_template()
    prompts = [compose(case, template), *(compose(case, template, one.text) for one in others)]
    model = QwenVL(str(tiny_qwen()))
    model.complete(prompts, cancel=CancelToken())
    one, all_of_them = best_ms(
        lambda: model.complete(prompts[:1], cancel=CancelToken()),
        lambda: model.complete(prompts, cancel=CancelToken()),
        repeats=5,
    )
    return one, all_of_them


def main() -> None:
    """Print the ratios and the bars."""
    official, far, near = overhead_ms(large_volume())
    one, batch = batch_ms()
    print("| what | ratio | bar |")
    print("|---|---|---|")
    print(
        f"| overhead before a server / official view preparation ({official:.0f} ms) | {far / official:.3f} | ≤ 0.1 |"
    )
    print(f"| overhead before a model at hand / official view preparation | {near / official:.3f} | ≤ 0.1 |")
    print(f"| batch of {WORDINGS} wordings / one, tiny model ({one:.0f} ms) | {batch / one:.2f} | ≤ 2 |")
