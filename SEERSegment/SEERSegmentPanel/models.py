"""Settings of the models that can read a request: where each is, and how it is asked."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.choices import is_hub_name

from .fields import Fields, Row, folding_group, form, hint
from .widgets import button, text_label

__all__ = ["AskingGroup", "LocalGroup", "MedVolGroup", "RemoteGroup"]


class LocalGroup:
    """A model on this computer: its folder, that of an adapter, and a commit for what is named as on the hub."""

    def __init__(self, panel, layout, on_change):
        self._preferences = panel.preferences
        self._on_change = on_change
        self.box, inner = folding_group(layout, "localGroup", _("Local model"))
        fields, rows = Fields(panel.preferences, self._changed), form(inner)
        commit = _("Commit: 40 digits")
        pinned = _("Which state of it; what a name stands for on the hub may change")
        model_tip = _("Folder of a Qwen3-VL, such as Qwen3-VL-4B-Instruct; or organisation/name on the hub")
        adapter_tip = _("Folder of a LoRA adapter, such as SEER's; empty to ask the model as it is")
        Row(rows, _("Model:"), fields.path("localModelEdit", "localModel", model_tip, folder=True))
        self._revision = Row(rows, _("Its commit:"), fields.line("localRevisionEdit", "localRevision", commit, pinned))
        Row(rows, _("Adapter:"), fields.path("localAdapterEdit", "localAdapter", adapter_tip, folder=True))
        edit = fields.line("adapterRevisionEdit", "adapterRevision", commit, pinned)
        self._adapter_revision = Row(rows, _("Its commit:"), edit)
        tip = _("From the Hugging Face hub: 9 GB and more for a model; no image and no request is sent")
        self._download = fields.check("downloadBox", "download", _("Download what is not on this computer"), tip)
        inner.addWidget(self._download)
        self._show_commits()

    def _changed(self):
        self._show_commits()
        self._on_change()

    def _show_commits(self):
        model, adapter = (is_hub_name(self._preferences.get(name)) for name in ("localModel", "localAdapter"))
        self._revision.show(model)
        self._adapter_revision.show(adapter)
        self._download.setVisible(model or adapter)


class RemoteGroup:
    """A model on a server: address, name and key, and what becomes of patients' names in a request."""

    def __init__(self, panel, layout, on_change):
        self._panel = panel
        self._on_change = on_change
        self._probe, self._probing = None, False
        self.box, inner = folding_group(layout, "remoteGroup", _("Remote server"))
        fields, rows = Fields(panel.preferences, self._changed), form(inner)
        self._url = fields.line("remoteUrlEdit", "remoteUrl", _("https://server.example/v1"))
        key = fields.line("remoteKeyEdit", "remoteKey", _("None"))
        key.setEchoMode(qt.QLineEdit.Password)
        Row(rows, _("Address:"), self._url)
        Row(rows, _("Model:"), fields.line("remoteModelEdit", "remoteModel", _("The server's first model")))
        Row(rows, _("Key:"), key)
        tip = _("Otherwise it is forgotten when Slicer ends")
        remember = _("Remember the key on this computer")
        inner.addWidget(fields.check("rememberKeyBox", "rememberKey", remember, tip))
        said = _(
            "The key is then written to Slicer's settings file in clear: anybody who can read that file can use it."
        )
        self._warning = hint(inner, "rememberKeyWarning", said, panel.theme.ink["warning"])
        choices = (
            (_("Taken out of a request"), "mask"),
            (_("Such a request is not sent"), "refuse"),
            (_("Sent as typed"), "send"),
        )
        tip = _("What becomes of what looks like the name, a number or a date of a patient in a request")
        Row(form(inner), _("Patients' names:"), fields.combo("identifiersComboBox", "identifiers", choices, tip))
        tip = _("Ask the server for its list of models; neither image nor request is sent")
        self._test = button(_("Test connection"), "testConnectionButton", tip, panel.test_remote)
        inner.addWidget(self._test)
        self._said = text_label("", "probeLabel")
        inner.addWidget(self._said)
        self._show()

    def show(self, state):
        """The outcome of a test of the connection."""
        if (state.probe, state.probing) != (self._probe, self._probing):
            self._probe, self._probing = state.probe, state.probing
            self._show()

    def _changed(self):
        self._show()
        self._on_change()

    def _show(self):
        theme, probe, preferences = self._panel.theme, self._probe, self._panel.preferences
        self._warning.setVisible(preferences.get("rememberKey"))
        self._test.setEnabled(bool(self._url.text.strip()) and not self._probing)
        self._said.setVisible(self._probing or probe is not None)
        if self._probing:
            self._said.setText(_("Asking the server …"))
            self._said.setStyleSheet("")
        elif probe is not None:
            models = "\n" + _("Models: {models}").format(models=", ".join(probe.models)) if probe.models else ""
            self._said.setText(probe.message + models)
            self._said.setStyleSheet(f"color: {theme.ink['ok' if probe.ok else 'error']};")


