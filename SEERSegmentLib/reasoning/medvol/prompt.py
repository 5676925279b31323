"""What MedVol-R1 is shown: a system text; then one user turn of instructions, tagged slices, and the request.

Each slice is preceded by its tag, ``<slice k>`` (paper, section 2.4). The paper counts the slices that are shown from
1; the data preparation that its authors released writes the slice's own number in the volume, counted from the head
from 0. Both are here, since weights answer in the numbers that they were trained with.

The words are data (``reasoning/data/template-medvol.json``), ours, not the authors'. A template's switches for views
and facts, and retrieved skills, have no place in this form: MedVol-R1 was not trained to read any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...protocols import ReasoningCase
from ...values import View
from ..prompt import Prompt, Template, escaped

__all__ = ["NUMBERINGS", "SCALES", "compose_medvol", "slice_numbers"]

#: How slices are numbered in tags and replies: those shown, from 1; or all of the volume's, from 0 at the head.
NUMBERINGS = ("shown", "source")

#: Scale of the coordinates in a reply → the sentence that asks for it, in place of ``{coordinates}`` in a template.
SCALES: Mapping[str, str] = {
    "relative-1000": (
        "Coordinates are whole numbers from 0 to 1000: thousandths of the picture's width from its left edge, and of"
        " its height from its top."
    ),
    "pixels": "Coordinates are whole pixels from the picture's left and top edges.",
}


def slice_numbers(views: Sequence[View], numbering: str = "shown") -> tuple[int, ...]:
    """The number in each slice's tag, in the order of the views, which is head first."""
    if numbering == "shown":
        return tuple(range(1, len(views) + 1))
    # The preset shows the first slice at the head in any case, so every other one is counted from it.
    own = [view.slice_index or 0 for view in views]
    return tuple(abs(index - own[0]) for index in own)


def compose_medvol(
    case: ReasoningCase, template: Template, *, numbering: str = "shown", scale: str = "relative-1000"
) -> Prompt:
    """The prompt of a case.

    Parameters
    ----------
    case : ReasoningCase
        With the views of preset ``medvol-r1``.
    template : Template
    numbering : {"shown", "source"}
    scale : {"relative-1000", "pixels"}
        Of the boxes that are asked for.

    Returns
    -------
    Prompt
        Of form ``"anchor"``.
    """
    tagged: list[str | View] = []
    for number, view in zip(slice_numbers(case.views, numbering), case.views, strict=True):
        tagged += [f"<slice {number}>", view]
    instructions = template.user.replace("{coordinates}", SCALES[scale])
    request = f"<raw_prompt>{escaped(case.request.text)}</raw_prompt>"
    return Prompt(template.system, (instructions, *tagged, request), "anchor")
