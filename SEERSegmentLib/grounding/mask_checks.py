"""Checks of masks after segmentation: findings for the user, none of which blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..anatomy import Structure, load_vocabulary
from ..imaging.crop import Crop
from ..values import Finding, ImageFacts, Mask, Segment, Severity, Side, Target, Volume, axis_codes
from .mask_geometry import Box, centroid_ras, pieces, shared_voxels, side_shares, touched_faces, trim

__all__ = ["check_masks"]

#: A centroid this far from the midline lies on a side: agreement is easier to see than disagreement is to claim. The
#: midline itself is known to about 10 mm, and an adrenal gland's centroid lies some 30 mm off it.
AGREE_MM = 5.0
DISAGREE_MM = 15.0
#: A paired organ or bone with this share on either side, that far from the midline, is both of the pair. A lung may
#: herniate across the midline, but not a quarter of it.
BOTH_SIDES_MM = 20.0
BOTH_SIDES_SHARE = 0.25
#: Pieces beyond the largest that hold less than this share are specks.
SPECKS_SHARE = 0.05
#: Overlap that is more than the blur of a shared surface: this share of the smaller mask, and at least so much.
OVERLAP_SHARE = 0.02
OVERLAP_ML = 0.5

#: Kinds that are one compact piece; vessels and muscles are often cut into pieces by the field of view.
_ONE_PIECE = frozenset({"organ", "gland", "bone"})
#: Kinds whose measure is lost when the image's border cuts them; bones, vessels and muscles run on beyond most images.
_COMPACT = frozenset({"organ", "gland", "lesion"})
#: Kinds that lie within, or around, other structures.
_SHARES = frozenset({"group", "region", "tissue", "lesion", "space", "fluid"})

_ADVICE = "Check the image's orientation and the side of the target."

_FACE_WORDS = {
    "R": "right",
    "L": "left",
    "A": "front",
    "P": "back",
    "S": "top",
    "I": "bottom",
}


@dataclass(frozen=True, eq=False)
class _Subject:
    """One mask under check, measured once."""

    voxels: NDArray[np.bool_]
    affine: NDArray[np.float64]
    target: Target
    crop: Crop | None = None

    @cached_property
    def structure(self) -> Structure | None:
        return load_vocabulary().structures.get(self.target.structure)

    @property
    def name(self) -> str:
        return self.structure.name if self.structure is not None else self.target.text

    @cached_property
    def box(self) -> Box | None:
        return trim(self.voxels)

    @property
    def cropped(self) -> NDArray[np.bool_]:
        assert self.box is not None
        return self.voxels[self.box]

    @cached_property
    def count(self) -> int:
        return int(np.count_nonzero(self.cropped)) if self.box is not None else 0

    @cached_property
    def ml(self) -> float:
        return self.count * abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @cached_property
    def borders(self) -> tuple[str, ...]:
        """Directions of the image's faces that the mask touches, as letters."""
        return self._letters(touched_faces(self.voxels, self.box))

    @cached_property
    def crop_borders(self) -> tuple[str, ...]:
        """Directions of the region of interest's faces that the mask touches within the image, as letters."""
        if self.crop is None or self.box is None:
            return ()
        faces = []
        for axis, (part, (start, stop), length) in enumerate(zip(self.box, self.crop, self.voxels.shape, strict=True)):
            if part.start == start > 0:
                faces.append((axis, False))
            if part.stop == stop < length:
                faces.append((axis, True))
        return self._letters(faces)

    @property
    def cut(self) -> bool:
        """Whether more of the structure may lie where nothing was outlined."""
        return bool(self.borders or self.crop_borders)

    def _letters(self, faces: list[tuple[int, bool]]) -> tuple[str, ...]:
        codes = axis_codes(self.affine)
        opposite = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}
        found = [codes[2 - axis] if at_end else opposite[codes[2 - axis]] for axis, at_end in faces]
        return tuple(sorted(found, key="SIAPRL".index))


