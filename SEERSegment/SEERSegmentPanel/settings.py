"""Settings: who reads the request, who segments, what may leave this computer, and where things are kept."""

from __future__ import annotations

import ctk
import qt
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.choices import AUTOMATIC, reasoner_choice, wants_server
from SEERSegmentLib.presenter.preferences import default_episode_folder

from .fields import Fields, Row, form, group, select
from .models import AskingGroup, LocalGroup, MedVolGroup, RemoteGroup
from .parts import BackboneChoices, ReasonerChoices
from .widgets import button, text_label

__all__ = ["SettingsSection"]

#: After the last change of a setting, until the worker is asked what it comes to.
_PAUSE_MS = 600


class SettingsSection:
    """Built when it is first expanded; only then the worker is asked what there is. It contacts no server by itself."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = panel.ui
        self._built = False
        self._cancel_asking = None
        self._ui.settingsSection.connect("contentsCollapsed(bool)", self._collapsed)

    @property
    def built(self):
        return self._built

    def show(self, state):
        if not self._built:
            return
        self._reasoners.show(state.capabilities)
        self._backbones.show(state.capabilities)
        self._backbones.show_note()
        self._fill_devices(state.capabilities)
        self._remote.show(state)
        self._show_status(state)
        self._show_consents()

    def installed(self):
        """Packages were installed: what is shown of the parts is no longer so."""
        if self._built:
            self._panel.presenter.refresh_capabilities()

    def close(self):
        if self._cancel_asking is not None:
            self._cancel_asking()

    def _collapsed(self, collapsed):
        if collapsed:
            return
        if not self._built:
            self._build()
            self._built = True
            self._open_groups()
        if self._panel.presenter.state.capabilities is None:
            self._panel.presenter.refresh_capabilities()
        self.show(self._panel.presenter.state)

    # --- building -----------------------------------------------------------------------------------------------------

    def _build(self):
        panel, layout = self._panel, self._ui.settingsLayout
        reasoners = group(layout, "reasonerGroup", _("Reasoner"))
        rows = qt.QVBoxLayout()
        reasoners.addLayout(rows)
        self._reasoners = ReasonerChoices(panel, rows, self._reasoner_chosen)
        tip = _("Faster, and sends less: the model is asked only where the tables abstain or are unsure")
        text = _("Ask the embedded tables first")
        self._first = Fields(panel.preferences, self._changed).check("tablesFirstBox", "tablesFirst", text, tip)
        reasoners.addWidget(self._first)
        self._status = text_label("", "reasonerStatusLabel")
        reasoners.addWidget(self._status)
        self._medvol = MedVolGroup(panel, layout, self._reasoner_chosen)
        self._local = LocalGroup(panel, layout, self._changed)
        self._remote = RemoteGroup(panel, layout, self._changed)
        self._asking = AskingGroup(panel, layout, self._changed)
        self._build_consents(group(layout, "consentsGroup", _("What may leave this computer")))
        self._backbones = BackboneChoices(panel, group(layout, "backboneGroup", _("Segmentation")))
        self._build_rest(group(layout, "runGroup", _("Views, device and data")))

    def _build_consents(self, layout):
        self.consents_label = text_label("", "consentsLabel")
        layout.addWidget(self.consents_label)
        tip = _("You are asked again before anything is sent")
        forget = self._panel.presenter.forget_consents
        self.forget_button = button(_("Forget what was allowed"), "forgetConsentsButton", tip, forget)
        layout.addWidget(self.forget_button)

    def _build_rest(self, layout):
        preferences = self._panel.preferences
        fields, rows = Fields(preferences, self._changed), form(layout)
        choices = (
            (_("Automatic: what the reasoner is best with"), AUTOMATIC),
            (_("Multi-view: three planes"), "multi-view"),
            (_("seer-v1: 8 axial views"), "seer-v1"),
        )
        tip = _("Which views of the volume the reasoner sees; one that doesn't read them sees what it is best with")
        Row(rows, _("Views:"), fields.combo("presetComboBox", "preset", choices, tip))
        tip = _("Where models run; the embedded parts always use the processor")
        self.device_combo = fields.combo("deviceComboBox", "device", (), tip)
        self._devices = ()
        self._fill_devices(None)
        Row(rows, _("Device:"), self.device_combo)
        tip = _("The worker process ends after this time without a run, and gives its memory back")
        idle = Fields(preferences, self._idle_changed).count("idleMinutesBox", "idleMinutes", 1, 24 * 60, tip)
        idle.setSuffix(_(" min"))
        Row(rows, _("Worker ends after:"), idle)
        self.folder_button = ctk.ctkDirectoryButton()
        self.folder_button.setObjectName("episodeFolderButton")
        self.folder_button.setToolTip(_("Reviewed episodes are kept here, on this computer"))
        # A long path must not widen the panel; the button shows its middle as an ellipsis.
        self.folder_button.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
        self.folder_button.elideMode = qt.Qt.ElideMiddle
        self.folder_button.directory = preferences.get("episodeFolder") or default_episode_folder()
        self.folder_button.connect("directorySelected(QString)", self._folder_selected)
        Row(rows, _("Episodes:"), self.folder_button)

    # --- state --------------------------------------------------------------------------------------------------------

    def _fill_devices(self, capabilities):
        chosen = self._panel.preferences.get("device")
        listed = capabilities.devices if capabilities else ()
        devices = tuple(dict.fromkeys(("auto", *listed, chosen)))
        if devices == self._devices:
            return
        self._devices = devices
        self.device_combo.clear()
        for device in devices:
            self.device_combo.addItem(_("Automatic") if device == "auto" else device, device)
        select(self.device_combo, chosen)

    def _open_groups(self):
        """Unfold what the chosen reasoner is made of, and fold the rest."""
        preferences = self._panel.preferences
        kind = preferences.get("reasonerKind")
        model = preferences.get("medvolModel") if kind == "medvol" else kind
        self._first.setVisible(kind in ("local", "remote"))
        self._medvol.box.setVisible(kind == "medvol")
        self._asking.box.setVisible(kind != "medvol")
        self._local.box.collapsed = model != "local"
        self._remote.box.collapsed = model != "remote"
        self._asking.box.collapsed = kind not in ("local", "remote")

    def _show_status(self, state):
        """Whether the chosen reasoner can run as it is set up."""
        choice, chosen = reasoner_choice(self._panel.preferences), state.chosen
        known = bool(choice.options) and chosen is not None and chosen.name == choice.name
        self._status.setVisible(known)
        if known:
            ready = _("Ready. A model is loaded, or a server contacted, with the first run.")
            why = self._missing(choice) or chosen.what_to_do
            self._status.setText(ready if chosen.ready else _("Not ready: {why}").format(why=why))
            ink = self._panel.theme.ink["ok" if chosen.ready else "warning"]
            self._status.setStyleSheet(f"color: {ink};")

    def _missing(self, choice):
        """What the user has not entered yet, in a sentence."""
        if wants_server(choice):
            return "" if choice.options.get("url") else _("enter the server's address below.")
        return "" if choice.options.get("model") else _("choose the folder of the model below.")

    def _show_consents(self):
        consents = self._panel.preferences.get("consents")
        words = {
            "snapshots": _("snapshots"),
            "slices": _("series of slices"),
            "identifiers": _("names as typed"),
            "volume": _("the volume"),
        }
        lines = [
            _("{server}: {what}, without asking").format(server=server, what=" + ".join(words.get(w, w) for w in what))
            for server, what in consents.items()
        ]
        nothing = _("Nothing, unless you allow it. SEER asks before it sends, per server, and names what is sent.")
        self.consents_label.setText("\n".join(lines) or nothing)
        self.forget_button.setVisible(bool(lines))

    # --- intents ------------------------------------------------------------------------------------------------------

    def _reasoner_chosen(self):
        self._open_groups()
        self._changed()

    def _changed(self):
        """Ask the worker what the settings come to, once the user has stopped typing."""
        self.show(self._panel.presenter.state)
        self.close()
        self._cancel_asking = self._panel.timers.call_later(_PAUSE_MS, self._ask)

    def _ask(self):
        self._cancel_asking = None
        if self._panel.presenter.state.phase.busy or self._panel.presenter.state.consent is not None:
            return  # a run looks for itself
        if reasoner_choice(self._panel.preferences).options:
            self._panel.presenter.refresh_capabilities()

    def _idle_changed(self):
        self._panel.client.idle_seconds = 60.0 * self._panel.preferences.get("idleMinutes")  # of the next worker

    def _folder_selected(self, folder):
        self._panel.preferences.set("episodeFolder", folder)
