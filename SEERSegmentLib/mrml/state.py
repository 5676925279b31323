"""The panel's choices in the module's parameter node, so that they are saved and restored with the scene.

A plain vtkMRMLScriptedModuleNode with typed access. Slicer's ``parameterNodeWrapper`` would do the same with less code,
but it lives in the application's Python packages and not in Slicer's core, where this room is tested; and its GUI
connectors match a few exact widget types only. Texts are percent-encoded: a node's parameters go into XML attributes,
where line breaks and control characters don't survive.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

import slicer

from ..presenter.state import OverlapPolicy
from ..values import Modality

__all__ = ["PanelParameters", "parameter_node"]

_VOLUME, _SEGMENTATION, _ROI = "InputVolume", "OutputSegmentation", "CropROI"
_OVERLAP, _MODALITY, _REQUEST, _RECORD = "Overlap", "Modality", "Request", "LastReasoning"


def parameter_node(scene: Any, module: str = "SEERSegment") -> Any:
    """The module's parameter node, made where there is none; the one that Slicer's own module logic finds."""
    node = scene.GetSingletonNode(module, "vtkMRMLScriptedModuleNode")
    if node is None:
        node = slicer.vtkMRMLScriptedModuleNode()
        node.SetSingletonTag(module)
        node.SetName(scene.GenerateUniqueName(module))
        node = scene.AddNode(node)
    node.SetAttribute("ModuleName", module)  # closing a scene takes it away
    return node


class PanelParameters:
    """Typed access to a parameter node. Node ids are empty for none; a node that has gone reads as none."""

    def __init__(self, node: Any) -> None:
        self.node = node

    @property
    def volume_id(self) -> str:
        """The volume to segment."""
        return self._reference(_VOLUME)

    @volume_id.setter
    def volume_id(self, value: str) -> None:
        self._refer(_VOLUME, value)

    @property
    def segmentation_id(self) -> str:
        """The output segmentation; empty for a new one."""
        return self._reference(_SEGMENTATION)

    @segmentation_id.setter
    def segmentation_id(self, value: str) -> None:
        self._refer(_SEGMENTATION, value)

    @property
    def roi_id(self) -> str:
        """The region of interest, or none."""
        return self._reference(_ROI)

    @roi_id.setter
    def roi_id(self, value: str) -> None:
        self._refer(_ROI, value)

    @property
    def overlap(self) -> OverlapPolicy:
        """``KEEP`` where nothing, or nothing known, is stored."""
        stored = self.node.GetParameter(_OVERLAP)
        return OverlapPolicy(stored) if stored in {policy.value for policy in OverlapPolicy} else OverlapPolicy.KEEP

    @overlap.setter
    def overlap(self, value: OverlapPolicy) -> None:
        self._set(_OVERLAP, value.value)

    @property
    def modality(self) -> Modality:
        """What the user said the volume is; ``UNKNOWN`` where nothing, or nothing known, is stored."""
        stored = self.node.GetParameter(_MODALITY)
        return Modality(stored) if stored in {modality.value for modality in Modality} else Modality.UNKNOWN

    @modality.setter
    def modality(self, value: Modality) -> None:
        self._set(_MODALITY, value.value)

    @property
    def request(self) -> str:
        """What stands in the request box."""
        return unquote(self.node.GetParameter(_REQUEST))

    @request.setter
    def request(self, value: str) -> None:
        self._set(_REQUEST, quote(value, safe=" "))

    @property
    def record(self) -> dict[str, Any]:
        """The last run's reasoning, as ``tags.reasoning_record`` wrote it; empty where there is none."""
        try:
            record = json.loads(unquote(self.node.GetParameter(_RECORD)))
        except ValueError:
            return {}
        return record if isinstance(record, dict) else {}

    @record.setter
    def record(self, value: dict[str, Any]) -> None:
        self._set(_RECORD, quote(json.dumps(value, separators=(",", ":")), safe=" "))

    def _reference(self, role: str) -> str:
        node = self.node.GetNodeReference(role)
        return "" if node is None else str(node.GetID())

    def _refer(self, role: str, node_id: str) -> None:
        if (self.node.GetNodeReferenceID(role) or "") != node_id:
            self.node.SetNodeReferenceID(role, node_id or None)

    def _set(self, name: str, value: str) -> None:
        if self.node.GetParameter(name) != value:  # no event where nothing changes: the panel listens
            self.node.SetParameter(name, value)