def check_masks(
    masks: Sequence[Mask | Segment], facts: ImageFacts, volume: Volume, crop: Crop | None = None
) -> tuple[Finding, ...]:
    """Check masks of one run: empty, cut by a border, implausible volume, side of the patient, and overlap.

    Parameters
    ----------
    masks : sequence of Mask or Segment
        On the volume's grid.
    facts : ImageFacts
        For the patient's midline.
    volume : Volume
        Whose grid the masks are on.
    crop : ((k0, k1), (j0, j1), (i0, i1)), optional
        Half-open voxel ranges that were segmented, where they are less than the volume: a mask that touches a face of
        them within the image may continue beyond.

    Returns
    -------
    tuple of Finding
        Codes ``mask-empty``, ``mask-touches-border``, ``mask-touches-roi``, ``volume-implausible``,
        ``side-of-patient`` (with status ``agree``, ``disagree`` or ``can't tell``), ``mask-fragmented``,
        ``masks-overlap``, ``mask-off-grid``. None blocks: the masks are there to be looked at.
    """
    subjects = []
    findings: list[Finding] = []
    for item in masks:
        mask = item.mask if isinstance(item, Segment) else item
        subject = _Subject(mask.voxels, volume.affine, mask.target, crop)
        if mask.voxels.shape != volume.shape or not np.allclose(mask.affine, volume.affine, atol=1e-3):
            findings.append(
                Finding(
                    "mask-off-grid",
                    Severity.ERROR,
                    f"The mask of the {subject.name} does not lie on the image's grid; it was not checked.",
                    target=subject.name,
                )
            )
            continue
        if subject.box is None:
            findings.append(_empty(subject))
            continue
        subjects.append(subject)
        findings += [*_border(subject), *_volume(subject), *_pieces(subject), *_side(subject, facts)]
    findings += _overlaps(subjects)
    return tuple(findings)


def _empty(subject: _Subject) -> Finding:
    where = "image" if subject.crop is None else "region of interest"
    return Finding(
        "mask-empty",
        Severity.WARNING,
        f"Nothing was outlined for the {subject.name}.",
        target=subject.name,
        advice=f"It may be outside of the {where}, absent, or missed: look at the image before trusting this.",
    )


def _border(subject: _Subject) -> list[Finding]:
    compact = subject.structure is None or subject.structure.kind in _COMPACT
    severity = Severity.WARNING if compact else Severity.INFO
    found = []
    for code, letters, what, inside in (
        ("mask-touches-border", subject.borders, "image, so more of it probably lies outside", "image"),
        (
            "mask-touches-roi",
            subject.crop_borders,
            "region of interest, so it may continue beyond, where nothing was outlined",
            "region",
        ),
    ):
        if not letters:
            continue
        words = [_FACE_WORDS[letter] for letter in letters]
        where = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
        message = (
            f"The mask of the {subject.name} reaches the {where} border{'s' if len(words) > 1 else ''} of the {what};"
            f" its volume counts only what is in the {inside}."
        )
        found.append(Finding(code, severity, message, target=subject.name))
    return found


def _volume(subject: _Subject) -> list[Finding]:
    if subject.structure is None:
        return []
    low, high = subject.structure.volume_ml
    too_large = subject.ml > high
    too_small = subject.ml < low and not subject.cut  # a structure that is cut may be of any size below
    if not (too_large or too_small):
        return []
    return [
        Finding(
            "volume-implausible",
            Severity.WARNING,
            f"The mask of the {subject.name} measures {_ml(subject.ml)}, {'more' if too_large else 'less'} than"
            f" expected of an adult ({_ml(low)} to {_ml(high)}).",
            target=subject.name,
            advice="Look for parts that are missing or do not belong; in a child smaller volumes are normal.",
        )
    ]


def _ml(value: float) -> str:
    return f"{value:.0f} mL" if value >= 10 else f"{value:.2g} mL"


