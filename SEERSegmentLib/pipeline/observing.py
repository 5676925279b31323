"""What is known of a volume before anyone reasons about it: its facts and views, which many requests may share."""

from __future__ import annotations

from dataclasses import dataclass

from .. import __version__
from ..errors import UsageError
from ..grounding import measure
from ..imaging import check_preset, render_views
from ..protocols import CancelToken, Emit, ignore_progress
from ..values import ImageFacts, Stage, View, Volume
from .ledger import Ledger, sha256_of

__all__ = ["DEFAULT_PRESET", "Observed", "check_observed", "look", "observe"]

DEFAULT_PRESET = "multi-view"


@dataclass(frozen=True, eq=False)
class Observed:
    """Facts and views of one volume, and what they hold for: its content, the preset and the order of its slices."""

    volume_sha256: str
    preset: str
    as_stored: bool
    facts: ImageFacts
    views: tuple[View, ...]


def observe(
    volume: Volume,
    preset: str = DEFAULT_PRESET,
    *,
    as_stored: bool = False,
    emit: Emit = ignore_progress,
    cancel: CancelToken | None = None,
) -> Observed:
    """Measure a volume and render its views, once for all requests on it.

    Parameters
    ----------
    volume : Volume
    preset, as_stored
        As in :class:`~SEERSegmentLib.pipeline.Job`.
    emit : callable
        Is told of the stages READ, MEASURE and VIEWS; facts and views come with the end of theirs.
    cancel : CancelToken

    Raises
    ------
    UsageError
        ``preset-unknown``, ``as-stored-unused``.
    Cancelled
    """
    check_preset(preset, as_stored=as_stored)
    return look(volume, preset, as_stored, None, Ledger(emit, cancel or CancelToken()))


def check_observed(observed: Observed, volume: Volume, preset: str, as_stored: bool) -> None:
    """Refuse what was observed in other circumstances, before the costly comparison of the voxels.

    Raises
    ------
    UsageError
        ``observed-mismatch``.
    """
    facts = observed.facts
    # The modality is no part of a volume's hash, yet what is measured depends on it.
    had = (observed.preset, observed.as_stored, facts.modality, facts.modality_source)
    wanted = (preset, as_stored, volume.modality, volume.modality_source)
    if had != wanted:
        raise _mismatch(f"observed {had}, wanted {wanted}")


def look(volume: Volume, preset: str, as_stored: bool, observed: Observed | None, ledger: Ledger) -> Observed:
    """The stages READ, MEASURE and VIEWS; with ``observed`` given, they only tell and record what was found before.

    Raises
    ------
    UsageError
        ``observed-mismatch`` where it is of another volume.
    """
    with ledger.stage(Stage.READ, volume.name) as note:
        note["sha256"] = volume.sha256
        note["details"] = _volume_details(volume)
    if observed is not None and observed.volume_sha256 != volume.sha256:
        raise _mismatch(f"observed {observed.volume_sha256}, volume {volume.sha256}")
    before = {"reused": "measured before, for the same volume"} if observed is not None else {}
    with ledger.stage(Stage.MEASURE, "grounding", __version__) as note:
        facts = observed.facts if observed is not None else measure(volume, ledger.cancel)
        note["sha256"] = sha256_of(*(repr(item) for item in facts.evidence))
        note["details"] = {"regions covered": ", ".join(r.region for r in facts.regions) or "can't tell", **before}
        note["value"] = facts
    with ledger.stage(Stage.VIEWS, preset, __version__) as note:
        if observed is not None:
            views = observed.views
        else:
            region = _main_region(facts)
            # The ledger tells the progress, once.
            views = render_views(volume, preset, as_stored=as_stored, region=region, cancel=ledger.cancel)
        note["sha256"] = sha256_of(*(view.sha256 for view in views))
        note["details"] = {
            "views": len(views),
            "order": "as stored" if as_stored or volume.axis_codes == "LPS" else f"{volume.axis_codes} to LPS",
            **before,
        }
        note["value"] = views
    return observed or Observed(volume.sha256, preset, as_stored, facts, views)


def _main_region(facts: ImageFacts) -> str | None:
    """The body region that the slices cover most of, by height; it decides the views' windows."""
    longest = max(facts.regions, key=lambda region: region.top_mm - region.bottom_mm, default=None)
    return longest.region if longest else None


def _volume_details(volume: Volume) -> dict[str, str]:
    k, j, i = volume.shape
    return {
        "voxels": f"{i} × {j} × {k} {volume.voxels.dtype.name}",
        "spacing": " × ".join(f"{s:.4g}" for s in volume.spacing) + " mm",
        "orientation": volume.axis_codes,
        "modality": f"{volume.modality.value} (from {volume.modality_source or 'nothing'})",
        **{f"step {n}": step for n, step in enumerate(volume.transforms, 1)},
    }


def _mismatch(detail: str) -> UsageError:
    return UsageError(
        "What was measured before belongs to another image or other views; measure this image.",
        code="observed-mismatch",
        detail=detail,
    )
