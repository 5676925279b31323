"""ctk's widgets of the stand-in: what they do, and that they can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6", reason="the panel's tests need the extra slicer-test")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from Testing.standin import ctkmodule, pythonqt, qtmodule
from Testing.standin.fonts import ensure_fonts, offscreen_application


@pytest.fixture(scope="module")
def qt() -> Any:
    offscreen_application()
    return qtmodule.install()


@pytest.fixture(scope="module")
def ctk() -> Any:
    return ctkmodule.install()


def settle() -> None:
    for _ in range(5):
        offscreen_application().processEvents()


def section(qt: Any, ctk: Any) -> tuple[Any, Any, Any]:
    window = qt.QWidget()
    outer = qt.QVBoxLayout(window)
    button = ctk.ctkCollapsibleButton()
    button.text = "Settings"
    outer.addWidget(button)
    inner = qt.QVBoxLayout(button)
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    inner.addWidget(shown)
    inner.addWidget(hidden)
    hidden.setVisible(False)
    outer.addStretch(1)
    window.resize(300, 300)
    window.show()
    settle()
    return window, button, (shown, hidden)


def test_a_collapsible_button_hides_its_children_and_gives_them_back(qt: Any, ctk: Any) -> None:
    window, button, (shown, hidden) = section(qt, ctk)
    heard: list[bool] = []
    button.contentsCollapsed.connect(heard.append)
    open_height = button.height
    button.collapsed = True
    settle()
    assert (button.collapsed, button.checked, shown.visible, hidden.visible) == (True, False, False, False)
    assert button.height < open_height
    button.collapsed = False
    settle()
    # What was hidden before stays hidden.
    assert (shown.visible, hidden.visible) == (True, False)
    assert heard == [True, False]
    assert button.height == open_height
    assert window.visible


def test_a_click_on_the_header_folds_and_one_on_the_contents_does_not(qt: Any, ctk: Any) -> None:
    window, button, (shown, _) = section(qt, ctk)
    native = pythonqt.unwrap(button)
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, pos=QPoint(20, native.height() - 4))
    assert not button.collapsed
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, pos=QPoint(20, 8))
    assert button.collapsed
    assert not shown.visible
    assert window.visible


def test_a_child_that_comes_while_folded_stays_hidden(qt: Any, ctk: Any) -> None:
    window, button, _ = section(qt, ctk)
    button.collapsed = True
    late = qt.QLabel("late")
    button.layout().addWidget(late)
    settle()
    assert not late.visible
    button.collapsed = False
    settle()
    assert late.visible
    assert window.visible


def test_what_is_asked_of_a_child_while_folded_holds_when_it_opens(qt: Any, ctk: Any) -> None:
    window, button, (shown, hidden) = section(qt, ctk)
    button.collapsed = True
    shown.visible = False
    hidden.visible = True
    settle()
    assert (shown.visible, hidden.visible) == (False, False)
    window.hide()
    window.show()
    settle()
    assert (shown.visible, hidden.visible) == (False, False)
    button.collapsed = False
    settle()
    assert (shown.visible, hidden.visible) == (False, True)


def test_a_section_folded_before_it_is_shown(qt: Any, ctk: Any) -> None:
    button = ctk.ctkCollapsibleButton("Settings")
    button.collapsed = True
    layout, label = qt.QVBoxLayout(button), qt.QLabel("inside")
    layout.addWidget(label)
    button.show()
    settle()
    assert not label.visible
    button.collapsed = False
    settle()
    assert label.visible


def test_a_collapsible_group_box_folds(qt: Any, ctk: Any) -> None:
    box = ctk.ctkCollapsibleGroupBox()
    box.title = "More"
    layout, label = qt.QVBoxLayout(box), qt.QLabel("inside")
    layout.addWidget(label)
    box.show()
    box.collapsed = True
    settle()
    assert (label.visible, box.checked) == (False, False)
    box.collapsed = False
    settle()
    assert label.visible
    assert label.enabled


def test_a_slider_widget_keeps_slider_and_number_together(qt: Any, ctk: Any) -> None:
    slider, heard = ctk.ctkSliderWidget(), []
    slider.valueChanged.connect(heard.append)
    slider.minimum, slider.maximum, slider.singleStep = 1.0, 20.0, 1.0
    slider.decimals = 0
    slider.value = 8
    assert slider.value == 8.0
    assert heard[-1] == 8.0
    inner = pythonqt.unwrap(slider)
    inner._slider.setValue(3)
    assert slider.value == 4.0
    slider.value = 99
    assert slider.value == 20.0


def test_a_double_spin_box_says_when_it_changes(qt: Any, ctk: Any) -> None:
    box, heard = ctk.ctkDoubleSpinBox(), []
    box.connect("valueChanged(double)", heard.append)
    box.suffix = " mL"
    box.setValue(2.5)
    box.setValueIfDifferent(2.5)
    box.setValueAlways(2.5)
    assert heard == [2.5, 2.5]
    assert box.cleanText == "2.50"


def test_a_path_line_edit_says_when_the_path_changes_and_keeps_a_history(qt: Any, ctk: Any, tmp_path: Path) -> None:
    edit, paths, valid = ctk.ctkPathLineEdit(), [], []
    edit.currentPathChanged.connect(paths.append)
    edit.validInputChanged.connect(valid.append)
    edit.settingKey = "SEER/stand-in test"
    edit.currentPath = str(tmp_path)
    edit.addCurrentPathToHistory()
    edit.setCurrentPath(str(tmp_path / "missing"))
    # A missing file is a path; no text is not, and is not announced as one.
    assert paths[-1].endswith("missing")
    edit.currentPath = ""
    assert (paths[-1].endswith("missing"), valid) == (True, [True, False])
    again = ctk.ctkPathLineEdit()
    again.settingKey = "SEER/stand-in test"
    assert again.currentPath == str(tmp_path)
    edit.filters = ctk.ctkPathLineEdit.Files | ctk.ctkPathLineEdit.Readable
    assert edit.filters == 18
    edit.nameFilters = ("*.nii.gz",)
    assert edit.nameFilters == ("*.nii.gz",)
    edit.currentPath = "/data/a.csv"
    assert valid[-1] is False
    edit.currentPath = "/data/a.nii.gz"
    assert valid[-1] is True
    qt.QSettings().remove("ctkPathLineEdit/SEER/stand-in test")


def test_a_combo_box_shows_its_default_text(qt: Any, ctk: Any) -> None:
    combo = ctk.ctkComboBox()
    combo.addItem("embedded", "lexical")
    combo.addItem("remote", "openai")
    combo.setCurrentUserDataAsString("openai")
    assert (combo.currentIndex, combo.currentUserDataAsString) == (1, "openai")
    combo.defaultText = "choose"
    combo.currentIndex = -1
    assert combo.currentText == ""
    combo.show()
    assert not combo.grab().isNull()


def test_a_fitted_text_browser_is_as_high_as_its_text(qt: Any, ctk: Any) -> None:
    browser = ctk.ctkFittedTextBrowser()
    browser.resize(300, 50)
    browser.show()
    browser.plainText = "one"
    settle()
    low = browser.sizeHint.height()
    browser.plainText = "\n".join(["line"] * 12)
    settle()
    assert browser.sizeHint.height() > 3 * low


def test_a_directory_button_says_when_the_folder_changes(qt: Any, ctk: Any, tmp_path: Path) -> None:
    button, heard = ctk.ctkDirectoryButton(), []
    button.directoryChanged.connect(heard.append)
    button.directory = str(tmp_path)
    button.directory = str(tmp_path)
    assert heard == [str(tmp_path)]
    assert button.text == str(tmp_path)


def test_text_can_be_seen_in_a_picture(qt: Any) -> None:
    assert ensure_fonts(offscreen_application())
    label = qt.QLabel("MMMM")
    label.setStyleSheet("background: white; color: black")
    metrics = qt.QFontMetrics(label.font)
    # Boxes for missing glyphs all have one width.
    assert metrics.width("MMMM") > metrics.width("iiii")
    image = label.grab().toImage()
    dark = sum(
        qt.QColor(image.pixel(x, y)).lightness() < 100 for x in range(image.width()) for y in range(image.height())
    )
    assert dark > 40
