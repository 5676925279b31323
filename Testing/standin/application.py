# ruff: noqa: N802, N815 - the names are Slicer's
"""``slicer.app``: settings in a temporary file, a temporary folder, the application's logic, and a layout manager."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    Property,
    QCoreApplication,
    QEvent,
    QObject,
    QProcessEnvironment,
    QSettings,
    Qt,
    QUrl,
    Signal,
)
from PySide6.QtWidgets import QApplication, QWidget

from .dialogs import dialogs
from .io_manager import CoreIOManager
from .layout import LayoutManager
from .modules import ModuleManager

__all__ = ["REVISION", "Application", "CommandOptions"]

#: Of the Slicer that the recorded surface is of, in the form that Slicer writes it.
REVISION = "34045"


class CommandOptions(QObject):
    """``slicer.app.commandOptions()``."""

    noMainWindow = Property(bool, lambda self: False)
    testingEnabled = Property(bool, lambda self: False)
    settingsEnabled = Property(bool, lambda self: True)
    pythonScript = Property(str, lambda self: "")
    pythonCode = Property(str, lambda self: "")
    exitAfterStartup = Property(bool, lambda self: False)
    additionalModulePaths = Property("QStringList", lambda self: [])

    def _run_and_exit(self) -> bool:
        return bool(self.__dict__.get("run_and_exit", False))

    def _set_run_and_exit(self, value: bool) -> None:
        self.__dict__["run_and_exit"] = value

    runPythonAndExit = Property(bool, _run_and_exit, _set_run_and_exit)


class Application(QObject):
    """What a module may ask of the application. ``testing`` is what ``testingEnabled()`` says."""

    aboutToQuit = Signal()
    startupCompleted = Signal()
    lastWindowClosed = Signal()
    focusChanged = Signal(QWidget, QWidget)
    mrmlSceneChanged = Signal(object)
    paletteChanged = Signal(object)
    applicationStateChanged = Signal(Qt.ApplicationState)
    renderPaused = Signal(bool)
    usageEventLogged = Signal(str, str)
    urlReceived = Signal(str)

    def __init__(self, scene: Any, application_logic: Any, version: tuple[int, int]) -> None:
        super().__init__()
        self._scene, self._logic, self._version = scene, application_logic, version
        self._temporary = tempfile.TemporaryDirectory(prefix="seer-standin-")
        self._options = CommandOptions(self)
        self._layout: LayoutManager | None = LayoutManager(scene, application_logic)
        self._modules = ModuleManager()
        self._io = CoreIOManager(scene)
        self.testing = False
        self._store()
        qt_application = QApplication.instance()
        assert isinstance(qt_application, QApplication)
        qt_application.aboutToQuit.connect(self.aboutToQuit)
        qt_application.lastWindowClosed.connect(self.lastWindowClosed)
        qt_application.focusChanged.connect(self.focusChanged)

    def _store(self) -> None:
        """Settings go to a file of this process, whatever the machine's user has."""
        QCoreApplication.setOrganizationName("NA-MIC")
        QCoreApplication.setApplicationName("Slicer")
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        for scope in (QSettings.Scope.UserScope, QSettings.Scope.SystemScope):
            QSettings.setPath(QSettings.Format.IniFormat, scope, self._temporary.name)

    # --- settings and files -------------------------------------------------------------------------------------------

    def settings(self) -> QSettings:
        return QSettings()

    userSettings = revisionUserSettings = settings

    def _path(self) -> str:
        folder = Path(self._temporary.name) / "temporary"
        folder.mkdir(exist_ok=True)
        return str(folder)

    def _cache(self) -> str:
        folder = Path(self._temporary.name) / "cache"
        folder.mkdir(exist_ok=True)
        return str(folder)

    def startupEnvironment(self) -> QProcessEnvironment:
        return QProcessEnvironment.systemEnvironment()

    environment = startupEnvironment

    def remove_files(self) -> None:
        """Take away the temporary folder, with the settings."""
        self._temporary.cleanup()

    # --- parts --------------------------------------------------------------------------------------------------------

    def mrmlScene(self) -> Any:
        return self._scene

    def applicationLogic(self) -> Any:
        return self._logic

    def layoutManager(self) -> LayoutManager | None:
        return self._layout

    def moduleManager(self) -> ModuleManager:
        return self._modules

    def coreIOManager(self) -> CoreIOManager:
        return self._io

    ioManager = coreIOManager

    def commandOptions(self) -> CommandOptions:
        return self._options

    def moduleLogic(self, name: str) -> Any:
        return self._logic.GetModuleLogic(name)

    def pythonConsole(self) -> None:
        return None

    def testingEnabled(self) -> bool:
        return self.testing

    # --- Qt's application ---------------------------------------------------------------------------------------------

    def processEvents(self) -> None:
        QApplication.processEvents()

    def sendPostedEvents(self) -> None:
        QApplication.sendPostedEvents()

    def topLevelWidgets(self) -> list[QWidget]:
        return QApplication.topLevelWidgets()

    def activeWindow(self) -> QWidget | None:
        return QApplication.activeWindow()

    def focusWidget(self) -> QWidget | None:
        return QApplication.focusWidget()

    def activeModalWidget(self) -> QWidget | None:
        return QApplication.activeModalWidget()

    def widgetAt(self, *place: Any) -> QWidget | None:
        return QApplication.widgetAt(*place)

    def sendEvent(self, receiver: QObject, event: QEvent) -> bool:
        return QApplication.sendEvent(receiver, event)

    def clipboard(self) -> Any:
        return QApplication.clipboard()

    def palette(self) -> Any:
        return QApplication.palette()

    def font(self) -> Any:
        return QApplication.font()

    def style(self) -> Any:
        return QApplication.style()

    def fontMetrics(self) -> Any:
        qt_application = QApplication.instance()
        assert isinstance(qt_application, QApplication)
        return qt_application.fontMetrics()

    def keyboardModifiers(self) -> Any:
        return QApplication.keyboardModifiers()

    def setOverrideCursor(self, cursor: Any) -> None:
        QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QApplication.restoreOverrideCursor()

    def translate(self, context: str, text: str, *_more: Any) -> str:
        return text

    def openUrl(self, url: QUrl | str) -> None:
        dialogs.tell("url", url if isinstance(url, str) else url.toString())

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"slicer-documentation:{name}"

    def pauseRender(self) -> None:
        if self._layout is not None:
            self._layout.pauseRender()

    def resumeRender(self) -> None:
        if self._layout is not None:
            self._layout.resumeRender()

    def confirmRestart(self, reason: str = "") -> bool:
        if dialogs.ask("confirmRestart", reason):
            self.restart()
            return True
        return False

    def restart(self) -> None:
        """Count it; this process goes on."""
        dialogs.restarts += 1

    def exit(self, code: int = 0) -> None:
        QApplication.exit(code)

    def quit(self) -> None:
        QApplication.quit()

    def openNodeModule(self, *_: Any) -> None:
        """No module of another kind is here."""

    temporaryPath = Property(str, _path, lambda self, value: None)
    cachePath = Property(str, _cache, lambda self, value: None)
    defaultScenePath = Property(str, _path, lambda self, value: None)
    slicerHome = Property(str, lambda self: self._temporary.name)
    slicerUserSettingsFilePath = Property(str, lambda self: QSettings().fileName())
    slicerRevisionUserSettingsFilePath = Property(str, lambda self: QSettings().fileName())
    applicationName = Property(str, lambda self: "Slicer", lambda self, value: None)
    applicationVersion = Property(
        str, lambda self: f"{self._version[0]}.{self._version[1]}.0", lambda self, value: None
    )
    mainApplicationName = Property(str, lambda self: "Slicer")
    mainApplicationDisplayName = Property(str, lambda self: "3D Slicer")
    majorVersion = Property(int, lambda self: self._version[0])
    minorVersion = Property(int, lambda self: self._version[1])
    mainApplicationMajorVersion = Property(int, lambda self: self._version[0])
    mainApplicationMinorVersion = Property(int, lambda self: self._version[1])
    revision = Property(str, lambda self: REVISION)
    repositoryRevision = Property(str, lambda self: REVISION)
    mainApplicationRevision = Property(str, lambda self: REVISION)
    isInstalled = Property(bool, lambda self: True)
    platform = Property(str, lambda self: "linux-amd64")
    os = Property(str, lambda self: "linux")
    arch = Property(str, lambda self: "amd64")
    documentationBaseUrl = Property(str, lambda self: "slicer-documentation:")
    applicationLocaleName = Property(str, lambda self: "en-US")
    styleSheet = Property(str, lambda self: "", lambda self, value: None)