class AskingGroup:
    """How a local or remote model is asked: in whose words, and in how many wordings."""

    def __init__(self, panel, layout, on_change):
        self._preferences = panel.preferences
        self._on_change = on_change
        self.box, inner = folding_group(layout, "askingGroup", _("How the model is asked"))
        fields, rows = Fields(panel.preferences, self._changed), form(inner)
        choices = (
            (_("SEER's own, as in this extension"), "seer"),
            (_("Those of the official release 1.1"), "official"),
            (_("Those of the official release 1.0"), "official-v1.0"),
            (_("My own, from a file"), "custom"),
        )
        tip = _("SEER's released adapter was trained with the official words; they are read from a copy of its source")
        Row(rows, _("Words:"), fields.combo("templateComboBox", "template", choices, tip))
        tip = _("Folder of a checkout of the official SEER repository; its texts are read, nothing in it is executed")
        edit = fields.path("officialCheckoutEdit", "officialCheckout", tip, folder=True)
        self._checkout = Row(rows, _("Checkout:"), edit)
        tip = _("A JSON file with name, version, system and user")
        self._file = Row(rows, _("File:"), fields.path("templateFileEdit", "templateFile", tip))
        tip = _("The model reads so many other wordings of the request together with it; the answer of most is taken")
        count = fields.count("rephrasingsBox", "rephrasings", 0, 16, tip)
        count.setSpecialValueText(_("None: the request alone"))
        Row(rows, _("Rephrasings asked together:"), count)
        self._show_paths()

    def _changed(self):
        self._show_paths()
        self._on_change()

    def _show_paths(self):
        template = self._preferences.get("template")
        self._checkout.show(template.startswith("official"))
        self._file.show(template == "custom")


class MedVolGroup:
    """What stands behind MedVol-R1, and in which numbers it was trained to reply."""

    def __init__(self, panel, layout, on_change):
        self.box, inner = folding_group(layout, "medvolGroup", _("MedVol-R1"))
        fields, rows = Fields(panel.preferences, on_change), form(inner)
        choices = ((_("The local model below"), "local"), (_("The server below"), "remote"))
        tip = _("A vision-language model that was trained as MedVol-R1")
        Row(rows, _("Model:"), fields.combo("medvolModelComboBox", "medvolModel", choices, tip))
        choices = ((_("In thousandths of the picture"), "relative-1000"), (_("In pixels"), "pixels"))
        tip = _("How the boxes in its replies are given: as its weights were trained")
        Row(rows, _("Boxes:"), fields.combo("medvolScaleComboBox", "medvolScale", choices, tip))
        choices = ((_("Those shown, from 1"), "shown"), (_("All of the volume, from 0 at the head"), "source"))
        tip = _("How the slices are numbered: as its weights were trained")
        Row(rows, _("Slices:"), fields.combo("medvolNumberingComboBox", "medvolNumbering", choices, tip))
