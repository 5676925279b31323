"""The parts that can be chosen: reasoners and backbones, each with whether it can run here and what it needs."""

from __future__ import annotations

import ctk
import qt
from slicer.i18n import tr as _

from SEERSegmentLib.presenter.preferences import REASONER_KINDS

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

    def _chosen(self, value):
        """For what depends on the choice."""

    def _build(self, parts):
        """Make the choices; each of the two lists below has its own."""
        raise NotImplementedError


def _state_of(part):
    """A part in a line: what it is, and whether it can run."""
    if part.ready:
        return part.summary
    needs = _(" Needs: {needs}.").format(needs=", ".join(part.needs)) if part.needs else ""
    return f"{part.summary} {_('Not ready:')} {part.what_to_do}{needs}"


class ReasonerChoices(_Choices):
    """Embedded, local, remote, and whatever a third party registered."""

    preference = "reasonerKind"

    def _build(self, parts):
        by_name = {part.name: part for part in parts or () if part.kind == "reasoner"}
        titles = {
            "embedded": _("Embedded: rules and vocabulary"),
            "local": _("Local: a model on this computer"),
            "remote": _("Remote: a model on a server"),
        }
        for kind, title in titles.items():
            part = by_name.pop(REASONER_KINDS[kind], None)
            if part is not None:
                said = _state_of(part)
            else:
                said = _("Looking up what there is …") if parts is None else _("Not available in this version.")
            chosen = self._panel.preferences.get(self.preference) == kind
            self._add(kind, f"reasoner_{kind}", title, said, part is not None or chosen)
        for part in by_name.values():
            if part.name in titles:
                continue  # would be taken for the kind of that name
            self._add(part.name, f"reasoner_{part.name}", part.name, _state_of(part), True)


class BackboneChoices(_Choices):
    """All backbones; those that are not ready say what they need."""

    preference = "backbone"

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
                install = button(_("Install …"), f"install_{part.name}", tip, later(self._install, requirements))
                install.setEnabled(bool(requirements))
                self._rows.add(install)
        self._chosen(self._panel.preferences.get(self.preference))

    def _add_labels(self):
        self.labels_edit = ctk.ctkPathLineEdit()
        self.labels_edit.setObjectName("referenceLabelsEdit")
        self.labels_edit.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Fixed)
        self.labels_edit.setToolTip(_("The label map that the backbone 'reference' answers from"))
        self.labels_edit.currentPath = self._panel.preferences.get("referenceLabels")
        self.labels_edit.connect("currentPathChanged(QString)", self._labels_changed)
        self._rows.add(self.labels_edit)

    def _chosen(self, value):
        if getattr(self, "labels_edit", None) is not None:
            self.labels_edit.setVisible(value == "reference")

    def _labels_changed(self, path):
        self._panel.preferences.set("referenceLabels", path)

    def _install(self, requirements):
        self._panel.install(requirements)
