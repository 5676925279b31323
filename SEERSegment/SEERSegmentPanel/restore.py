"""The panel in the scene: what it keeps in the parameter node, and what a loaded scene brings back."""

from __future__ import annotations

import json

import slicer

from SEERSegmentLib.mrml.state import PanelParameters
from SEERSegmentLib.mrml.tags import read_tags, records_of
from SEERSegmentLib.mrml.terminology import read_terminology
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import PanelState, ShownSegment
from SEERSegmentLib.values import Evidence, Finding, Reasoning, Severity, Side, Skill, Target
from SEERSegmentLib.worker.messages import CroppedMask, SegmentPiece

__all__ = ["SceneMemory", "state_of_record"]


class SceneMemory:
    """Keeps request, inputs and the last reasoning with the scene.

    Parameters
    ----------
    panel : Panel
    parameter_node : callable
        Gives the module's parameter node; made where there is none, so it is called only when there is something to
        keep.
    """

    def __init__(self, panel, parameter_node):
        self._panel = panel
        self._parameter_node = parameter_node
        self._segments = ()

    def save_inputs(self):
        """Keep the selectors and the request. While a scene is loaded or closed they are not the user's."""
        if slicer.mrmlScene.IsBatchProcessing() or slicer.mrmlScene.IsClosing():
            return
        kept, inputs = PanelParameters(self._parameter_node()), self._panel.inputs.inputs()
        kept.volume_id = inputs.volume_id
        kept.segmentation_id = inputs.segmentation_id
        kept.roi_id = inputs.roi_id
        kept.overlap = inputs.overlap
        kept.modality = inputs.modality
        kept.request = self._panel.request.text()

    def state_changed(self, state):
        """Keep the reasoning of a result that is new, forget it when the result is taken back."""
        if state.segments == self._segments or slicer.mrmlScene.IsClosing():
            return
        self._segments = state.segments
        node = slicer.mrmlScene.GetNodeByID(state.segmentation_id) if state.segmentation_id else None
        records = records_of(node) if node is not None else []
        PanelParameters(self._parameter_node()).record = json.loads(records[-1].GetText()) if records else {}

    def restore(self):
        """Take over what the scene has kept, if it has."""
        node = slicer.mrmlScene.GetSingletonNode("SEERSegment", "vtkMRMLScriptedModuleNode")
        if node is None:
            return
        kept = PanelParameters(node)
        if not (kept.request or kept.volume_id or kept.record):
            return
        record = kept.record  # before the selectors change, which is kept at once
        request = kept.request
        inputs = Inputs(kept.volume_id, kept.segmentation_id, kept.roi_id, kept.overlap, kept.modality)
        self._panel.inputs.select(inputs)
        self._panel.request.set_text(request)
        state = state_of_record(record, kept.volume_id, self._panel.presenter.state)
        if state is not None:
            self._panel.show_restored(state)

    def forget(self):
        """The scene is emptied; its nodes take what was kept with them."""
        self._segments = ()


def state_of_record(record, volume_id, state):
    """The state that shows a kept run again, or None where the record, or its segments, can't be found.

    A scene file may have been edited by anybody: whatever is not as expected is left out, nothing is executed.
    """
    try:
        run = str(record["request"]["id"])
        reasoning = _reasoning(record["reasoning"])
        skills = tuple(
            Skill(**{key: str(one.get(key, "")) for key in ("id", "tag", "content", "audit", "why_retrieved")})
            for one in record.get("skills", ())
        )
        findings = tuple(_finding(one) for one in record.get("findings", ()))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    node, segments = _segments_of(run)
    if node is None:
        return None
    return PanelState(
        history=state.history,
        capabilities=state.capabilities,
        log=state.log,
        volume_id=volume_id,
        request=str(record["request"].get("text", "")),
        reasoning=reasoning,
        executable_answer=reasoning.answer,
        skills=skills,
        findings=findings,
        segmentation_id=node.GetID(),
        segments=segments,
    )


def _reasoning(plain):
    return Reasoning(
        evidence=tuple(
            Evidence(str(one.get("name", "")), str(one.get("text", "")), source=str(one.get("source", "")))
            for one in plain.get("evidence", ())
        ),
        rationale=tuple(str(line) for line in plain.get("rationale", ())),
        answer=str(plain["answer"]),
        reasoner=str(plain.get("reasoner", "")),
        skills_used=tuple(str(one) for one in plain.get("skills_used", ())),
    )


def _finding(plain):
    return Finding(
        code=str(plain.get("code", "")),
        severity=Severity(plain.get("severity", "info")),
        message=str(plain.get("message", "")),
        blocking=plain.get("blocking") is True,
        target=str(plain.get("target", "")),
        status=str(plain.get("status", "")),
        advice=str(plain.get("advice", "")),
    )


def _segments_of(run):
    """The first segmentation with segments of that run, and these; (None, ()) where there are none."""
    nodes = slicer.mrmlScene.GetNodesByClass("vtkMRMLSegmentationNode")
    nodes.UnRegister(None)
    for number in range(nodes.GetNumberOfItems()):
        node = nodes.GetItemAsObject(number)
        segmentation = node.GetSegmentation()
        shown = []
        for place in range(segmentation.GetNumberOfSegments()):
            segment_id = segmentation.GetNthSegmentID(place)
            piece = _piece(segment_id, segmentation.GetSegment(segment_id), run)
            if piece is not None:
                shown.append(ShownSegment(segment_id, piece))
        if shown:
            return node, tuple(shown)
    return None, ()


def _piece(segment_id, segment, run):
    """What a segment's tags say of it; None for one of another run, or of none. Its mask stays where it is."""
    tags = read_tags(segment)
    try:
        if tags["SEER.Request"]["id"] != run:
            return None
        target, volume_ml = tags["SEER.Target"], float(tags["SEER.VolumeML"])
        return SegmentPiece(
            id=segment_id,
            name=segment.GetName(),
            colour=tuple(round(255 * part) for part in segment.GetColor()),
            terminology=read_terminology(segment),
            target=Target(
                text=str(target.get("text", "")),
                structure=str(target.get("structure", "")),
                side=Side(target.get("side", "")),
                level=str(target.get("level", "")),
                code=str(target.get("code", "")),
            ),
            volume_ml=volume_ml,
            mask=CroppedMask(None, (0, 0, 0), (0, 0, 0)),
            centre_ras=None,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
