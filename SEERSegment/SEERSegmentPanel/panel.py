"""The panel: joins the sections to the presenter, and the presenter to Qt, the scene and the worker."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from SEERSegmentLib.mrml.scene import MrmlScene
from SEERSegmentLib.presenter.presenter import Presenter
from SEERSegmentLib.presenter.state import Phase
from SEERSegmentLib.worker.client import WorkerClient

from .consent import ConsentCard
from .inputs import InputsSection
from .install import InstallCard, read_requirements
from .phrasing import PhrasingSection
from .preferences import user_preferences
from .qprocess import QtProcessLink
from .reasoning import ReasoningSection
from .request import RequestSection
from .restore import SceneMemory
from .result import ResultSection
from .review import ReviewSection
from .run import RunSection
from .settings import SettingsSection
from .snapshots import SnapshotsSection
from .theme import theme_of
from .timers import QtTimers

__all__ = ["Panel"]

#: Fields of the state that go on changing while a restored run is shown.
_NOT_OF_A_RUN = ("history", "capabilities", "chosen", "probe", "probing", "log", "error", "message")


class Panel:
    """Shows the presenter's state and sends the user's intents to it; decides nothing by itself.

    Parameters
    ----------
    root : QWidget
        The loaded .ui; the panel's shortcuts work within it.
    ui : object
        Its named children as attributes.
    resources : Path
        The module's Resources folder, with the lists of optional packages.
    parameter_node : callable
        Gives the module's parameter node, made if there is none.
    """

    def __init__(self, root, ui, resources, parameter_node):
        self.root, self.ui = root, ui
        self._resources = Path(resources)
        self._closed = False
        self._scene_changes = False  # a scene is being loaded or emptied
        self._restart_due = False
        self._restored = None  # what a loaded scene brought back, until there is something newer
        self._due = []  # sections that don't show the state as it is now
        self._going_on = False  # whether the next of them will come in a later turn of events
        self.presenter = self.memory = None
        self.theme = theme_of(root)
        self.timers = QtTimers()
        self.preferences = user_preferences(self._log)
        self.link = QtProcessLink()
        self.client = WorkerClient(
            self.link,
            self.timers,
            Path(slicer.app.temporaryPath) / f"seer-{secrets.token_hex(6)}",
            idle_seconds=60.0 * self.preferences.get("idleMinutes"),
            on_log=self._log,
        )
        self.presenter = Presenter(MrmlScene(), self.client, self.timers, self.preferences, self._on_change)
        self._shown = self.presenter.state
        self._style_notice()
        self.inputs = InputsSection(self)
        self.request = RequestSection(self)
        self.result = ResultSection(self)
        self._run = RunSection(self)
        self._install = InstallCard(self, read_requirements(self._resources / "requirements.txt"))
        self.reasoning = ReasoningSection(self)
        self._phrasing = PhrasingSection(self)
        self._settings = SettingsSection(self)
        self._sections = [
            self.inputs,
            self.request,
            ConsentCard(self),
            SnapshotsSection(self),
            self.reasoning,
            self.result,
            ReviewSection(self),
            self._phrasing,
            self._settings,
        ]
        self.memory = SceneMemory(self, parameter_node)
        self._show(self.presenter.state)
        self._install.ask_once()

    # --- what sections ask for ----------------------------------------------------------------------------------------

    @property
    def folder(self):
        """Where the pictures of the views lie."""
        return self.client.folder

    def what_is_missing(self):
        """What has to be chosen before a run, as a sentence; empty when nothing is."""
        if not self.inputs.inputs().volume_id:
            return _("Load a CT or MR volume and choose it above.")
        if not self.request.text().strip():
            return _("Say what to segment, or try an example.")
        return ""

    @property
    def up_to_date(self):
        """Whether all sections show the state as it is now."""
        return not self._due

    def volume_of_result(self):
        """The volume node that the shown result is of, or None."""
        volume_id = self._shown.volume_id
        return slicer.mrmlScene.GetNodeByID(volume_id) if volume_id else None

    def go_to_result(self):
        """Bring the segments, and the review below them, into view."""
        self.ui.resultSection.collapsed = False
        self.reveal(self.ui.reviewSection)
        self.reveal(self.ui.resultSection)

    def open_settings(self):
        """Expand the settings and go there."""
        self.ui.settingsSection.collapsed = False
        self.reveal(self.ui.settingsSection)

    def reveal(self, widget):
        """Scroll to a card that waits for the user, once the layout knows where it is."""
        self.timers.call_later(50, lambda: self._reveal(widget))

    def requirements_of(self, extra):
        """Packages of an optional part, from Resources/requirements-EXTRA.txt; empty where there is no such list."""
        path = self._resources / f"requirements-{extra}.txt"
        return read_requirements(path) if path.is_file() else []

    # --- intents ------------------------------------------------------------------------------------------------------

    def run(self):
        """Segment what the request says."""
        if not self.what_is_missing():
            self.presenter.run(self.request.text(), self.inputs.inputs())

    def run_or_answer(self):
        """Ctrl+Return: runs the request, or the answer where that is being edited."""
        if self.ui.answerEdit.hasFocus():
            self.reasoning.run_answer()
        else:
            self.run()

    def run_with_answer(self, answer):
        self.presenter.run_with_answer(answer, self.inputs.inputs())

    def run_anyway(self):
        self.presenter.run_anyway(self.inputs.inputs())

    def check_phrasing(self):
        self.presenter.check_phrasing(self.request.text(), self.inputs.inputs())

    def install_extra(self, extra):
        """Ask before the packages of an optional part are installed."""
        self._install.ask_extra(self.requirements_of(extra))
        self.reveal(self.ui.installCard)

    def test_remote(self):
        """Test the server of the settings, also while another reasoner is chosen."""
        self.presenter.test_connection("remote")

    def restart_worker(self):
        """End an idle worker, so that the next one sees packages that were installed; a busy one ends its job first."""
        self._restart_due = True
        self._restart_if_idle(self.presenter.state)

    # --- events -------------------------------------------------------------------------------------------------------

    def inputs_changed(self):
        """A selector or the request changed."""
        if self._closed or self.memory is None:
            return
        self._run.inputs_changed()
        self._phrasing.inputs_changed()
        if not self._scene_changes:
            self.memory.save_inputs()

    def enter(self):
        """The module is shown."""
        self.inputs.follow_active_volume()
        self.result.refresh()
        self.result.editor.resume()

    def exit(self):
        """Another module is shown: a run goes on, the editor gives keyboard and views back."""
        self.result.editor.pause()

    def scene_loading(self):
        """A scene begins to be loaded. At its end the selectors lose their nodes before :meth:`scene_changed` comes."""
        self._scene_changes = True

    def scene_closing(self):
        self._scene_changes = True
        self.result.editor.release()
        self._restored = None
        self.presenter.scene_closing()
        self.inputs.scene_closed()
        self.memory.forget()

    def scene_changed(self):
        """A scene was loaded or emptied."""
        try:
            self.memory.restore()
        finally:
            self._scene_changes = False
        self.inputs.follow_active_volume()

    def node_removed(self, node_id):
        if self._restored is not None and node_id == self._restored.segmentation_id:
            self._restored = None
            self._show(self.presenter.state)
        self.presenter.node_removed(node_id)

    def close(self):
        """Stop everything: run, worker, timers, shortcuts, editor. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        saving = self.presenter.state.review.busy
        self.presenter.close()
        for section in (self._run, *self._sections):
            if hasattr(section, "close"):
                section.close()
        if not saving:  # an episode that is being written gets the client's own time of grace
            self.timers.close()
            self.link.abandon()

    # --- within -------------------------------------------------------------------------------------------------------

    def _on_change(self, state):
        if self._closed:
            return
        if state.phase is not Phase.IDLE:
            self._restored = None
        self._show(state)
        if self._restored is None:
            self.memory.state_changed(state)
        self._restart_if_idle(state)

    def _show(self, state):
        if self._restored is not None:
            passing = {name: getattr(state, name) for name in _NOT_OF_A_RUN}
            state = replace(self._restored, **passing)
        burst = state.phase.busy or (state.phase is Phase.DONE and (self._shown.phase.busy or bool(self._due)))
        self._shown = state
        self._run.show(state)  # at once: what the button says is what it does
        self._due += [section for section in self._sections if section not in self._due]
        if burst:
            self._go_on_showing()
        else:
            while self._due:
                self._due.pop(0).show(state)

    def _go_on_showing(self):
        # Reports come in bursts, and a result is written into the scene just before it is shown. So what a run brings
        # is shown one section in each turn of events, and only as it is by then: the application never waits for all.
        if self._due and not self._going_on:
            self._going_on = True
            self.timers.call_later(0, self._show_next)

    def _show_next(self):
        self._going_on = False
        if self._due and not self._closed:
            section = self._due.pop(0)
            self._go_on_showing()
            section.show(self._shown)

    def show_restored(self, state):
        """Show what a loaded scene brought back, until the presenter has something newer."""
        if self.presenter.state.phase is Phase.IDLE:
            self._restored = state
            self._show(self.presenter.state)

    def _restart_if_idle(self, state):
        if self._restart_due and not state.phase.busy and not state.review.busy and not state.probing:
            self._restart_due = False
            self.client.restart()
            self._settings.installed()

    def _log(self, text):
        if self.presenter is not None:
            self.presenter.log(text)

    def _reveal(self, widget):
        if not self._closed and widget.visible:
            self.ui.panelScrollArea.ensureWidgetVisible(widget)

    def _style_notice(self):
        theme = self.theme
        self.ui.noticeLabel.setStyleSheet(
            f"color: {theme.ink['warning']}; background-color: {theme.tint['warning']};"
            " font-weight: bold; padding: 4px;"
        )
