"""A panel that works only under PySide6 fails on the stand-in: one wrong line at a time."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

pytest.importorskip("PySide6", reason="the panel's tests need the extra slicer-test")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from Testing.standin import ctkmodule, pythonqt, qtmodule
from Testing.standin.fonts import offscreen_application

PANEL = """
class Panel(qt.QWidget):
    {member}
    def __init__(self, parent=None):
        qt.QWidget.__init__(self, parent)
        self.events = []
        layout = qt.QVBoxLayout(self)
        self.section = ctk.ctkCollapsibleButton()
        self.section.text = "Request"
        layout.addWidget(self.section)
        self.run = qt.QPushButton("Run")
        self.kinds = qt.QComboBox()
        self.kinds.addItem("embedded", "lexical")
        self.text = qt.QPlainTextEdit()
        for widget in (self.run, self.kinds, self.text):
            layout.addWidget(widget)
        self.run.clicked.connect(self.on_run)
        self.run.connect("clicked(bool)", self.on_run)
        self.kinds.connect("currentIndexChanged(int)", self.on_kind)
        {line}

    def on_run(self):
        self.events.append(self.text.toPlainText())

    def on_kind(self, index):
        self.events.append(index)

    def resizeEvent(self, event):
        self.events.append((event.size().width(), event.size().height()))
        qt.QWidget.resizeEvent(self, event)

