"""SEER in 3D Slicer: say what to segment, see how it was read, correct it and keep the episode. Research use only.

This file is what Slicer's module factory loads at start-up: it imports nothing of SEER until the module is opened.
The panel lies in SEERSegmentPanel, the library in SEERSegmentLib.
"""

import logging
import sys
from pathlib import Path

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

#: Packages of ours that "Reload" has to load again.
_PACKAGES = ("SEERSegmentPanel", "SEERSegmentLib")


def _find_library() -> None:
    """Make SEERSegmentPanel and SEERSegmentLib importable: beside this file when installed, one up in a checkout."""
    here = Path(__file__).resolve().parent
    for folder, package in ((here, "SEERSegmentPanel"), (here, "SEERSegmentLib"), (here.parent, "SEERSegmentLib")):
        if (folder / package / "__init__.py").is_file() and str(folder) not in sys.path:
            sys.path.append(str(folder))


class SEERSegment(ScriptedLoadableModule):
    """What Slicer shows of the module without opening it."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("SEER Segment")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        parent.dependencies = ["SegmentEditor", "Segmentations", "SubjectHierarchy", "Volumes"]
        parent.contributors = ["SEER contributors"]
        parent.helpText = _(
            "<p><b>Research use only. Not for clinical decisions.</b></p>"
            "<p>Type what to segment the way you would say it to a colleague, such as "
            "<i>pls outline the rt lung, ?effusion</i>, and get a segmentation together with the evidence, the "
            "rationale and the answer that led to it. Correct it in the Segment Editor, then approve or reject it.</p>"
            "<p>The embedded parts run on this computer and send nothing. Before any part sends snapshots or the "
            "volume to a server you are asked, per server, and told exactly what would be sent.</p>"
        )
        parent.helpText += self.getDefaultModuleDocumentationLink()
        parent.acknowledgementText = _(
            "<p>SEER follows two papers: <i>SEER</i> (evidence, rationale and answer of a request, and the skills that "
            "are learnt from approved episodes) and <i>MedVol-R1</i> (key slices and boxes as anchors). Please cite "
            "them, and 3D Slicer, in work that uses this module.</p>"
        )
        slicer.app.connect("startupCompleted()", self._register_sample_data)

    def _register_sample_data(self):
        """Offer our sample images in the Sample Data module. Slicer's start-up must never fail because of them."""
        _find_library()
        try:
            from SEERSegmentPanel import sampledata

            sampledata.register()
        except Exception as error:  # noqa: BLE001 - an outer border: whatever went wrong, Slicer starts
            logging.warning("SEER's sample data are not available: %s", error)


class SEERSegmentWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Loads the .ui, makes the panel when the module is first opened, and passes the scene's events on to it."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        _find_library()
        from SEERSegmentPanel.panel import Panel

        root = slicer.util.loadUI(self.resourcePath("UI/SEERSegment.ui"))
        self.layout.addWidget(root)
        self.ui = slicer.util.childWidgetVariables(root)
        root.setMRMLScene(slicer.mrmlScene)
        self.logic = SEERSegmentLogic()
        self.panel = Panel(root, self.ui, self.resourcePath(""), self.logic.getParameterNode)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self._on_scene_closing)
        self.addObserver(scene, scene.EndCloseEvent, self._on_scene_changed)
        self.addObserver(scene, scene.StartImportEvent, self._on_scene_loading)
        self.addObserver(scene, scene.EndImportEvent, self._on_scene_changed)
        self.addObserver(scene, scene.NodeAboutToBeRemovedEvent, self._on_node_removed)
        self.addObserver(
            slicer.app.applicationLogic().GetSelectionNode(), vtk.vtkCommand.ModifiedEvent, self._on_selection
        )
        slicer.app.connect("aboutToQuit()", self.cleanup)
        self.panel.scene_changed()

    def enter(self):
        if self.panel is not None:
            self.panel.enter()

    def exit(self):
        if self.panel is not None:
            self.panel.exit()

    def cleanup(self):
        """The module is reloaded or Slicer quits: leave no observer, timer, shortcut or process behind."""
        if self.panel is None:
            return
        slicer.app.disconnect("aboutToQuit()", self.cleanup)
        self.removeObservers()
        self.panel.close()
        self.panel = None

    def onReload(self):  # noqa: N802 - the name is Slicer's
        """Reload the packages too, not only this file."""
        for name in [name for name in sys.modules if name.split(".")[0] in _PACKAGES]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def _on_scene_closing(self, _caller, _event):
        self.panel.scene_closing()

    def _on_scene_loading(self, _caller, _event):
        self.panel.scene_loading()

    def _on_scene_changed(self, _caller, _event):
        self.panel.scene_changed()

    def _on_selection(self, _caller, _event):
        self.panel.inputs.follow_active_volume()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _caller, _event, node):
        # While a whole scene closes, that has been said already.
        if not slicer.mrmlScene.IsClosing() and node.GetID():
            self.panel.node_removed(node.GetID())


class SEERSegmentLogic(ScriptedLoadableModuleLogic):
    """The parameter node only: what a request needs is done by SEERSegmentLib, in the worker process."""


class SEERSegmentTest(ScriptedLoadableModuleTest):
    """The whole flow with the embedded parts on a drawn CT, with what Slicer bundles alone."""

    def setUp(self):
        slicer.mrmlScene.Clear(False)

    def runTest(self, **_options):  # noqa: N802 - the name is Slicer's
        _find_library()
        from SEERSegmentPanel.selftest import FlowTest

        self.setUp()
        FlowTest(self.delayDisplay).run()
