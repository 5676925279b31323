"""Every experiment that was run in the real application, run on the stand-in and compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("PySide6", reason="the panel's tests need the extra slicer-test")

from Testing.standin import ctkmodule, pythonqt, qtmodule
from Testing.standin.fonts import offscreen_application
from Testing.standin.surface import surface

# Experiments of other parts, each with the reason.
ELSEWHERE = {
    "from a Python thread: QTimer.singleShot(0,f) runs": "PySide6 releases the GIL, so threads don't starve",
    "thread calling slicer.app.processEvents is main": "no thread in the panel's process",
    "hasattr slicer.packaging": "needs the slicer package: the application's tests",
    "isinstance(qMRMLNodeComboBox(), qt.QWidget)": "needs a scene: the application's tests",
    "parameterNodeWrapper import": "needs the slicer package: the application's tests",
    "slicer.i18n import": "needs the slicer package: the application's tests",
    "slicer.util.findChildren(w)": "needs slicer.util: the application's tests",
    "slicer.util.launchConsoleProcess": "needs slicer.util: the application's tests",
    "vtk.util.numpy_support after 'import vtk'": "a property of Slicer's own vtk package",
}

Experiment = Callable[["Bench"], Any]


class Bench:
    """The objects the experiments were run on, under their names there."""

    def __init__(self) -> None:
        self.app = offscreen_application()
        qt = self.qt = qtmodule.install()
        ctkmodule.install()
        self.w = qt.QWidget()
        self.b = qt.QPushButton("a", self.w)
        self.c = qt.QComboBox()
        self.c.addItem("a")
        self.c.addItem("b")
        self.e = qt.QLineEdit("x")
        self.pe = qt.QPlainTextEdit()
        self.te = qt.QTextEdit()
        self.got: list[Any] = []

    def spin(self, done: Callable[[], bool]) -> None:
        """Run the event loop until ``done`` or, at most, five seconds."""
        timer = self.qt.QElapsedTimer()
        timer.start()
        while not done() and timer.elapsed() < 5000:
            self.app.processEvents()

    def changed(self, text: str) -> None:
        self.got.append(text)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    pythonqt.slot_errors.clear()
    pythonqt.failed_connections.clear()
    yield made
    pythonqt.slot_errors.clear()
    pythonqt.failed_connections.clear()


def png(t: Bench) -> bytes:
    buffer, pixmap = t.qt.QByteArray(), t.qt.QPixmap(4, 4)
    pixmap.fill(t.qt.QColor(10, 20, 30))
    from PySide6.QtCore import QBuffer, QIODevice

    device = QBuffer(pythonqt.unwrap(buffer))
    device.open(QIODevice.OpenModeFlag.WriteOnly)
    pythonqt.unwrap(pixmap).save(device, "PNG")
    return buffer.data()


def subclass(t: Bench) -> Any:
    qt = t.qt

    class Sub(qt.QWidget):
        def __init__(self) -> None:
            qt.QWidget.__init__(self)
            self.n = 1
            self.seen: list[str] = []

        def showEvent(self, event: Any) -> None:  # noqa: N802
            self.seen.append("show")

    made = Sub()
    made.show()
    return (made.n, made.seen, made.className())


def event_filter(t: Bench) -> Any:
    qt, seen = t.qt, []

    class Filter(qt.QWidget):
        def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802
            seen.append(event.type())
            return False

    t.kept = Filter()
    t.w.installEventFilter(t.kept)
    t.w.show()
    return seen[:3]


def process(t: Bench) -> bytes:
    run = t.qt.QProcess()
    run.start("echo", ["hi"])
    run.waitForFinished(5000)
    return run.readAllStandardOutput().data()


def settings(t: Bench, value: Any) -> Any:
    kept = t.qt.QSettings("SEER", "stand-in test")
    kept.setValue("value", value)
    found = kept.value("value")
    kept.clear()
    return found


def clicks(t: Bench) -> list[Any]:
    t.b.clicked.connect(lambda *a: t.got.append(a))
    t.b.clicked.connect(lambda s: t.got.append(("s", s)))
    t.b.clicked.connect(lambda: t.got.append(("n",)))
    t.b.click()
    return t.got


def no_arguments(t: Bench) -> Any:
    clicks(t)
    first = t.b.clicked.connect(lambda: t.got.append("zero"))
    return (first, t.b.click(), t.got[-3:])


def raising(t: Bench) -> Any:
    t.b.clicked.connect(lambda: 1 / 0)
    return t.b.click()


def single_shot(t: Bench) -> bool:
    t.qt.QTimer.singleShot(0, lambda: t.got.append(1))
    t.spin(lambda: bool(t.got))
    return bool(t.got)


def child(t: Bench) -> Any:
    label = t.qt.QLabel("l", t.w)
    return (label.setObjectName("n"), t.w.findChild(t.qt.QLabel, "n"))


def children(t: Bench) -> Any:
    t.label = t.qt.QLabel("l", t.w)
    return t.w.findChildren(t.qt.QLabel)


def assign(target: Any, name: str, value: Any) -> Any:
    setattr(target, name, value)
    return getattr(target, name)


def text_slot(t: Bench) -> str:
    t.e.textChanged.connect(t.changed)
    t.e.setText("new")
    return t.got[-1]


def disconnected(t: Bench) -> bool:
    t.b.clicked.connect(t.changed)
    return t.b.clicked.disconnect()


EXPERIMENTS: dict[str, Experiment] = {
    "Python subclass of QWidget overriding showEvent": subclass,
    "QByteArray(b'ab').data()": lambda t: t.qt.QByteArray(b"ab").data(),
    "QImage from bytes (bytes,w,h,stride,format)": lambda t: t.qt.QImage(b"0" * 48, 4, 4, 12, 13),
    "QPixmap.loadFromData(QByteArray(png))": lambda t: t.qt.QPixmap().loadFromData(t.qt.QByteArray(png(t))),
    "QPixmap.loadFromData(bytes)": lambda t: t.qt.QPixmap().loadFromData(png(t)),
    "QProcess start and read": process,
    "QSettings bool round trip": lambda t: settings(t, True),
    "QSettings dict value": lambda t: settings(t, {"a": 1}),
    "QShortcut(QKeySequence('Ctrl+Return'), w)": lambda t: t.qt.QShortcut(t.qt.QKeySequence("Ctrl+Return"), t.w),
    "QShortcut.setContext(qt.Qt.WidgetWithChildrenShortcut)": lambda t: t.qt.QShortcut(
        t.qt.QKeySequence("Ctrl+Return"), t.w
    ).setContext(t.qt.Qt.WidgetWithChildrenShortcut),
    "QTimer timeout.connect": lambda t: t.qt.QTimer().timeout.connect(lambda: None),
    "arguments that slots got on click": clicks,
    "assign property b.text='zz'": lambda t: assign(t.b, "text", "zz"),
    "assign unknown attribute b.nonsense=1": lambda t: assign(t.b, "nonsense", 1),
    "b.blockSignals(True)": lambda t: t.b.blockSignals(True),
    "b.checked": lambda t: t.b.checked,
    "b.className()": lambda t: t.b.className(),
    "b.clicked.connect(lambda: ...)": lambda t: t.b.clicked.connect(lambda: None),
    "b.clicked.disconnect()": disconnected,
    "b.clicked.emit(True)": lambda t: t.b.clicked.emit(True),
    "b.connect('clicked()', f)": lambda t: t.b.connect("clicked()", t.changed),
    "b.connect('clicked(bool)', f)": lambda t: t.b.connect("clicked(bool)", t.changed),
    "b.connect('nosuch(bool)', f)": lambda t: t.b.connect("nosuch(bool)", t.changed),
    "b.enabled": lambda t: t.b.enabled,
    "b.isChecked()": lambda t: t.b.isChecked(),
    "b.isEnabled()": lambda t: t.b.isEnabled(),
    "b.isVisible()": lambda t: t.b.isVisible(),
    "b.name": lambda t: t.b.name,
    "b.objectName": lambda t: t.b.objectName,
    "b.objectName()": lambda t: t.b.objectName(),
    "b.property('text')": lambda t: (t.b.setText("zz"), t.b.property("text"))[1],
    "b.visible": lambda t: t.b.visible,
    "bound method connect": lambda t: t.b.clicked.connect(t.changed),
    "c.count": lambda t: t.c.count,
    "c.count()": lambda t: t.c.count(),
    "c.currentData": lambda t: t.c.currentData,
    "c.currentData()": lambda t: t.c.currentData(),
    "c.currentIndex()": lambda t: t.c.currentIndex(),
    "c.currentText": lambda t: t.c.currentText,
    "c.currentText()": lambda t: t.c.currentText(),
    "c.itemText(0)": lambda t: t.c.itemText(0),
    "call property as method b.text()": lambda t: t.b.text(),
    "e.setText('q') then e.text": lambda t: (t.e.setText("q"), t.e.text),
    "e.text": lambda t: t.e.text,
    "findChild(qt.QLabel,'n')": child,
    "findChildren(qt.QLabel)": children,
    "installEventFilter with a Python subclass": event_filter,
    "isinstance(b, qt.QWidget)": lambda t: isinstance(t.b, t.qt.QWidget),
    "kwargs in constructor qt.QPushButton(text='a')": lambda t: t.qt.QPushButton(text="a"),
    "kwargs in method b.setText(text='a')": lambda t: t.b.setText(text="a"),
    "lambda connect keeps alive / slot exception goes to console": raising,
    "pe.plainText": lambda t: t.pe.plainText,
    "pe.toPlainText()": lambda t: t.pe.toPlainText(),
    "qt.Property exists": lambda t: t.qt.Property,
    "qt.QMessageBox.StandardButton.Yes": lambda t: t.qt.QMessageBox.StandardButton.Yes,
    "qt.QMessageBox.Yes | No": lambda t: t.qt.QMessageBox.Yes | t.qt.QMessageBox.No,
    "qt.QTimer.singleShot(0, f)": lambda t: t.qt.QTimer.singleShot(0, lambda: None),
    "qt.Qt.AlignLeft": lambda t: t.qt.Qt.AlignLeft,
    "qt.Qt.AlignmentFlag.AlignLeft": lambda t: t.qt.Qt.AlignmentFlag.AlignLeft,
    "qt.Signal exists": lambda t: t.qt.Signal,
    "qt.Slot exists": lambda t: t.qt.Slot,
    "singleShot ran": single_shot,
    "te.plainText": lambda t: t.te.plainText,
    "te.toPlainText()": lambda t: t.te.toPlainText(),
    "textChanged to bound method": text_slot,
    "zero-argument lambda on clicked": no_arguments,
}


def outcome(experiment: Experiment, bench: Bench) -> str:
    try:
        return f"ok: {experiment(bench)!r}"
    except Exception as error:  # noqa: BLE001 - whatever it raises is the outcome
        return f"{type(error).__name__}: {error}"


def gist(text: str) -> str:
    """What counts: addresses, the way an object or class is shown, and a message's list of overloads don't."""
    text = re.sub(r"<class '(?:[\w]+\.)*(\w+)'>", r"<class \1>", text)
    text = re.sub(r"\b(Q\w+) \(\1 at: 0x[^)]*(\(nil\))?\)+", r"\1@", text)
    text = re.sub(r"\b(Q\w+)\(0x[^)]*\) ?", r"\1@", text)
    text = text.replace("@)", "@")
    kind, _, message = text.partition(": ")
    if kind == "ok":
        return text.replace("(QLabel@,", "(QLabel@ ,").replace(" ,", ",")
    for start in ("Could not find matching overload", "Called"):
        if message.startswith(start):
            # Qt's own words about its overloads are not ours to repeat: the rest of the sentence is.
            return f"{kind}: {start} … {message.rpartition(' with ')[2] if start == 'Called' else ''}"
    return text


def test_every_experiment_is_run_or_named() -> None:
    recorded = set(surface().behaviour)
    assert set(EXPERIMENTS) | set(ELSEWHERE) == recorded
    assert not set(EXPERIMENTS) & set(ELSEWHERE)
    assert (len(EXPERIMENTS), len(ELSEWHERE)) == (66, 9)


@pytest.mark.parametrize("name", sorted(EXPERIMENTS))
def test_the_stand_in_does_as_the_application_did(name: str, bench: Bench) -> None:
    assert gist(outcome(EXPERIMENTS[name], bench)) == gist(surface().behaviour[name])


def test_a_slot_that_raises_is_printed_and_kept(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(bench) is None
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert [type(e) for e in pythonqt.slot_errors] == [ZeroDivisionError]


def test_a_connection_that_failed_is_kept(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.b.connect("nosuch(bool)", bench.changed) is False
    assert capsys.readouterr() == ("", "")
    assert pythonqt.failed_connections == ["QPushButton: nosuch(bool)"]
