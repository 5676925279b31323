"""Whether the wording decides the result: one request in many words, and how far their masks agree.

    Ω(q) ─► each wording reasoned by itself ─► its target ─► masks, drawn once per target ─► Dice of every two wordings

The rephrasings are those of :mod:`SEERSegmentLib.reasoning.rephrasing`, Ω(q) of the SEER paper (equation 3).
Backbones are taken to be deterministic: wordings that come to the very same TargetSpec share one execution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .. import pipeline
from ..errors import Cancelled, SeerError
from ..metrics import cropped_overlap
from ..protocols import CancelToken, Emit, ignore_progress
from ..reasoning.rephrasing import rephrase
from ..values import Abstention, CroppedArray, Progress, Request, Segmentation, Stage, TargetSpec

__all__ = ["AS_ASKED", "Agreement", "Phrasing", "check_agreement"]

#: Kind of the first phrasing: the request itself.
AS_ASKED = "as asked"


@dataclass(frozen=True)
class Phrasing:
    """One wording and what came of it.

    Attributes
    ----------
    text, kind : str
        The wording, and how it differs: ``"typo noise"``, ``"synonym"`` …; ``"as asked"`` for the request itself.
    answer : str
        What was executed; empty where nothing was.
    dice : float or None
        Of the union of its masks with that of the request itself; None where one of them has none.
    said : str
        Why there is no result: the abstention's reason, or the error's sentence.
    reused : bool
        An earlier wording had come to the same target, and its mask was taken.
    """

    text: str
    kind: str
    answer: str = ""
    dice: float | None = None
    said: str = ""
    reused: bool = False


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far the wording decides the result.

    Attributes
    ----------
    phrasings : tuple of Phrasing
        The request itself comes first; it stands alone where it was abstained from.
    mean, worst, std : float or None
        Of the Dice of every two wordings that gave a result (N choose 2 of them, the request itself among the N);
        ``std`` is the population's (divided by the number of pairs), as in docs/rephrasing.md. None below two.
    map : ndarray, shape (k, j, i), float32, or None
        Share of those wordings, 0 to 1, that drew the voxel for any target; on the volume's grid. None without any.
    abstention : Abstention or None
        Of the request itself.
    """

    phrasings: tuple[Phrasing, ...]
    mean: float | None = None
    worst: float | None = None
    std: float | None = None
    map: NDArray[np.float32] | None = None
    abstention: Abstention | None = None


def check_agreement(
    job: pipeline.Job, *, n: int, seed: int = 0, emit: Emit = ignore_progress, cancel: CancelToken | None = None
) -> Agreement:
    """Run a request and up to ``n`` rephrasings of it, and compare what they draw.

    Every wording is reasoned by itself. An abstention or an error of a rephrasing is said in its place and does not
    end the check. The volume is measured once. Besides the volume and the masks of the one wording that is being
    drawn, one bit per voxel of each different union's bounding box is held; the map (4 bytes per voxel) is made last.

    Parameters
    ----------
    job : Job
        Its ``answer`` is left aside: the check is about the words.
    n : int
        Fewer rephrasings come where the vocabulary's tables have no more to say.
    seed : int
        Of the rephrasings: the same request, n and seed give the same ones.
    emit : callable
        The stage that is running; the fraction is that of wordings that are done.
    cancel : CancelToken

    Raises
    ------
    SeerError
        What the request itself ends in, which its rephrasings would too; Cancelled.
    """
    cancel = cancel or CancelToken()
    job = replace(job, answer=None)
    count = max(n, 0) + 1
    tell = _teller(emit, 0, count)
    own = pipeline.plan(job, tell, cancel)
    if isinstance(own, Abstention):
        return Agreement((Phrasing(job.request.text, AS_ASKED, said=own.reason),), abstention=own)
    drawn = _Drawn()
    mine = drawn.draw(own, tell, cancel)
    job = replace(job, observed=own.observed)
    wordings = [Phrasing(job.request.text, AS_ASKED, own.reasoning.answer, dice=1.0)]
    results = [mine]

    rephrasings = rephrase(own.spec, n, seed)
    for number, other in enumerate(rephrasings, 1):
        tell = _teller(emit, number, len(rephrasings) + 1)
        wording = Phrasing(other.text, other.kind.value)
        try:
            planned = pipeline.plan(replace(job, request=Request(other.text, job.request.id)), tell, cancel)
            if isinstance(planned, Abstention):
                wordings.append(replace(wording, said=planned.reason))
                continue
            wording = replace(wording, answer=planned.reasoning.answer, reused=planned.spec in drawn.unions)
            union = drawn.draw(planned, tell, cancel)
        except Cancelled:
            raise
        except SeerError as error:
            wordings.append(replace(wording, said=error.user_message))
            continue
        wordings.append(replace(wording, dice=union.dice(mine)))
        results.append(union)
    pairs = np.array(list(_pairwise(results, cancel)))
    cancel.check()
    share = _share_map(results, job.volume.shape)
    emit(Progress(Stage.CHECK, 1.0, f"{len(wordings)} wordings"))
    if not pairs.size:
        return Agreement(tuple(wordings), map=share)
    return Agreement(tuple(wordings), float(pairs.mean()), float(pairs.min()), float(pairs.std()), share)