panel = Panel()
"""


@pytest.fixture
def build() -> Iterator[Callable[..., Any]]:
    offscreen_application()
    qt, ctk = qtmodule.install(), ctkmodule.install()
    pythonqt.slot_errors.clear()
    pythonqt.failed_connections.clear()

    def run(line: str = "pass", member: str = "") -> Any:
        names: dict[str, Any] = {"qt": qt, "ctk": ctk}
        exec(textwrap.dedent(PANEL).format(line=line, member=member), names)
        return names["panel"]

    yield run
    pythonqt.slot_errors.clear()
    pythonqt.failed_connections.clear()


def test_the_right_panel_works(build: Callable[..., Any]) -> None:
    panel = build()
    panel.text.setPlainText("liver")
    panel.run.click()
    panel.resize(300, 400)
    panel.show()
    assert panel.events.count("liver") == 2
    assert (300, 400) in panel.events
    assert pythonqt.slot_errors == []
    assert pythonqt.failed_connections == []


WRONG = {
    "a property called as a method": ("self.kinds.currentIndex()", TypeError, "'int' object is not callable"),
    "a text property called": ("self.run.text()", TypeError, "'str' object is not callable"),
    "a size called": ("self.run.size()", TypeError, "object is not callable"),
    "an unknown attribute read": ("self.run.caption", AttributeError, "has no attribute named 'caption'"),
    "an unknown attribute written": ("self.run.seer = 1", AttributeError, "creating new attributes on C\\+\\+ objects"),
    "a read-only property written": ("self.kinds.count = 3", AttributeError, "is not writable"),
    "a property of another type": ("self.run.text = 5", AttributeError, "does not accept an object of type int"),
    "a method overwritten": ("self.run.click = print", AttributeError, "Slot 'click' can not be overwritten"),
    "a method overwritten on a subclass": ("self.show = print", AttributeError, "Slot 'show' can not be overwritten"),
    "a signal overwritten": ("self.run.clicked = print", AttributeError, "Signal 'clicked' can not be overwritten"),
    "keywords in a constructor": ("qt.QLabel(text='a')", ValueError, "does not support kwargs"),
    "keywords in a method": ("self.run.setText(text='a')", ValueError, "does not support kwargs"),
    "keywords in a static": ("qt.QTimer.singleShot(0, print, timer=1)", ValueError, "does not support kwargs"),
    "a number for a text": ("self.run.setText(5)", ValueError, "wrong arguments"),
    "a float for an integer": ("self.kinds.setCurrentIndex(0.5)", ValueError, "wrong arguments"),
    "too many arguments": ("self.run.setText('a', 'b')", ValueError, "wrong arguments"),
    "text for a key sequence": ("qt.QShortcut('Ctrl+Return', self)", ValueError, "Could not find matching overload"),
    "bytes for an image": ("qt.QImage(b'0' * 64, 4, 4, 4)", ValueError, "Could not find matching overload"),
    "a zero byte to a process": ("qt.QProcess().write(b'a\\0b')", ValueError, "wrong arguments"),
    "a Qt 6 enum": ("qt.Qt.ColorScheme", AttributeError, "has no attribute"),
    "a Qt 6 signal": ("qt.QCheckBox().checkStateChanged", AttributeError, "has no attribute"),
    "a Qt 6 event member": ("qt.QMouseEvent.position", AttributeError, "has no attribute"),
    "a PySide6 class method": ("self.run.staticMetaObject", AttributeError, "has no attribute"),
    "super() for a virtual": ("super().resizeEvent(None)", AttributeError, "'super' object has no attribute"),
    "an unknown Qt class": ("qt.QNoSuchWidget()", AttributeError, "module 'qt' has no attribute"),
    "an unknown ctk class": ("ctk.ctkNoSuchWidget()", AttributeError, "module 'ctk' has no attribute"),
    "a ctk class that is not built": ("ctk.ctkMessageBox()", NotImplementedError, "not built in the stand-in"),
    "a class without a record": ("qt.QUndoStack()", NotImplementedError, "no record"),
    "connect with two slots": ("self.run.clicked.connect(print, print)", ValueError, "wrong number of arguments"),
    "emit with a wrong count": ("self.run.clicked.emit(1, 2)", ValueError, "Could not find matching overload"),
    "a callable in addAction": ("qt.QMenu(self).addAction('a', print)", ValueError, "Could not find matching overload"),
    "arithmetic on a point": ("qt.QPoint(1, 2) + qt.QPoint(1, 2)", TypeError, "unsupported operand"),
    "the length of a byte array": ("len(qt.QByteArray(b'a'))", TypeError, "has no len"),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_wrong_line_is_refused(wrong: str, build: Callable[..., Any]) -> None:
    line, error, message = WRONG[wrong]
    with pytest.raises(error, match=message):
        build(line)


@pytest.mark.parametrize("member", ["done = qt.Signal(str)", "value = qt.Property(int)"])
def test_no_signal_or_property_on_a_python_subclass(member: str, build: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="on a Python subclass"):
        build(member=member)


def test_no_slot_decorator_on_a_python_subclass(build: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"no qt\.Slot on a Python subclass"):
        build(member="@qt.Slot()\n    def pressed_twice(self): pass")


@pytest.mark.parametrize(
    "signature", ["clicked(int)", "pushed()", "clicked", "textChanged(QString)", "currentIndexChanged(int)"]
)
def test_a_wrong_signature_connects_nothing_and_is_kept(signature: str, build: Callable[..., Any]) -> None:
    build(f"assert self.run.connect({signature!r}, self.on_run) is False")
    assert pythonqt.failed_connections == [f"QPushButton: {signature}"]


def test_the_first_overload_is_what_a_name_means(build: Callable[..., Any]) -> None:
    # finished(int) comes before finished(int,QProcess::ExitStatus): a slot for two gets one, and raises.
    panel = build("self.process = qt.QProcess(); self.process.finished.connect(lambda code, status: None)")
    panel.process.start("echo", ["a"])
    assert panel.process.waitForFinished(5000)
    assert [type(e) for e in pythonqt.slot_errors] == [TypeError]


def test_a_callable_that_is_no_function_gets_every_argument(build: Callable[..., Any]) -> None:
    # PythonQt counts the parameters of functions and methods only.
    panel = build()
    heard: list[Any] = []
    panel.run.clicked.connect(partial(lambda *a: heard.append(a), "partial"))
    panel.run.clicked.connect(heard.append)
    panel.run.clicked.connect(panel.text.clear)
    panel.run.click()
    assert heard == [("partial", False), False]
    assert [type(e) for e in pythonqt.slot_errors] == [ValueError]


def test_keys_and_clicks_reach_the_overrides(build: Callable[..., Any]) -> None:
    member = (
        "def keyPressEvent(self, event): self.events.append((event.key(), event.modifiers(), event.text()))\n"
        "    def mousePressEvent(self, event): self.events.append((event.button(), event.x(), event.pos().y()))"
    )
    panel = build(member=member)
    native = pythonqt.unwrap(panel)
    QTest.keyClick(native, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, pos=QPoint(2, 3))
    qt = qtmodule.qt
    assert (qt.Qt.Key_Return, qt.Qt.ControlModifier) in [event[:2] for event in panel.events]
    assert panel.events[-1] == (qt.Qt.LeftButton, 2, 3)


def test_a_shortcut_runs_its_slot(build: Callable[..., Any]) -> None:
    panel = build(
        "self.short = qt.QShortcut(qt.QKeySequence('Ctrl+Return'), self); "
        "self.short.setContext(qt.Qt.WidgetWithChildrenShortcut); self.short.activated.connect(self.on_run)"
    )
    panel.show()
    panel.activateWindow()
    panel.text.setFocus()
    assert QTest.qWaitForWindowActive(pythonqt.unwrap(panel), 5000)
    QTest.keyClick(pythonqt.unwrap(panel.text), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert panel.events[-1] == ""


def test_an_override_that_raises_is_kept(build: Callable[..., Any]) -> None:
    panel = build(member="def showEvent(self, event): raise RuntimeError('shown')")
    panel.show()
    assert [str(e) for e in pythonqt.slot_errors] == ["shown"]


def test_a_timer_without_an_owner_goes(build: Callable[..., Any]) -> None:
    # As PythonQt deletes an object that nobody holds and that has no parent.
    panel = build("t = qt.QTimer(); t.timeout.connect(self.on_run); t.start(0); del t")
    offscreen_application().processEvents()
    assert panel.events == []


def test_one_object_has_one_proxy(build: Callable[..., Any]) -> None:
    panel = build()
    assert panel.run.parent() is panel
    assert panel.layout().itemAt(1).widget() is panel.run
    assert panel.run.parent().events is panel.events


def test_a_destroyed_object_says_so(build: Callable[..., Any]) -> None:
    panel = build()
    button = panel.run
    button.delete()
    assert not button
    with pytest.raises(ValueError, match="from a destroyed QPushButton object"):
        _ = button.text
    with pytest.raises(ValueError, match="on a destroyed QPushButton object"):
        button.click()
