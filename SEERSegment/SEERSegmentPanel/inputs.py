"""What to segment, and where the result goes: the panel's first section."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.presenter.state import OverlapPolicy
from SEERSegmentLib.values import Modality

__all__ = ["InputsSection"]


class InputsSection:
    """Selectors of volume, output and ROI. The volume follows Slicer's active volume until the user chooses one."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = ui = panel.ui
        self._chosen = False
        for policy, text in (
            (OverlapPolicy.KEEP, _("Keep others: segments may overlap")),
            (OverlapPolicy.REPLACE, _("Replace: the new segment takes the voxels")),
            (OverlapPolicy.EMPTY_ONLY, _("Only where empty: others keep their voxels")),
        ):
            ui.overlapComboBox.addItem(text, policy.value)
        ui.overlapComboBox.setCurrentIndex(ui.overlapComboBox.findData(panel.preferences.get("overlap")))
        ui.overlapComboBox.connect("currentIndexChanged(int)", self._overlap_changed)
        for modality, text in (
            (Modality.UNKNOWN, _("Automatic: as the volume says")),
            (Modality.CT, _("CT")),
            (Modality.MR, _("MR")),
        ):
            ui.modalityComboBox.addItem(text, modality.value)
        ui.modalityComboBox.connect("currentIndexChanged(int)", self._changed)
        for label, field in (
            (ui.volumeLabel, ui.volumeSelector),
            (ui.modalityLabel, ui.modalityComboBox),
            (ui.segmentationLabel, ui.segmentationSelector),
            (ui.overlapLabel, ui.overlapComboBox),
            (ui.roiLabel, ui.roiSelector),
        ):
            label.setBuddy(field)
        ui.volumeSelector.connect("nodeActivated(vtkMRMLNode*)", self._volume_chosen)
        ui.roiSelector.connect("nodeAddedByUser(vtkMRMLNode*)", self._fit_roi)
        ui.volumeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._volume_changed)
        ui.segmentationSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._changed)
        ui.roiSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._changed)

    def inputs(self):
        """The choices as the presenter takes them."""
        ui = self._ui
        return Inputs(
            volume_id=ui.volumeSelector.currentNodeID or "",
            segmentation_id=ui.segmentationSelector.currentNodeID or "",
            roi_id=ui.roiSelector.currentNodeID or "",
            overlap=OverlapPolicy(ui.overlapComboBox.currentData),
            modality=Modality(ui.modalityComboBox.currentData),
        )

    def follow_active_volume(self, *_event):
        """Select Slicer's active volume, unless the user has chosen one that is still there."""
        if self._chosen and self._ui.volumeSelector.currentNodeID:
            return
        self._chosen = False
        selection = slicer.app.applicationLogic().GetSelectionNode()
        active = selection.GetActiveVolumeID() if selection else None
        node = slicer.mrmlScene.GetNodeByID(active) if active else None
        if node is not None and node.IsA("vtkMRMLScalarVolumeNode") and not node.IsA("vtkMRMLLabelMapVolumeNode"):
            self._ui.volumeSelector.setCurrentNodeID(active)

    def select(self, inputs):
        """Take over inputs that a scene brought back; nodes that are not there are passed over."""
        ui = self._ui
        for selector, node_id in (
            (ui.volumeSelector, inputs.volume_id),
            (ui.segmentationSelector, inputs.segmentation_id),
            (ui.roiSelector, inputs.roi_id),
        ):
            if node_id and slicer.mrmlScene.GetNodeByID(node_id) is not None:
                selector.setCurrentNodeID(node_id)
        ui.overlapComboBox.setCurrentIndex(ui.overlapComboBox.findData(inputs.overlap.value))
        ui.modalityComboBox.setCurrentIndex(ui.modalityComboBox.findData(inputs.modality.value))
        selection = slicer.app.applicationLogic().GetSelectionNode()
        active = selection.GetActiveVolumeID() if selection else None
        self._chosen = bool(inputs.volume_id) and inputs.volume_id != active

    def scene_closed(self):
        """Forget that the user chose a volume: it is gone."""
        self._chosen = False

    def show(self, state):
        """The inputs can't be changed while a run uses them."""
        for widget in (self._ui.volumeSelector, self._ui.segmentationSelector, self._ui.roiSelector):
            widget.setEnabled(not state.phase.busy)
        self._ui.overlapComboBox.setEnabled(not state.phase.busy)
        self._ui.modalityComboBox.setEnabled(not state.phase.busy)

    def _volume_chosen(self, node):
        self._chosen = node is not None

    def _fit_roi(self, roi):
        """A new ROI begins as the whole volume, so that its handles only have to be pulled in."""
        volume = self._ui.volumeSelector.currentNode()
        if roi is None or volume is None:
            return
        bounds = [0.0] * 6
        volume.GetRASBounds(bounds)
        roi.SetCenter([(bounds[axis] + bounds[axis + 1]) / 2 for axis in (0, 2, 4)])
        roi.SetSize([bounds[axis + 1] - bounds[axis] for axis in (0, 2, 4)])
        roi.CreateDefaultDisplayNodes()

    def _volume_changed(self, *_node):
        """What the user said of the volume before is not true of this one."""
        self._ui.modalityComboBox.setCurrentIndex(0)
        self._changed()

    def _overlap_changed(self, _index):
        self._panel.preferences.set("overlap", self._ui.overlapComboBox.currentData)
        self._changed()

    def _changed(self, *_node):
        self._panel.inputs_changed()
