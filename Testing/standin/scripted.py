# ruff: noqa: N802, N803 - the names are Slicer's
"""``slicer.ScriptedLoadableModule``: the four base classes of a scripted module, with Slicer's members and no more."""

from __future__ import annotations

import importlib
import logging
import os
import unittest
from typing import Any

__all__ = [
    "ScriptedLoadableModule",
    "ScriptedLoadableModuleLogic",
    "ScriptedLoadableModuleTest",
    "ScriptedLoadableModuleWidget",
]


class ScriptedLoadableModule:
    """The module itself; ``parent`` is the application's object for it, whose fields are filled in."""

    def __init__(self, parent: Any) -> None:
        import qt
        import slicer

        super().__init__()
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title, parent.helpText, parent.acknowledgementText = "", "", ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []
        for ending in (".svg", ".png"):
            icon = self.resourcePath(f"Icons/{self.moduleName}{ending}")
            if os.path.isfile(icon):  # noqa: PTH113 - paths are text in Slicer
                parent.icon = qt.QIcon(icon)
                break
        if not hasattr(slicer, "selfTests"):
            slicer.selfTests = {}
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, filename: str) -> str:
        """A file of the module's ``Resources`` folder."""
        return os.path.join(os.path.dirname(self.parent.path), "Resources", filename)  # noqa: PTH118, PTH120

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        """A link to the application's documentation."""
        return f'<p><a href="slicer-documentation:{docPage or self.moduleName}">Documentation</a></p>'

    def runTest(self, msec: int = 100, **options: Any) -> None:
        """Run the class ``<module name>Test``, as the application's "Reload and Test" does."""
        case = getattr(importlib.import_module(type(self).__module__), f"{self.moduleName}Test")()
        case.messageDelay = msec
        case.runTest(**options)


class ScriptedLoadableModuleWidget:
    """The module's widget; ``parent`` is a widget with a layout, or None for a window of its own."""

    def __init__(self, parent: Any = None) -> None:
        import qt
        import slicer

        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue("Developer/DeveloperMode", False, converter=slicer.util.toBool)
        self.parent = parent
        if not parent:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()
        if not parent:
            self.setup()
            self.parent.show()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, filename: str) -> str:
        """A file of the module's ``Resources`` folder."""
        import slicer

        path = slicer.util.modulePath(self.moduleName)
        return os.path.join(os.path.dirname(path), "Resources", filename)  # noqa: PTH118, PTH120

    def setup(self) -> None:
        """Make the widgets; a module's own ``setup`` calls this first."""

    def cleanup(self) -> None:
        """The module is about to go."""

    def enter(self) -> None:
        """The module is shown."""

    def exit(self) -> None:
        """Another module is shown."""

    def onReload(self) -> None:
        """The developer's Reload button."""
        import slicer

        slicer.util.reloadScriptedModule(self.moduleName)

    def _onModuleAboutToBeUnloaded(self, moduleName: str) -> None:
        import slicer

        if moduleName == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)


class ScriptedLoadableModuleLogic:
    """The module's logic, with its parameter node in the scene."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        """The module's parameter node; made where there is none."""
        import slicer

        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:
                node.SetAttribute("ModuleName", self.moduleName)
                return node
        found = self.getAllParameterNodes()
        return found[0] if found else slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        """All parameter nodes of the module."""
        import slicer

        count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScriptedModuleNode")
        nodes = [slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLScriptedModuleNode") for index in range(count)]
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        """A new one, not yet in the scene."""
        import slicer

        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """``runTest`` runs every method with ``test`` in its name unless ``moduleTestNames`` says which."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.moduleTestNames: list[str] = []
        super().__init__(*args, **options)
        self.enableScreenshots = False
        self.screenshotScaleFactor = 1.0
        self.moduleTestNames = self.moduleTestNames or [
            name for name in dir(self) if "test" in name and callable(getattr(self, name))
        ]

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Tell what the test does, and let the event loop run."""
        import slicer

        delay = next(
            (each for each in (getattr(self, "messageDelay", None), msec, requestedDelay) if each is not None), 100
        )
        slicer.util.delayDisplay(message, delay)

    def takeScreenshot(self, name: str, description: str, type: int = -1) -> None:
        """Only tells; no picture is taken here."""
        self.delayDisplay(description)

    def setUp(self) -> None:
        """Before each test."""

    def tearDown(self) -> None:
        """After each test."""

    def runTest(self) -> None:
        """Run the tests, one after the other."""
        self.setUpClass()
        for name in self.moduleTestNames:
            self.setUp()
            logging.info("Running %s", name)
            getattr(self, name)()
            self.tearDown()
        self.tearDownClass()
