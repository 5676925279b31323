"""Settings: who reads the request, who segments, what may leave this computer, and where things are kept."""

from __future__ import annotations

import ctk
import qt
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.preferences import default_episode_folder

from .parts import BackboneChoices, ReasonerChoices
from .widgets import button, text_label

__all__ = ["SettingsSection"]


class SettingsSection:
    """Built when it is first expanded; only then the worker is asked what there is. It contacts no server by itself."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = panel.ui
        self._built = False
        self._probe = None
        self._probing = False
        self._reasoners = self._backbones = None
        self._ui.settingsSection.connect("contentsCollapsed(bool)", self._collapsed)

    @property
    def built(self):
        return self._built

    def show(self, state):
        if not self._built:
            return
        self._reasoners.show(state.capabilities)
        self._backbones.show(state.capabilities)
        self._fill_devices(state.capabilities)
        if (state.probe, state.probing) != (self._probe, self._probing):
            self._probe, self._probing = state.probe, state.probing
            self._show_probe()
        self._show_consents()

    def _collapsed(self, collapsed):
        if collapsed:
            return
        if not self._built:
            self._build()
            self._built = True
        if self._panel.presenter.state.capabilities is None:
            self._panel.presenter.refresh_capabilities()
        self.show(self._panel.presenter.state)

    # --- building -----------------------------------------------------------------------------------------------------

    def _build(self):
        layout = self._ui.settingsLayout
        self._reasoners = ReasonerChoices(self._panel, _group(layout, "reasonerGroup", _("Reasoner")))
        self._build_remote(_group(layout, "remoteGroup", _("Remote server")))
        self._build_consents(_group(layout, "consentsGroup", _("What may leave this computer")))
        self._backbones = BackboneChoices(self._panel, _group(layout, "backboneGroup", _("Segmentation")))
        self._build_rest(_group(layout, "runGroup", _("Views, device and data")))

    def _build_remote(self, layout):
        preferences = self._panel.preferences
        form = _form(layout)
        self.url_edit = self._line("remoteUrlEdit", "remoteUrl", _("https://server.example/v1"))
        self.model_edit = self._line("remoteModelEdit", "remoteModel", _("The server's first model"))
        self.key_edit = self._line("remoteKeyEdit", "remoteKey", _("None"))
        self.key_edit.setEchoMode(qt.QLineEdit.Password)
        form.addRow(_("Address:"), self.url_edit)
        form.addRow(_("Model:"), self.model_edit)
        form.addRow(_("Key:"), self.key_edit)
        self.remember_box = qt.QCheckBox(_("Remember the key on this computer"))
        self.remember_box.setObjectName("rememberKeyBox")
        self.remember_box.setToolTip(_("Otherwise it is forgotten when Slicer ends"))
        self.remember_box.setChecked(preferences.get("rememberKey"))
        self.remember_box.connect("toggled(bool)", self._remember_changed)
        layout.addWidget(self.remember_box)
        self.remember_warning = text_label(
            _("The key is then written to Slicer's settings file in clear: anybody who can read that file can use it."),
            "rememberKeyWarning",
        )
        self.remember_warning.setStyleSheet(f"color: {self._panel.theme.ink['warning']};")
        self.remember_warning.setVisible(preferences.get("rememberKey"))
        layout.addWidget(self.remember_warning)
        tip = _("Ask the server for its list of models; neither image nor request is sent")
        self.test_button = button(_("Test connection"), "testConnectionButton", tip, self._test)
        self.test_button.setEnabled(bool(self.url_edit.text.strip()))
        layout.addWidget(self.test_button)
        self.probe_label = text_label("", "probeLabel")
        self.probe_label.hide()
        layout.addWidget(self.probe_label)

    def _build_consents(self, layout):
        self.consents_label = text_label("", "consentsLabel")
        layout.addWidget(self.consents_label)
        tip = _("You are asked again before anything is sent")
        forget = self._panel.presenter.forget_consents
        self.forget_button = button(_("Forget what was allowed"), "forgetConsentsButton", tip, forget)
        layout.addWidget(self.forget_button)

    def _build_rest(self, layout):
        preferences = self._panel.preferences
        form = _form(layout)
        self.preset_combo = self._combo("presetComboBox", "preset")
        for text, value in ((_("Multi-view: three planes"), "multi-view"), (_("seer-v1: 8 axial views"), "seer-v1")):
            self.preset_combo.addItem(text, value)
        self._select(self.preset_combo, preferences.get("preset"))
        self.preset_combo.setToolTip(_("Which views of the volume the reasoner sees"))
        form.addRow(_("Views:"), self.preset_combo)
        self.device_combo = self._combo("deviceComboBox", "device")
        self.device_combo.setToolTip(_("Where models run; the embedded parts always use the processor"))
        self._devices = ()
        self._fill_devices(None)
        form.addRow(_("Device:"), self.device_combo)
        self.idle_box = qt.QSpinBox()
        self.idle_box.setObjectName("idleMinutesBox")
        self.idle_box.setRange(1, 24 * 60)
        self.idle_box.setSuffix(_(" min"))
        self.idle_box.setValue(preferences.get("idleMinutes"))
        self.idle_box.setToolTip(_("The worker process ends after this time without a run, and gives its memory back"))
        self.idle_box.connect("valueChanged(int)", self._idle_changed)
        form.addRow(_("Worker ends after:"), self.idle_box)
        self.folder_button = ctk.ctkDirectoryButton()
        self.folder_button.setObjectName("episodeFolderButton")
        self.folder_button.setToolTip(_("Reviewed episodes are kept here, on this computer"))
        # A long path must not widen the panel; the button shows its middle as an ellipsis.
        self.folder_button.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
        self.folder_button.elideMode = qt.Qt.ElideMiddle
        self.folder_button.directory = preferences.get("episodeFolder") or default_episode_folder()
        self.folder_button.connect("directorySelected(QString)", self._folder_selected)
        form.addRow(_("Episodes:"), self.folder_button)

    def _line(self, name, preference, placeholder):
        edit = qt.QLineEdit()
        edit.setObjectName(name)
        edit.setText(self._panel.preferences.get(preference))
        edit.setPlaceholderText(placeholder)

        def changed(text):
            self._panel.preferences.set(preference, text.strip())
            self.test_button.setEnabled(bool(self.url_edit.text.strip()))

        edit.connect("textChanged(QString)", changed)
        return edit

    def _combo(self, name, preference):
        combo = qt.QComboBox()
        combo.setObjectName(name)

        def changed(_index):
            if combo.currentData is not None:
                self._panel.preferences.set(preference, combo.currentData)

        combo.connect("activated(int)", changed)
        return combo

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
        self._select(self.device_combo, chosen)

    def _select(self, combo, value):
        combo.setCurrentIndex(combo.findData(value))

    def _show_probe(self):
        theme, probe = self._panel.theme, self._probe
        self.test_button.setEnabled(not self._probing)
        self.probe_label.setVisible(self._probing or probe is not None)
        if self._probing:
            self.probe_label.setText(_("Asking the server …"))
            self.probe_label.setStyleSheet("")
        elif probe is not None:
            models = "\n" + _("Models: {models}").format(models=", ".join(probe.models)) if probe.models else ""
            self.probe_label.setText(probe.message + models)
            self.probe_label.setStyleSheet(f"color: {theme.ink['ok' if probe.ok else 'error']};")

    def _show_consents(self):
        consents = self._panel.preferences.get("consents")
        words = {"snapshots": _("snapshots"), "volume": _("the volume")}
        lines = [
            _("{server}: {what}, without asking").format(server=server, what=" + ".join(words.get(w, w) for w in what))
            for server, what in consents.items()
        ]
        nothing = _("Nothing, unless you allow it. SEER asks before it sends, per server, and names what is sent.")
        self.consents_label.setText("\n".join(lines) or nothing)
        self.forget_button.setVisible(bool(lines))

    # --- intents ------------------------------------------------------------------------------------------------------

    def _remember_changed(self, on):
        self._panel.preferences.set("rememberKey", bool(on))
        self.remember_warning.setVisible(bool(on))

    def _test(self):
        self._panel.test_remote()

    def _idle_changed(self, value):
        self._panel.preferences.set("idleMinutes", value)
        self._panel.client.idle_seconds = 60.0 * value  # of the next worker

    def _folder_selected(self, folder):
        self._panel.preferences.set("episodeFolder", folder)


def _group(layout, name, title):
    """A titled box in the section; its layout."""
    box = qt.QGroupBox(title)
    box.setObjectName(name)
    inner = qt.QVBoxLayout(box)
    inner.setContentsMargins(8, 6, 8, 8)
    inner.setSpacing(5)
    layout.addWidget(box)
    return inner


def _form(layout):
    form = qt.QFormLayout()
    form.setFieldGrowthPolicy(qt.QFormLayout.AllNonFixedFieldsGrow)
    layout.addLayout(form)
    return form