def _pieces(subject: _Subject) -> list[Finding]:
    structure = subject.structure
    if structure is None or structure.kind not in _ONE_PIECE or structure.parts or subject.cut:
        return []  # a border may cut one piece into several
    sizes = pieces(subject.cropped)
    total = sum(sizes)
    real = [size for size in sizes if size >= SPECKS_SHARE * total]
    if len(real) < 2:
        return []
    return [
        Finding(
            "mask-fragmented",
            Severity.INFO,
            f"The mask of the {subject.name} has {len(real)} separate pieces; the largest holds"
            f" {max(real) / total:.0%} of it.",
            target=subject.name,
        )
    ]


def _side(subject: _Subject, facts: ImageFacts) -> list[Finding]:
    """The side that the mask lies on, against the side in the answer, or where anatomy has an unpaired organ."""
    structure = subject.structure
    own = subject.target.side if subject.target.side is not Side.NONE or structure is None else structure.side
    expected = own if own is not Side.NONE or structure is None else structure.lies_on
    if expected is Side.NONE:
        return []
    usual = own is Side.NONE
    name = subject.name
    box = subject.box
    assert box is not None  # empty masks are not asked for their side
    if facts.midline_r_mm is None:
        message = (
            f"Whether the mask of the {name} lies on the patient's {expected.value} can't be told: no midline was"
            " found."
        )
        return [Finding("side-of-patient", Severity.INFO, message, target=name, status="can't tell")]
    if not usual and structure is not None and structure.kind in _ONE_PIECE:
        right, left = side_shares(subject.cropped, box, subject.affine, facts.midline_r_mm, BOTH_SIDES_MM)
        wrong = left if expected is Side.RIGHT else right
        if min(right, left) >= BOTH_SIDES_SHARE:
            message = (
                f"The mask of the {name} lies on both sides of the patient: {wrong:.0%} of it is on the"
                f" {expected.opposite.value}."
            )
            severity, status = Severity.WARNING, "disagree"
            return [Finding("side-of-patient", severity, message, target=name, status=status, advice=_ADVICE)]
    r_mm = float(centroid_ras(subject.cropped, box, subject.affine)[0])
    off = r_mm - facts.midline_r_mm
    side = Side.RIGHT if off > 0 else Side.LEFT
    distance = f"its centre lies {abs(off):.0f} mm to the {side.value} of the midline"
    if side is expected and abs(off) >= AGREE_MM:
        severity, status = Severity.INFO, "agree"
        message = f"The mask of the {name} lies on the patient's {side.value}, as expected: {distance}."
    elif side is not expected and abs(off) >= DISAGREE_MM:
        severity, status = Severity.WARNING, "disagree"
        should = "usually lies on" if usual else "should be on"
        message = f"The mask of the {name} {should} the patient's {expected.value}, but {distance}."
    else:
        severity, status = Severity.INFO, "can't tell"
        message = f"Whether the mask of the {name} lies on the patient's {expected.value} can't be told: {distance}."
    advice = _ADVICE if status == "disagree" else ""
    return [Finding("side-of-patient", severity, message, target=name, status=status, advice=advice)]


def _overlaps(subjects: list[_Subject]) -> list[Finding]:
    findings = []
    for number, one in enumerate(subjects):
        for other in subjects[number + 1 :]:
            if _may_share(one, other):
                continue
            shared = shared_voxels(one.voxels, one.box, other.voxels, other.box)
            ml = shared * one.ml / one.count
            if shared >= OVERLAP_SHARE * min(one.count, other.count) and ml >= OVERLAP_ML:
                findings.append(
                    Finding(
                        "masks-overlap",
                        Severity.INFO,
                        f"The {one.name} and the {other.name} share {_ml(ml)}.",
                        target=one.name,
                    )
                )
    return findings


def _may_share(one: _Subject, other: _Subject) -> bool:
    """Whether two structures may rightly share voxels: a whole and its part, a lesion and its organ, free text."""
    first, second = one.structure, other.structure
    if first is None or second is None or first.id == second.id:
        return True
    return bool({first.kind, second.kind} & _SHARES) or first.id in second.parts or second.id in first.parts
