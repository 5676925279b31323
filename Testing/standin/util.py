# ruff: noqa: N803 - the names are Slicer's
"""``slicer.util``: the module of the core wheel, with what would wait for a person or install something taken out.

Names that the application's ``slicer.util`` doesn't have are refused. Most functions are Slicer's own and run as they
are on the stand-in's ``qt``, ``ctk`` and ``slicer.app``.
"""

from __future__ import annotations

import datetime
import shlex
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .dialogs import dialogs, message, question
from .surface import surface

__all__ = ["replace"]


class StrictModule(types.ModuleType):
    """A module that has the names of the application's module of that name, private ones apart."""

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name not in surface().names("slicer.util"):
            raise AttributeError(f"module 'slicer.util' has no attribute '{name}'")
        return super().__getattribute__(name)


def replace(util: types.ModuleType, run_tests: Callable[[], bool]) -> None:
    """Put the stand-in's functions into ``slicer.util`` and make it strict; ``run_tests()`` is ``testingEnabled``."""
    if isinstance(util, StrictModule):
        return

    def confirm(kind: str) -> Callable[..., bool]:
        ask = question(kind)

        def display(text: str, windowTitle: Any = None, parent: Any = None, **options: Any) -> bool:
            # As in the application, where a question in testing mode is answered with yes.
            return True if run_tests() else bool(ask(text, windowTitle, parent, **options))

        return display

    replacements: dict[str, Any] = {
        "infoDisplay": message("info"),
        "warningDisplay": message("warning"),
        "errorDisplay": message("error"),
        "confirmOkCancelDisplay": confirm("confirmOkCancel"),
        "confirmYesNoDisplay": confirm("confirmYesNo"),
        "confirmRetryCloseDisplay": question("confirmRetryClose"),
        "messageBox": _message_box,
        "delayDisplay": _delay,
        "showStatusMessage": _status,
        "pip_install": _pip_install,
        "pip_uninstall": _pip_uninstall,
        "selectModule": _select_module,
        "selectedModule": _selected_module,
        "moduleNames": _module_names,
        "getModuleWidget": _module_widget,
        "getModuleLogic": _module_logic,
        "tempDirectory": _temporary,
        "loadUI": _load_ui,
        "forceRenderAllViews": _render,
        "setViewControllersVisible": _nothing,
        "restart": _restart,
        "reloadScriptedModule": _reload,
    }
    for name, function in replacements.items():
        assert name in surface().names("slicer.util"), name
        setattr(util, name, function)
    util.__class__ = StrictModule


def _message_box(text: str, parent: Any = None, **options: Any) -> int:
    import qt

    dialogs.tell("messageBox", text, options.get("windowTitle", ""), options.get("detailedText", ""))
    return int(qt.QMessageBox.Ok)


def _delay(message: str, autoCloseMsec: int = 1000, parent: Any = None, **options: Any) -> None:
    """Note it and let the events run; nobody waits."""
    import slicer

    dialogs.tell("delay", message)
    slicer.app.processEvents()


def _status(message: str, duration: int = 0) -> bool:
    dialogs.tell("status", message)
    return True


def _arguments(requirements: Any) -> str:
    if isinstance(requirements, str):
        return shlex.join(shlex.split(requirements))
    if isinstance(requirements, list):
        return shlex.join(requirements)
    raise ValueError("pip_install requirement input must be string or list")


def _pip_install(requirements: Any) -> None:
    """Note what would be installed."""
    dialogs.installed.append(_arguments(requirements))


def _pip_uninstall(requirements: Any) -> None:
    dialogs.installed.append(f"uninstall {_arguments(requirements)}")


def _select_module(module: Any) -> None:
    import slicer

    from .pythonqt import unwrap

    unwrap(slicer.app.moduleManager()).select(module if isinstance(module, str) else module.name)


def _selected_module() -> str:
    import slicer

    from .pythonqt import unwrap

    return str(unwrap(slicer.app.moduleManager()).selected)


def _module_names() -> tuple[str, ...]:
    import slicer

    return tuple(slicer.app.moduleManager().modulesNames())


def _module_widget(module: Any) -> Any:
    import slicer

    found = slicer.util.getModule(module) if isinstance(module, str) else module
    if found.widgetRepresentation() is None:
        raise RuntimeError(f"Could not find module widget representation with name '{found.name}'")
    return found.widgetRepresentation().self()


def _module_logic(module: Any) -> Any:
    import slicer

    found = slicer.util.getModule(module) if isinstance(module, str) else module
    widget = found.widgetRepresentation()
    logic = getattr(widget.self(), "logic", None) if widget is not None else found.logic()
    if not logic:
        raise RuntimeError(f"Could not find module widget representation with name '{found.name}'")
    return logic


def _temporary(key: str = "__SlicerTemp__", tempDir: Any = None, includeDateTime: bool = True) -> str:
    """A new folder in the application's temporary folder."""
    import slicer

    stamp = datetime.datetime.now().strftime("%Y-%m-%d_%H+%M+%S.%f") if includeDateTime else ""
    folder = Path(str(tempDir or slicer.app.temporaryPath)) / f"{key}{stamp}"
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def _load_ui(path: str) -> Any:
    from .uiloader import load_ui

    if not Path(path).is_file():
        raise RuntimeError(f"Could not load UI file: file not found {path}")
    return load_ui(path)


def _render() -> None:
    import slicer

    slicer.app.processEvents()


def _restart() -> None:
    import slicer

    slicer.app.restart()


def _reload(moduleName: str) -> Any:
    from .module_loader import reload

    return reload(moduleName)


def _nothing(*_: Any) -> None:
    """There is nothing of the kind here."""
