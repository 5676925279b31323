"""What a run wrote is still there after ``.mrb`` and ``.seg.nrrd``: masks, names, colours, codes, reasoning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from SEERSegmentLib.mrml.scene import MrmlScene
from SEERSegmentLib.mrml.state import PanelParameters, parameter_node
from SEERSegmentLib.mrml.tags import RECORD_ROLE, read_tags, records_of
from SEERSegmentLib.mrml.terminology import read_terminology, set_terminology
from SEERSegmentLib.presenter.seams import Committed
from SEERSegmentLib.presenter.state import OverlapPolicy
from SEERSegmentLib.values import RESEARCH_USE_ONLY, Code, Terminology
from SEERSegmentLib.values.plain import as_plain
from SEERSegmentLib.worker.messages import RunReport

from .nodes import (
    LIVER,
    LUNG_NODULE,
    NASTY,
    RIGHT_KIDNEY,
    add_transform,
    add_volume,
    affine_of,
    inputs_of,
    piece_of,
    random_mask,
    report_of,
    rotation,
    shown_mask,
)

SHAPE = (6, 7, 8)
NAMES = ("liver", "right kidney", "肝 «nodule» & <x>", "free text")
#: What Slicer gives every new segment.
TISSUE = Terminology(Code("SCT", "85756007", "Tissue"), Code("SCT", "85756007", "Tissue"))
CODES = (LIVER, RIGHT_KIDNEY, LUNG_NODULE, None)


def run(slicer: Any, folder: Path) -> tuple[Any, Committed, RunReport, list[Any]]:
    """Four overlapping segments on an oblique volume under a transform; a request that is hard to store."""
    volume = add_volume(slicer, np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), affine_of(rotation(30)))
    turn = np.eye(4)
    turn[:3, :3] = rotation(-50, (0, 0, 1))
    volume.SetAndObserveTransformNodeID(add_transform(slicer, turn).GetID())
    masks = [random_mask(SHAPE, seed) for seed in range(4)]
    pieces = [
        replace(piece_of(mask, folder, f"segment{number}", code), name=name)
        for number, (mask, name, code) in enumerate(zip(masks, NAMES, CODES, strict=True))
    ]
    report = report_of(pieces, NASTY)
    committed = MrmlScene().commit(report, inputs_of(volume), NASTY, folder)
    return volume, committed, report, masks


def check_segments(slicer: Any, segmentation: Any, report: RunReport, volume: Any, masks: list[Any]) -> None:
    """All of it, on a segmentation that was read from a file."""
    ids = segmentation.GetSegmentation().GetSegmentIDs()
    assert list(ids) == [piece.id for piece in report.segments]
    for segment_id, piece, mask in zip(ids, report.segments, masks, strict=True):
        segment = segmentation.GetSegmentation().GetSegment(segment_id)
        assert segment.GetName() == piece.name
        assert segment.GetColor() == pytest.approx([c / 255 for c in piece.colour], abs=1e-5)
        assert read_terminology(segment) == (piece.terminology or TISSUE)
        tags = read_tags(segment)
        assert tags["SEER.Notice"] == RESEARCH_USE_ONLY
        assert tags["SEER.Request"]["text"] == NASTY
        reasoning = as_plain(report.reasoning)
        reasoning.pop("findings")
        assert tags["SEER.Reasoning"] == reasoning
        assert tags["SEER.Reasoning"]["evidence"][0]["text"] == NASTY
        assert tags["SEER.Provenance"] == as_plain(report.provenance)
        assert tags["SEER.Findings"] == as_plain(report.findings)
        assert tags["SEER.Skills"] == as_plain(report.skills)
        assert tags["SEER.Target"] == as_plain(piece.target)
        assert tags["SEER.VolumeML"] == pytest.approx(piece.volume_ml, abs=1e-3)
        assert (shown_mask(slicer, segmentation, segment_id, volume) == mask).all()


def test_a_scene_bundle_brings_everything_back(slicer: Any, scene: Any, tmp_path: Path) -> None:
    _, committed, report, masks = run(slicer, tmp_path)
    parameters = PanelParameters(parameter_node(scene))
    parameters.segmentation_id = committed.segmentation_id
    parameters.request = NASTY
    parameters.overlap = OverlapPolicy.EMPTY_ONLY
    parameters.record = {"text": NASTY}
    bundle = tmp_path / "scene.mrb"
    assert scene.WriteToMRB(str(bundle), None)
    scene.Clear(False)
    assert PanelParameters(parameter_node(scene)).request == ""
    assert scene.ReadFromMRB(str(bundle), True)

    (volume,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    (segmentation,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    check_segments(slicer, segmentation, report, volume, masks)
    assert segmentation.GetParentTransformNode() is volume.GetParentTransformNode()
    role = segmentation.GetReferenceImageGeometryReferenceRole()
    assert segmentation.GetNodeReference(role) is volume
    (record,) = records_of(segmentation)
    read = json.loads(record.GetText())
    assert read["request"]["text"] == NASTY
    assert read["reasoning"]["rationale"] == ["Read as the liver.", NASTY]
    assert [segment["name"] for segment in read["segments"]] == list(NAMES)
    assert NASTY.split()[-1] in record.GetText()  # readable: not escaped

    restored = PanelParameters(parameter_node(scene))
    assert restored.segmentation_id == segmentation.GetID()
    assert (restored.request, restored.overlap, restored.record) == (NASTY, OverlapPolicy.EMPTY_ONLY, {"text": NASTY})
    assert (restored.volume_id, restored.roi_id) == ("", "")


def test_a_segmentation_file_brings_everything_back(slicer: Any, scene: Any, tmp_path: Path) -> None:
    volume, committed, report, masks = run(slicer, tmp_path)
    written = scene.GetNodeByID(committed.segmentation_id)
    path = tmp_path / "result.seg.nrrd"
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(str(path))
    assert storage.WriteData(written)
    read = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "read")
    assert storage.ReadData(read)
    read.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    check_segments(slicer, read, report, volume, masks)
    assert read.GetNumberOfNodeReferences(RECORD_ROLE) == 0  # a file of one node: the tags have it all


@pytest.mark.parametrize("terminology", [LIVER, RIGHT_KIDNEY, LUNG_NODULE])
def test_codes_are_what_slicer_reads(slicer: Any, terminology: Terminology) -> None:
    segment = slicer.vtkSegment()
    set_terminology(segment, terminology)
    assert read_terminology(segment) == terminology
    entry = slicer.vtkSlicerTerminologyEntry()
    logic = slicer.modules.terminologies.logic()
    assert logic.DeserializeTerminologyEntry(segment.GetTerminology(), entry)
    assert entry.GetTypeObject().GetCodingSchemeDesignator() == "SCT"
    assert entry.GetTypeObject().GetCodeValue() == terminology.type.value
    assert entry.GetTypeObject().GetCodeMeaning() == terminology.type.meaning


def test_free_text_keeps_slicers_default_and_nothing_of_the_one_before(slicer: Any) -> None:
    first, second = slicer.vtkSegment(), slicer.vtkSegment()
    set_terminology(first, LUNG_NODULE)
    set_terminology(second, None)
    assert read_terminology(second) == TISSUE
    third = slicer.vtkSegment()
    set_terminology(third, LIVER)
    assert read_terminology(third) == LIVER


def test_a_segment_without_codes_reads_as_none(slicer: Any) -> None:
    segment = slicer.vtkSegment()
    segment.RemoveTag(segment.GetTerminologyEntryTagName())
    assert read_terminology(segment) is None


def test_delimiters_in_a_meaning_do_not_break_an_entry(slicer: Any) -> None:
    segment = slicer.vtkSegment()
    odd = Terminology(Code("SCT", "1", "a~b^c|d"), Code("SCT", "2", "e"))
    set_terminology(segment, odd)
    read = read_terminology(segment)
    assert read is not None
    assert (read.category.meaning, read.type.value) == ("a b c d", "2")


def test_damaged_tags_are_left_out(slicer: Any) -> None:
    segment = slicer.vtkSegment()
    segment.SetTag("SEER.Request", "%7Bnot json")
    segment.SetTag("SEER.VolumeML", "1.5")
    assert read_tags(segment) == {"SEER.VolumeML": 1.5}
