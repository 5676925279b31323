"""Slicer's own Segment Editor inside the panel, built when it is first opened and let go when it isn't needed."""

from __future__ import annotations

import slicer

__all__ = ["EDITOR_TAG", "EditorHolder"]

#: Singleton tag of our editor's node, so that it doesn't share its state with the Segment Editor module.
EDITOR_TAG = "SEERSegmentEditor"

#: Of the panel's sections and scroll bar around the editor.
_MARGINS = 56


class EditorHolder:
    """Holds the ``qMRMLSegmentEditorWidget``. It costs time to build, so a panel that never corrects never has it."""

    def __init__(self, ui):
        self._ui = ui
        self._widget = None
        self._active = False
        self._released = False  # to be active again with the next result
        self._has_result = False

    @property
    def built(self):
        return self._widget is not None

    def open(self, segmentation, volume):
        """Build it where that has not been done, and let it work on these nodes."""
        if segmentation is None:
            return
        if self._widget is None:
            widget = slicer.qMRMLSegmentEditorWidget()
            widget.setObjectName("segmentEditor")
            widget.setMaximumNumberOfUndoStates(10)
            widget.setSegmentationNodeSelectorVisible(False)
            widget.setSourceVolumeNodeSelectorVisible(False)
            widget.setSwitchToSegmentationsButtonVisible(False)
            widget.setMRMLSegmentEditorNode(_editor_node())
            widget.setMRMLScene(slicer.mrmlScene)
            self._ui.editorLayout.addWidget(widget)
            self._widget = widget
        self._widget.setMRMLSegmentEditorNode(_editor_node())
        self._resume()
        self.set_nodes(segmentation, volume)

    def set_nodes(self, segmentation, volume):
        """Work on another result; on none, the editor lets go of the last one."""
        if self._widget is None:
            return
        self._has_result = segmentation is not None
        self._widget.setActiveEffect(None)
        self._widget.setSegmentationNode(segmentation)
        if segmentation is not None and volume is not None:
            self._widget.setSourceVolumeNode(volume)
        if self._has_result and self._released:
            self._resume()

    def pause(self):
        """End the active effect and give the keyboard and the views back: collapsed, or another module is shown."""
        self._released = False
        if self._widget is not None and self._active:
            self._active = False
            self._widget.setActiveEffect(None)
            self._widget.uninstallKeyboardShortcuts()
            self._widget.removeViewObservations()
            self._ui.panelScrollArea.setMinimumWidth(0)

    def resume(self):
        """The panel is shown again."""
        if self._widget is not None and not self._ui.editorSection.collapsed:
            self._widget.setMRMLSegmentEditorNode(_editor_node())
            self._released = True
            if self._has_result:
                self._resume()

    def release(self):
        """Let go of the result: it is about to be removed. The next one is worked on as this one was."""
        released = self._active or self._released
        self.pause()
        self._released, self._has_result = released, False
        if self._widget is not None:
            self._widget.setSegmentationNode(None)

    def close(self):
        """Take the widget and its node away."""
        self.release()
        if self._widget is None:
            return
        node = slicer.mrmlScene.GetSingletonNode(EDITOR_TAG, "vtkMRMLSegmentEditorNode")
        self._widget.setMRMLSegmentEditorNode(None)
        self._ui.editorLayout.removeWidget(self._widget)
        self._widget.hide()
        self._widget.deleteLater()
        self._widget = None
        if node is not None:
            slicer.mrmlScene.RemoveNode(node)

    def _resume(self):
        self._released = False
        # The editor can't be squeezed: Slicer's module panel widens for it, as it does for the module of that name.
        self._ui.panelScrollArea.setMinimumWidth(self._widget.minimumSizeHint.width() + _MARGINS)
        if not self._active:
            self._active = True
            self._widget.setupViewObservations()
            self._widget.installKeyboardShortcuts()


def _editor_node():
    node = slicer.mrmlScene.GetSingletonNode(EDITOR_TAG, "vtkMRMLSegmentEditorNode")
    if node is None:
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(EDITOR_TAG)
        node = slicer.mrmlScene.AddNode(node)
    return node
