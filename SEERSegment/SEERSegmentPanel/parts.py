"""The parts that can be chosen: reasoners and backbones, each with whether it can run here and what it needs."""

from __future__ import annotations

import ctk
import qt
from slicer.i18n import tr as _

from SEERSegmentLib.presenter import wording
from SEERSegmentLib.presenter.catalogue import find_part, stand_in_for
from SEERSegmentLib.presenter.choices import REASONER_KINDS

from .widgets import Rows, button, later, text_label

__all__ = ["BackboneChoices", "ReasonerChoices"]


class _Choices:
    """A column of radio buttons, one for each part, with a line under each; rebuilt when the list of parts changes."""

    preference = ""

    def __init__(self, panel, layout):
        self._panel = panel
        self._listed = 0  # neither a report nor None: the first show builds
        self._rows = Rows(layout)
        self._radios = {}
        self._group = None

    def show(self, capabilities):
        parts = capabilities.parts if capabilities else None
        if parts == self._listed:
            return
        self._listed = parts
        self._rows.clear()
        self._radios = {}
        self._group = qt.QButtonGroup()
        self._forget()
        self._build(parts)

    def _add(self, value, name, title, said, enabled):
        radio = qt.QRadioButton(title)
        radio.setObjectName(name)
        radio.setToolTip(said)
        radio.setAccessibleName(title)
        radio.setAccessibleDescription(said)
        radio.setChecked(self._panel.preferences.get(self.preference) == value)
        radio.setEnabled(enabled)
        radio.connect("clicked()", later(self._choose, value))
        self._group.addButton(radio)
        self._radios[value] = radio
        self._rows.add(radio)
        below = text_label(said, f"{name}Text")
        below.setIndent(22)
        below.setStyleSheet(f"color: {self._panel.theme.muted};")
        self._rows.add(below)

    def _choose(self, value):
        self._panel.preferences.set(self.preference, value)
        self._chosen(value)

    def _forget(self):
        """For what goes with the rows."""

    def _chosen(self, value):
        """For what depends on the choice."""

    def _build(self, parts):
        """Make the choices; each of the two lists below has its own."""
        raise NotImplementedError


def _state_of(part):
    """A part in a line: what it is, and whether it can run."""
    if part.ready:
        return part.summary
    return f"{part.summary} {_('Not ready:')} {part.what_to_do}{_needs_of(part)}"


def _needs_of(part):
    return _(" Needs: {needs}.").format(needs=", ".join(part.needs)) if part.needs else ""


class ReasonerChoices(_Choices):
    """Embedded, local, remote, MedVol-R1, and whatever a third party registered.

    ``on_choice`` is called after each choice by the user.
    """

    preference = "reasonerKind"

    def __init__(self, panel, layout, on_choice):
        super().__init__(panel, layout)
        self._on_choice = on_choice

    def _build(self, parts):
        by_name = {part.name: part for part in parts or () if part.kind == "reasoner"}
        by_name.pop("cascade", None)  # a switch of the two kinds of model
        titles = {
            "embedded": _("Embedded: rules and vocabulary"),
            "local": _("Local: a model on this computer"),
            "remote": _("Remote: a model on a server"),
            "medvol": _("MedVol-R1: key slices and boxes"),
        }
        for kind, title in titles.items():
            part = by_name.pop(REASONER_KINDS[kind], None)
            if part is None:
                said = _("Looking up what there is …") if parts is None else _("Not available in this version.")
            elif kind == "embedded":
                said = _state_of(part)
            elif part.code == "part-unloadable":
                said = part.what_to_do
            else:  # whether it is ready depends on the settings below, and is said there
                said = part.summary + _needs_of(part)
            chosen = self._panel.preferences.get(self.preference) == kind
            self._add(kind, f"reasoner_{kind}", title, said, part is not None or chosen)
            if part is not None and part.extra and self._panel.requirements_of(part.extra):
                tip = _("Install what a model on this computer needs into Slicer's Python")
                install = later(self._panel.install_extra, part.extra)
                self._rows.add(button(_("Install …"), f"install_{part.name}", tip, install))
        for part in by_name.values():
            if part.name in titles:
                continue  # would be taken for the kind of that name
            self._add(part.name, f"reasoner_{part.name}", part.name, _state_of(part), True)

    def _chosen(self, value):
        self._on_choice()


class BackboneChoices(_Choices):
    """All backbones; those that are not ready say what they need."""

    preference = "backbone"
    _note = labels_edit = None

    def _forget(self):
        self._note = self.labels_edit = None

    def _build(self, parts):
        if parts is None:
            self._rows.add(text_label(_("Looking up what there is …"), "backbonesWaitLabel"))
        for part in parts or ():
            if part.kind != "backbone":
                continue
            reference = part.name == "reference"
            # The reference backbone is made ready by the path below it, so it can be chosen before that.
            self._add(part.name, f"backbone_{part.name}", part.name, _state_of(part), part.ready or reference)
            if reference:
                self._add_labels()
            elif part.extra and not part.ready:
                requirements = self._panel.requirements_of(part.extra)
                tip = _("Install what it needs into Slicer's Python") if requirements else part.what_to_do
                install = later(self._panel.install_extra, part.extra)
                install = button(_("Install …"), f"install_{part.name}", tip, install)
                install.setEnabled(bool(requirements))
                self._rows.add(install)
        self._note = self._rows.add(text_label("", "backboneNoteLabel"))
        self._note.setStyleSheet(f"color: {self._panel.theme.ink['warning']};")
        self._chosen(self._panel.preferences.get(self.preference))

    def show_note(self):
        """Say where the chosen backbone can't take up what the chosen reasoner replies."""
        if self._note is None:
            return
        preferences, capabilities = self._panel.preferences, self._panel.presenter.state.capabilities
        kind, backbone = preferences.get("reasonerKind"), preferences.get("backbone")
        reasoner = find_part(capabilities, "reasoner", REASONER_KINDS.get(kind, kind))
        instead = stand_in_for(backbone, capabilities, reasoner)
        self._note.setText(wording.stand_in(backbone, instead) if instead else "")
        self._note.setVisible(bool(instead))

    def _add_labels(self):
        self.labels_edit = ctk.ctkPathLineEdit()
        self.labels_edit.setObjectName("referenceLabelsEdit")
        self.labels_edit.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
        self.labels_edit.setToolTip(_("The label map that the backbone 'reference' answers from"))
        self.labels_edit.currentPath = self._panel.preferences.get("referenceLabels")
        self.labels_edit.connect("currentPathChanged(QString)", self._labels_changed)
        self._rows.add(self.labels_edit)

    def _chosen(self, value):
        if self.labels_edit is not None:
            self.labels_edit.setVisible(value == "reference")
        self.show_note()

    def _labels_changed(self, path):
        self._panel.preferences.set("referenceLabels", path)