def _teller(emit: Emit, done: int, count: int) -> Emit:
    """Progress of one wording's stages as progress over the wordings; values of a single one are not passed on."""

    def tell(progress: Progress) -> None:
        emit(Progress(progress.stage, done / count, f"wording {done + 1} of {count}"))

    return tell


@dataclass(frozen=True, eq=False)
class _Union:
    """The union of a result's masks: bits of its bounding box."""

    bits: NDArray[np.uint8]
    shape: tuple[int, ...]
    origin: tuple[int, int, int]
    grid: tuple[int, int, int]

    @classmethod
    def of(cls, result: Segmentation) -> _Union:
        masks = [segment.mask.voxels for segment in result.segments]
        union = masks[0]
        if len(masks) > 1:
            union = masks[0].copy()
            for mask in masks[1:]:
                union |= mask
        cropped = CroppedArray.of(union)
        return cls(np.packbits(cropped.voxels), cropped.voxels.shape, cropped.origin, cropped.grid)

    def unpacked(self) -> CroppedArray:
        count = int(np.prod(self.shape))
        voxels = np.unpackbits(self.bits, count=count).reshape(self.shape).view(np.bool_)
        return CroppedArray(voxels, self.origin, self.grid)

    def dice(self, other: _Union) -> float:
        return 1.0 if other is self else cropped_overlap(self.unpacked(), other.unpacked()).dice


@dataclass
class _Drawn:
    """The union for each target that was executed, and the error for each that failed for good."""

    unions: dict[TargetSpec, _Union] = field(default_factory=dict)
    failures: dict[TargetSpec, SeerError] = field(default_factory=dict)

    def draw(self, planned: pipeline.Plan, emit: Emit, cancel: CancelToken) -> _Union:
        spec = planned.spec
        if spec in self.failures:
            raise self.failures[spec]
        if spec not in self.unions:
            try:
                self.unions[spec] = _Union.of(pipeline.execute(planned, emit, cancel))
            except SeerError as error:
                if not error.retryable:
                    self.failures[spec] = error
                raise
        return self.unions[spec]


def _pairwise(results: list[_Union], cancel: CancelToken) -> Iterator[float]:
    """Dice of every two results; that of the same two unions is worked out once."""
    known: dict[tuple[int, int], float] = {}
    for number, one in enumerate(results):
        for other in results[number + 1 :]:
            key = (min(id(one), id(other)), max(id(one), id(other)))
            if key not in known:
                cancel.check()
                known[key] = one.dice(other)
            yield known[key]


def _share_map(results: list[_Union], grid: tuple[int, int, int]) -> NDArray[np.float32]:
    """Share of the results that hold each voxel; made in place, without another array of the grid's size."""
    shares = np.zeros(grid, np.float32)
    times: dict[int, int] = {}
    for result in results:
        times[id(result)] = times.get(id(result), 0) + 1
    for result in {id(result): result for result in results}.values():
        mask = result.unpacked()
        inside = shares[mask.box]
        np.add(inside, np.float32(times[id(result)]), out=inside, where=mask.voxels)
    shares /= np.float32(len(results))
    return shares
