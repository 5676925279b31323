"""``seer segment``: a request on a volume, from the files in to the files out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Cancelled, StorageError, UsageError
from ..imaging import check_preset
from ..output import check_report_path, check_segmentation_path, write_report, write_segmentation
from ..pipeline import Job, observe
from ..pipeline import run as run_pipeline
from ..protocols import Backbone, Emit, Reasoner
from ..registry import check_consent
from ..values import Abstention, Progress, Request, Stage, View
from .console import Console
from .inputs import load_volume, ready_backbone, request_from
from .interrupts import cancel_on_interrupt
from .payload import payload_json, payload_lines, payload_of
from .reasoners import chosen_reasoner, ready_reasoner
from .results import EXIT_ABSTAINED, as_json, as_lines
from .targets import refuse_collisions, refuse_existing

__all__ = ["run"]


def run(parsed: argparse.Namespace, console: Console) -> int:
    """Segment, write, and say what came of it. Raises SeerError."""
    _check_outputs(parsed)
    request = request_from(parsed.request)
    if parsed.show_payload:
        return _show_payload(parsed, request, console)
    reasoner = chosen_reasoner(parsed)
    preset = parsed.preset or reasoner.info.presets[0]
    check_preset(preset, as_stored=parsed.as_stored)
    backbone = _backbone(parsed, reasoner)
    with cancel_on_interrupt() as cancel, console.progress() as emit:
        emit(Progress(Stage.READ))
        volume = load_volume(parsed, cancel)
        job = Job(
            volume,
            request,
            reasoner,
            backbone,
            preset=preset,
            as_stored=parsed.as_stored,
            answer=parsed.answer,
            run_anyway=parsed.run_anyway,
            crop=parsed.crop,
        )
        seen: list[View] = []
        result = run_pipeline(job, _remember_views(emit, seen), cancel)
        cancel.check()
        files: dict[str, Path] = {}
        if not isinstance(result, Abstention):
            written = write_segmentation(result, parsed.output)
            files.update(zip(("segmentation", "labels"), written, strict=False))
        if parsed.report:
            with _kept(files.get("segmentation")):
                files["report"] = write_report(result, parsed.report, request=request, volume=volume, views=seen)
    console.text(*as_lines(result, files))
    console.json(as_json(result, request.text, files))
    return EXIT_ABSTAINED if isinstance(result, Abstention) else 0


@contextmanager
def _kept(segmentation: Path | None) -> Iterator[None]:
    """A segmentation that is written stays, whatever becomes of the report: the error says that it is there."""
    try:
        yield
    except KeyboardInterrupt as error:
        if segmentation is None:
            raise
        raise Cancelled(
            f"The report was cancelled and not written; the segmentation was, to {segmentation}."
        ) from error
    except StorageError as error:
        if segmentation is None:
            raise
        raise StorageError(
            f"{error.user_message} The segmentation was written, to {segmentation}.",
            code=error.code,
            detail=error.detail,
        ) from error


def _check_outputs(parsed: argparse.Namespace) -> None:
    """Find out now, rather than after the run, whether every file can be written."""
    outputs = list(check_segmentation_path(parsed.output))
    if parsed.report:
        check_report_path(parsed.report)
        outputs.append(parsed.report)
    inputs = [path for path in (parsed.volume, parsed.reference, parsed.label_names) if path is not None]
    refuse_collisions(outputs, inputs)
    refuse_existing(outputs, overwrite=parsed.overwrite)


def _show_payload(parsed: argparse.Namespace, request: Request, console: Console) -> int:
    """What the reasoner would send for this request, and to whom; it is made and asked for it, and sends nothing."""
    reasoner = ready_reasoner(parsed.reasoner, parsed.reasoner_option, ("snapshots", "volume"))
    with cancel_on_interrupt() as cancel, console.progress() as emit:
        emit(Progress(Stage.READ))
        volume = load_volume(parsed, cancel)
        preset = parsed.preset or reasoner.info.presets[0]
        observed = observe(volume, preset, as_stored=parsed.as_stored, emit=emit, cancel=cancel)
    outgoing = payload_of(reasoner, request, volume, observed)
    console.json(payload_json(outgoing))
    console.text(*payload_lines(outgoing))
    return 0


def _backbone(parsed: argparse.Namespace, reasoner: Reasoner) -> Backbone:
    usual = "propagation" if reasoner.info.protocol == "anchor" else "classical"
    name = parsed.backbone or ("reference" if parsed.reference else usual)
    if name != "reference":
        for option, given in (("--reference", parsed.reference), ("--label-names", parsed.label_names)):
            if given is not None:
                raise UsageError(
                    f"{option} belongs to the backbone 'reference', not to '{name}'.", code="reference-unused"
                )
        backbone = ready_backbone(name)
        check_consent("backbone", name, backbone.info, parsed.send)
        return backbone
    if parsed.reference is None:
        raise UsageError(
            "The backbone 'reference' answers from a label map: give --reference LABELMAP and --label-names FILE.",
            code="reference-missing",
        )
    return ready_backbone(name, labelmap=parsed.reference, names=parsed.label_names)


def _remember_views(emit: Emit, seen: list[View]) -> Emit:
    """An abstention carries no views of its own; its report shows those that were rendered."""

    def remember(progress: Progress) -> None:
        if progress.stage is Stage.VIEWS and isinstance(progress.value, tuple):
            seen[:] = progress.value
        emit(progress)

    return remember
