"""Results where Slicer's users look for them: beside the volume in the subject hierarchy, under its transform."""

from __future__ import annotations

from typing import Any

from .undo import remove_with_belongings

__all__ = ["new_segmentation", "place_beside", "unique_segment_name"]


def new_segmentation(scene: Any, volume: Any) -> Any:
    """An empty segmentation named after the volume, under its parent transform and with its geometry.

    Under the volume's own transform the masks lie in the volume's own frame, exactly, whatever the transform is.
    """
    name = scene.GenerateUniqueName(f"{volume.GetName()} segmentation")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    try:
        node.CreateDefaultDisplayNodes()
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        place_beside(node, volume)
    except BaseException:
        remove_with_belongings(scene, node)
        raise
    return node


def place_beside(node: Any, volume: Any) -> None:
    """Put a node's item under the item that holds the volume's: its study, a folder, or the scene."""
    hierarchy = volume.GetScene().GetSubjectHierarchyNode()
    if hierarchy is None:
        return
    beside = hierarchy.GetItemByDataNode(volume)
    parent = hierarchy.GetItemParent(beside) if beside else hierarchy.GetSceneItemID()
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, parent)
    else:
        hierarchy.CreateItem(parent, node)


def unique_segment_name(segmentation: Any, name: str) -> str:
    """The name, or ``"name (2)"`` where a segment has it: exports go by name."""
    names = {segmentation.GetSegment(segment_id).GetName() for segment_id in segmentation.GetSegmentIDs()}
    candidate, number = name, 2
    while candidate in names:
        candidate, number = f"{name} ({number})", number + 1
    return candidate
