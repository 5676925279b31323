"""What a run changed in the scene, and how to take it back: Slicer's own scene undo is off by default.

A segmentation that the run made is removed with everything that belongs to it. One that was there before gets back what
was saved before writing: segments, their order, ids, masks, surfaces, tags, display and reference geometry, also where
the user has gone on editing since.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray

from .tags import RECORD_ROLE

__all__ = ["NodeLink", "RunChanges", "SavedSegmentation", "remove_with_belongings"]


class SavedSegmentation:
    """A deep copy of all that a segmentation node shows and stores."""

    def __init__(self, node: Any) -> None:
        segmentation = node.GetSegmentation()
        self._source = segmentation.GetSourceRepresentationName()
        self._parameters = segmentation.SerializeAllConversionParameters()
        self._segments = _copied_segments(segmentation)
        self._displays = [_copied(node.GetNthDisplayNode(n)) for n in range(node.GetNumberOfDisplayNodes())]
        self._geometry_id = node.GetNodeReferenceID(_geometry_role()) or ""
        self._record_ids = _references(node, RECORD_ROLE)

    def restore(self, node: Any) -> None:
        """Put it all back; once only, since the saved segments become the node's own."""
        modifying = node.StartModify()
        try:
            segmentation = node.GetSegmentation()
            _remove_segments(segmentation)
            segmentation.SetSourceRepresentationName(self._source)
            segmentation.DeserializeConversionParameters(self._parameters)
            for segment_id, segment in self._segments:
                segmentation.AddSegment(segment, segment_id)
            for number, saved in enumerate(self._displays):
                display = node.GetNthDisplayNode(number)
                if display is not None:
                    display.CopyContent(saved)
            node.SetNodeReferenceID(_geometry_role(), self._geometry_id or None)
            node.RemoveNodeReferenceIDs(RECORD_ROLE)
            for record_id in self._record_ids:
                node.AddNodeReferenceID(RECORD_ROLE, record_id)
        finally:
            node.EndModify(modifying)


class NodeLink:
    """A node that is not kept alive by this; an id won't do, since a scene that is closed gives its ids out again."""

    def __init__(self, node: Any = None) -> None:
        self._weak = vtk.vtkWeakReference()
        self._weak.Set(node)

    def node(self) -> Any:
        """The node while it is in a scene, else None."""
        node = self._weak.Get()
        return None if node is None or node.GetScene() is None else node


@dataclass
class RunChanges:
    """What one run did; ``affine`` (IJK→RAS of the volume in the segmentation's frame) and ``grid`` (k, j, i) are where
    its masks lie.
    """

    scene: Any
    volume: NodeLink
    affine: NDArray[np.float64]
    grid: tuple[int, int, int]
    saved: SavedSegmentation | None
    segmentation: NodeLink = field(default_factory=NodeLink)
    segment_ids: list[str] = field(default_factory=list)
    records: list[NodeLink] = field(default_factory=list)

    def undo(self) -> None:
        """Take it back; what the user removed meanwhile stays removed. Doing it twice does nothing."""
        for record in self.records:
            remove_with_belongings(self.scene, record.node())
        node = self.segmentation.node()
        self.records, self.segmentation = [], NodeLink()
        if node is None:
            return
        if self.saved is None:
            remove_with_belongings(self.scene, node)
        else:
            self.saved.restore(node)
            self.saved = None


def remove_with_belongings(scene: Any, node: Any) -> None:
    """Remove a node with its display and storage nodes and its item in the subject hierarchy."""
    if node is None:
        return
    belongings = [node.GetNthDisplayNode(n) for n in range(_count(node, "Display"))]
    belongings += [node.GetNthStorageNode(n) for n in range(_count(node, "Storage"))]
    hierarchy = scene.GetSubjectHierarchyNode()
    item = 0 if hierarchy is None else hierarchy.GetItemByDataNode(node)
    if item:  # the application's plugins would do it; where they don't run, the item would stay
        hierarchy.RemoveItem(item, False, False)
    scene.RemoveNode(node)
    for belonging in belongings:
        if belonging is not None and belonging.GetScene() is not None:
            scene.RemoveNode(belonging)


def _count(node: Any, kind: str) -> int:
    count = getattr(node, f"GetNumberOf{kind}Nodes", None)
    return 0 if count is None else int(count())


def _geometry_role() -> str:
    return str(slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole())


def _references(node: Any, role: str) -> list[str]:
    return [node.GetNthNodeReferenceID(role, number) for number in range(node.GetNumberOfNodeReferences(role))]


def _copied(display: Any) -> Any:
    copy = display.CreateNodeInstance()
    copy.CopyContent(display)
    return copy


def _representations(segment: Any) -> list[str]:
    names: list[str] = []
    segment.GetContainedRepresentationNames(names)
    return names


def _copied_segments(segmentation: Any) -> list[tuple[str, Any]]:
    """(id, segment) in order; a labelmap that several segments share is copied once and shared by the copies."""
    copies: dict[str, Any] = {}
    segments = []
    for segment_id in segmentation.GetSegmentIDs():
        original = segmentation.GetSegment(segment_id)
        segment = slicer.vtkSegment()
        segment.DeepCopyMetadata(original)
        for name in _representations(original):
            representation = original.GetRepresentation(name)
            copy = copies.get(representation.__this__)
            if copy is None:
                copy = representation.NewInstance()
                copy.DeepCopy(representation)
                copies[representation.__this__] = copy
            segment.AddRepresentation(name, copy)
        segments.append((segment_id, segment))
    return segments


def _remove_segments(segmentation: Any) -> None:
    """Remove all segments, each without its voxels: else Slicer would first separate every one that shares a labelmap,
    in a pass over the whole labelmap.
    """
    for segment_id in segmentation.GetSegmentIDs():
        segmentation.GetSegment(segment_id).RemoveAllRepresentations()
    segmentation.RemoveAllSegments()
