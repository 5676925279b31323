"""Optional packages: asked for before anything is installed, and only when one is missing."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from .widgets import Rows, button, card_layout, icon_line, text_label

try:  # new in Slicer 5.12: it installs beside the event loop and tells when it is done
    from slicer.packaging import pip_install as _pip_install_beside
except ImportError:
    _pip_install_beside = None

__all__ = ["InstallCard", "missing_packages", "read_requirements"]


def read_requirements(path):
    """Requirements of a pip file, comments and empty lines left out."""
    lines = (line.split("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def missing_packages(requirements):
    """Those requirements whose package can't be found; nothing is imported. Import and package name are the same."""
    importlib.invalidate_caches()
    names = {line: re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in requirements}
    return [line for line, name in names.items() if importlib.util.find_spec(name) is None]


class InstallCard:
    """A card at the top of the panel. Nothing is contacted before its Install button is clicked."""

    def __init__(self, panel, requirements):
        self._panel = panel
        self._requirements = requirements
        self._rows = Rows(card_layout(panel.ui.installCard))

    def ask_once(self):
        """Show the question where a package is missing, unless the user has answered it for good."""
        if self._panel.preferences.get("lightPackagesAsked"):
            return
        missing = missing_packages(self._requirements)
        if missing:
            self._ask(missing)

    def install(self, requirements):
        """Install with what this version of Slicer has for it. The panel goes on; the worker starts afresh after it."""
        names = ", ".join(requirements)
        self._show("info", "info", _("Installing {names} …").format(names=names))
        try:
            if _pip_install_beside is not None:
                _pip_install_beside(requirements, blocking=False, requester="SEER", completedCallback=self._completed)
                if slicer.app.testingEnabled():  # then it has waited for pip, and calls nothing back
                    self._completed(0)
            else:
                slicer.util.pip_install(requirements)
                self._completed(0)
        except Exception as error:  # noqa: BLE001 - an outer border: whatever pip raised is shown to the user
            self._failed(str(error))

    def _ask(self, missing):
        names = ", ".join(re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in missing)
        self._show("info", "info", _("Better at misspelt requests with one small package"))
        said = _(
            "{names} is not part of Slicer. Install it into Slicer's Python from the Python package index? No image and"
            " no request is sent. SEER also works without it."
        )
        self._rows.add(text_label(said.format(names=names), "installText"))
        later_tip = _("Go on without it; you are asked again next time")
        never_tip = _("Go on without it, for good")
        self._rows.add(button(_("Install"), "installButton", said.format(names=names), self._install_light))
        self._rows.add(button(_("Later"), "installLaterButton", later_tip, self._hide))
        self._rows.add(button(_("Don't ask again"), "installNeverButton", never_tip, self._never))

    def _install_light(self):
        self.install(missing_packages(self._requirements))

    def _completed(self, return_code):
        if return_code != 0:
            self._failed(_("pip ended with code {code}.").format(code=return_code))
            return
        self._panel.preferences.set("lightPackagesAsked", True)
        self._panel.restart_worker()
        self._show("ok", "ok", _("Installed. The next run uses it."))
        self._rows.add(button(_("Close"), "installCloseButton", _("Hide this message"), self._hide))

    def _failed(self, why):
        self._show("error", "error", _("It could not be installed: {why}").format(why=why))
        self._rows.add(button(_("Close"), "installCloseButton", _("Hide this message"), self._hide))

    def _never(self):
        self._panel.preferences.set("lightPackagesAsked", True)
        self._hide()

    def _hide(self):
        self._rows.clear()
        self._panel.ui.installCard.setVisible(False)

    def _show(self, kind, icon, text):
        frame, theme = self._panel.ui.installCard, self._panel.theme
        self._rows.clear()
        frame.setStyleSheet(theme.card_style("installCard", kind))
        self._rows.add(icon_line("installTitle", icon, theme, text, bold=True))
        frame.setVisible(True)
