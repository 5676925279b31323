"""``SEERSegmentTest``: the whole flow through the module's own widgets, with the embedded parts on a drawn CT.

It runs in the application, with and without a window, and in the project's tests. It needs no network, nothing that
Slicer doesn't bundle, and puts the user's preferences back as they were.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import slicer
import vtk

from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.presenter.preferences import DEFAULTS
from SEERSegmentLib.presenter.state import Phase

__all__ = ["FlowTest"]

#: Far more than a run takes on a slow machine; waiting ends as soon as the condition holds.
_DEADLINE_SECONDS = 180.0
_SPACING_MM = 4.0


class FlowTest:
    """Every step says what it does through ``say`` and raises AssertionError where the panel does something else."""

    def __init__(self, say):
        self._say = say
        self._widget = None

    def run(self):
        """All steps, in a fresh panel state."""
        if slicer.util.mainWindow() is not None:
            slicer.util.selectModule("SEERSegment")
        self._widget = slicer.util.getModuleWidget("SEERSegment")
        panel = self._widget.panel
        kept = {name: panel.preferences.get(name) for name in DEFAULTS}
        with tempfile.TemporaryDirectory(prefix="seer-test-") as folder:
            try:
                for name, value in DEFAULTS.items():
                    panel.preferences.set(name, value)
                panel.preferences.set("episodeFolder", folder)
                self._steps(Path(folder))
            finally:
                panel.presenter.cancel()
                for name, value in kept.items():
                    panel.preferences.set(name, value)
        self._say("SEER's test passed.")

    def _steps(self, folder):
        volume = self._add_phantom()
        self._run_request(volume)
        self._abstain_and_suggest()
        self._edit_answer_and_undo()
        self._review(folder)
        self._cancel()

    def _add_phantom(self):
        self._say("Drawing a chest CT")
        drawn, _truth = chest_phantom(spacing_mm=_SPACING_MM)
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Phantom chest CT")
        slicer.util.updateVolumeFromArray(node, drawn.voxels)
        matrix = vtk.vtkMatrix4x4()
        for row in range(4):
            for column in range(4):
                matrix.SetElement(row, column, float(drawn.affine[row, column]))
        node.SetIJKToRASMatrix(matrix)
        node.CreateDefaultDisplayNodes()
        self._ui.volumeSelector.setCurrentNode(node)
        _check(self._ui.volumeSelector.currentNodeID == node.GetID(), "the volume can be selected")
        return node

    def _run_request(self, volume):
        self._say("Running a request")
        self._type("pls outline both lungs")
        _check(self._ui.runButton.isEnabled(), "Run is possible with a volume and a request")
        self._click_and_wait(self._ui.runButton)
        self._expect(Phase.DONE)
        state = self._state
        _check(len(state.segments) == 2, f"two lungs are two segments, not {len(state.segments)}")
        _check(all(shown.piece.volume_ml > 500 for shown in state.segments), "lungs have the volume of lungs")
        _check(bool(state.reasoning.evidence and state.reasoning.rationale), "evidence and rationale are shown")
        _check(self._ui.segmentsTable.rowCount == 2, "the table lists both")
        node = self._result_node()
        _check(node.GetSegmentation().GetNumberOfSegments() == 2, "both are in the scene")
        _check(node.GetNodeReference("referenceImageGeometryRef") is volume, "the result lies on the volume's grid")

    def _abstain_and_suggest(self):
        self._say("Asking for what can't be answered")
        before = self._count("vtkMRMLSegmentationNode")
        self._type("outline the left or the right lung")
        self._click_and_wait(self._ui.runButton)
        self._expect(Phase.AWAITING_EDIT)
        _check(self._state.abstention is not None, "the reasoner abstains and says why")
        _check(self._count("vtkMRMLSegmentationNode") == before, "an abstention writes nothing")
        _check(bool(self._state.abstention.suggestions), "it suggests what would work")
        suggestion = slicer.util.findChild(self._ui.abstentionCard, "suggestionButton0")
        self._click_and_wait(suggestion)
        self._expect(Phase.DONE)
        _check(len(self._state.segments) == 1, "the suggestion was run")

    def _edit_answer_and_undo(self):
        self._say("Running an answer of the user, then taking it back")
        before = self._count("vtkMRMLSegmentationNode")
        self._ui.answerEdit.setPlainText("trachea")
        self._click_and_wait(self._ui.runAnswerButton)
        self._expect(Phase.DONE)
        _check([shown.piece.target.structure for shown in self._state.segments] == ["trachea"], "the answer was run")
        self._ui.undoButton.click()
        _check(self._count("vtkMRMLSegmentationNode") == before, "undo takes the run's node away")

    def _review(self, folder):
        self._say("Approving a result")
        self._type("outline both lungs")
        self._click_and_wait(self._ui.runButton)
        self._expect(Phase.DONE)
        self._ui.approveButton.click()
        self._wait(lambda: bool(self._state.review.saved) or self._state.review.error is not None, "saving the episode")
        _check(self._state.review.error is None, f"the episode is saved: {self._state.review.error}")
        _check(any(path.is_file() for path in folder.rglob("*")), "the episode is on disk")

    def _cancel(self):
        self._say("Cancelling a run")
        nodes = slicer.mrmlScene.GetNumberOfNodes()
        self._type("all of the bones")
        self._ui.runButton.click()
        _check(self._state.phase.busy, "it runs")
        self._ui.runButton.click()
        _check(self._state.phase is Phase.CANCELLED, "cancel takes effect at once")
        _check(slicer.mrmlScene.GetNumberOfNodes() == nodes, "the scene is as it was")

    # --- helpers ------------------------------------------------------------------------------------------------------

    @property
    def _ui(self):
        return self._widget.ui

    @property
    def _state(self):
        return self._widget.panel.presenter.state

    def _type(self, text):
        self._ui.requestEdit.setPlainText(text)

    def _click_and_wait(self, button):
        button.click()
        panel = self._widget.panel
        self._wait(lambda: not self._state.phase.busy and panel.up_to_date, f"the run of “{self._state.request}”")

    def _expect(self, phase):
        state = self._state
        why = state.error.message if state.error else state.abstention.reason if state.abstention else state.message
        _check(state.phase is phase, f"the run ends as {phase.value}, not as {state.phase.value}: {why}")

    def _result_node(self):
        return slicer.mrmlScene.GetNodeByID(self._state.segmentation_id)

    def _count(self, kind):
        return slicer.mrmlScene.GetNumberOfNodesByClass(kind)

    def _wait(self, done, what):
        until = time.monotonic() + _DEADLINE_SECONDS
        while not done():
            if time.monotonic() > until:
                raise AssertionError(f"Waiting for {what} took more than {_DEADLINE_SECONDS:.0f} s.")
            slicer.app.processEvents()
            time.sleep(0.005)  # leaves the processor to the worker


def _check(holds, what):
    if not holds:
        raise AssertionError(f"Expected that {what}.")
