"""Optional packages: asked for before anything is installed, and only when one is missing."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from .widgets import Rows, button, card_layout, icon_line, later, text_label

try:  # new in Slicer 5.12: it installs beside the event loop and tells when it is done
    from slicer.packaging import pip_install as _pip_install_beside
except ImportError:
    _pip_install_beside = None

__all__ = ["InstallCard", "missing_packages", "read_requirements"]

#: Scripted module of Slicer's PyTorch extension: the one way to torch that fits Slicer and the graphics card.
_TORCH_MODULE = "PyTorchUtils"
_TORCH = "torch"


def read_requirements(path):
    """Requirements of a pip file, comments and empty lines left out."""
    lines = (line.split("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def missing_packages(requirements):
    """Those requirements whose package can't be found; nothing is imported."""
    importlib.invalidate_caches()
    return [line for line in requirements if not _is_there(_IMPORTS.get(_name(line), _name(line)))]


#: Packages whose modules have another name.
_IMPORTS = {"pyspellchecker": "spellchecker"}


class InstallCard:
    """A card at the top of the panel. Nothing is contacted before its Install button is clicked."""

    def __init__(self, panel, requirements):
        self._panel = panel
        self._requirements = requirements
        self._rows = Rows(card_layout(panel.ui.installCard))
        self._light = False  # whether it is the light packages that are installed

    def ask_once(self):
        """Ask about the light packages where one is missing, unless the user has answered that for good."""
        if self._panel.preferences.get("lightPackagesAsked"):
            return
        missing = missing_packages(self._requirements)
        if missing:
            said = _(
                "Not part of Slicer: {names}. Install into Slicer's Python from the Python package index? No image and"
                " no request is sent. SEER also works without."
            ).format(names=_names(missing))
            self._ask(_("Better at misspelt requests with small packages"), said, self._install_light)
            never_tip = _("Go on without it, for good")
            self._rows.add(button(_("Don't ask again"), "installNeverButton", never_tip, self._never))

    def ask_extra(self, requirements):
        """Ask about what a model on this computer needs: PyTorch, by its extension, and some packages more."""
        missing, torch = missing_packages(requirements), not _is_there(_TORCH)
        if not missing and not torch:
            self._installed()
        elif torch and not _is_there(_TORCH_MODULE):
            self._show("warning", "warning", _("A model on this computer needs PyTorch"))
            said = _(
                "PyTorch comes with Slicer's extension “PyTorch”, which finds the one that fits Slicer and the graphics"
                " card. Install that extension in the Extensions Manager, restart Slicer, and come back here for the"
                " rest: {names}."
            )
            self._rows.add(text_label(said.format(names=_names(missing) or _("nothing more")), "installText"))
            self._add_close()
        else:
            what = ", ".join(filter(None, (_("PyTorch") if torch else "", _names(missing))))
            said = _(
                "{what} will be installed into Slicer's Python; PyTorch by its extension, the rest from the Python"
                " package index. With PyTorch that can be several gigabytes, and Slicer does not answer meanwhile. No"
                " image and no request is sent."
            ).format(what=what)
            install = later(self._install_extra, missing, torch)
            self._ask(_("Install what a model on this computer needs?"), said, install)

    def _install(self, requirements):
        """Install with what this version of Slicer has for it. The panel goes on; the worker starts afresh after it."""
        self._show("info", "info", _("Installing {names} …").format(names=_names(requirements)))
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

    def _install_light(self):
        self._light = True
        self._install(missing_packages(self._requirements))

    def _install_extra(self, missing, torch):
        """PyTorch first: what needs it then finds it there, and brings no other."""
        self._light = False
        if torch:
            try:
                made = importlib.import_module(_TORCH_MODULE).PyTorchUtilsLogic().installTorch()
            except Exception as error:  # noqa: BLE001 - an outer border: another extension's code
                self._failed(str(error))
                return
            if made is None:
                self._failed(_("PyTorch was not installed."))
                return
        if missing:
            self._install(missing)
        else:
            self._completed(0)

    def _ask(self, title, said, install):
        self._show("info", "info", title)
        self._rows.add(text_label(said, "installText"))
        later_tip = _("Go on without it; you are asked again next time")
        self._rows.add(button(_("Install"), "installButton", said, install))
        self._rows.add(button(_("Later"), "installLaterButton", later_tip, self._hide))

    def _completed(self, return_code):
        if return_code != 0:
            self._failed(_("pip ended with code {code}.").format(code=return_code))
            return
        if self._light:
            self._panel.preferences.set("lightPackagesAsked", True)
        self._panel.restart_worker()
        self._installed()

    def _installed(self):
        self._show("ok", "ok", _("Installed. The next run uses it."))
        self._add_close()

    def _failed(self, why):
        self._show("error", "error", _("It could not be installed: {why}").format(why=why))
        self._add_close()

    def _never(self):
        self._panel.preferences.set("lightPackagesAsked", True)
        self._hide()

    def _hide(self):
        self._rows.clear()
        self._panel.ui.installCard.setVisible(False)

    def _add_close(self):
        self._rows.add(button(_("Close"), "installCloseButton", _("Hide this message"), self._hide))

    def _show(self, kind, icon, text):
        frame, theme = self._panel.ui.installCard, self._panel.theme
        self._rows.clear()
        frame.setStyleSheet(theme.card_style("installCard", kind))
        self._rows.add(icon_line("installTitle", icon, theme, text, bold=True))
        frame.setVisible(True)


def _is_there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # half of it is
        return False


def _name(requirement):
    return re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0]


def _names(requirements):
    return ", ".join(_name(line) for line in requirements)
