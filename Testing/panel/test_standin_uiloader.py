"""The ``.ui`` loader: what it makes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PySide6", reason="the panel's tests need the extra slicer-test")

from PySide6.QtCore import Property, Signal
from PySide6.QtWidgets import QWidget

from Testing.standin import ctkmodule, pythonqt, qtmodule
from Testing.standin.fonts import offscreen_application
from Testing.standin.uiloader import UiError, load_ui, register_widget_class

UI = """<ui version="4.0"><class>Panel</class>
<widget class="QWidget" name="Panel">
 <property name="windowTitle"><string>Panel</string></property>
 <layout class="QVBoxLayout" name="outer">
  <property name="leftMargin"><number>4</number></property>
  <item><widget class="ctkCollapsibleButton" name="section">
   <property name="text"><string>Request</string></property>
   <property name="collapsed"><bool>true</bool></property>
   <layout class="QFormLayout" name="form">
    <item row="0" column="0"><widget class="QLabel" name="label">
     <property name="text"><string>Folder:</string></property>
     <property name="alignment"><set>Qt::AlignRight|Qt::AlignVCenter</set></property>
    </widget></item>
    <item row="0" column="1"><widget class="ctkPathLineEdit" name="folder">
     <property name="filters"><set>ctkPathLineEdit::Dirs|ctkPathLineEdit::Readable</set></property>
     <property name="nameFilters"><stringlist><string>*.nii</string></stringlist></property>
    </widget></item>
    <item row="1" column="1"><widget class="ctkSliderWidget" name="phrasings">
     <property name="maximum"><double>20.0</double></property>
     <property name="value"><double>8.0</double></property>
    </widget></item>
   </layout>
  </widget></item>
  <item><widget class="Line" name="line">
   <property name="orientation"><enum>Qt::Horizontal</enum></property></widget></item>
  <item><widget class="QPushButton" name="run"><property name="text"><string>Run</string></property></widget></item>
 </layout>
</widget>
<customwidgets><customwidget><class>ctkCollapsibleButton</class><extends>QWidget</extends>
<header>ctkCollapsibleButton.h</header><container>1</container></customwidget></customwidgets>
<connections><connection><sender>run</sender><signal>clicked()</signal>
<receiver>section</receiver><slot>toggle()</slot></connection></connections>
</ui>"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    offscreen_application()
    qtmodule.install()
    ctkmodule.install()

    def run(*replacement: str) -> Any:
        file = tmp_path / "panel.ui"
        assert not replacement or replacement[0] in UI
        file.write_text(UI.replace(*replacement) if replacement else UI, encoding="utf-8")
        return load_ui(file)

    return run


def test_widgets_properties_and_connections_are_made(load: Callable[..., Any]) -> None:
    top = load()
    qt, ctk = qtmodule.qt, ctkmodule.ctk
    section = top.findChild(ctk.ctkCollapsibleButton, "section")
    assert (top.className(), top.windowTitle) == ("QWidget", "Panel")
    assert (section.className(), section.text, section.collapsed) == ("ctkCollapsibleButton", "Request", True)
    folder = top.findChild(ctk.ctkPathLineEdit, "folder")
    assert folder.filters == ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Readable
    assert folder.nameFilters == ("*.nii",)
    slider = top.findChild(ctk.ctkSliderWidget, "phrasings")
    assert (slider.maximum, slider.value) == (20.0, 8.0)
    assert top.findChild(qt.QLabel, "label").alignment == qt.Qt.AlignRight | qt.Qt.AlignVCenter
    top.show()
    assert not slider.visible
    top.findChild(qt.QPushButton, "run").click()
    assert not section.collapsed
    assert slider.visible
    assert pythonqt.slot_errors == []


WRONG = {
    "unknown class": ('class="QPushButton"', 'class="QPushButon"', "unknown widget class QPushButon"),
    "unknown ctk class": ('class="ctkSliderWidget"', 'class="ctkSlidingWidget"', "unknown widget class"),
    "unknown qMRML class": ('class="ctkSliderWidget"', 'class="qMRMLNoSuchWidget"', "unknown widget class"),
    "recorded but not built": ('class="ctkSliderWidget"', 'class="ctkMatrixWidget"', "not built in the stand-in"),
    "unknown property": ('name="windowTitle"', 'name="windowTitel"', "QWidget has no property 'windowTitel'"),
    "property of another class": ('name="collapsed"', 'name="readOnly"', "has no property 'readOnly'"),
    "read-only property": ('name="windowTitle"', 'name="minimumSizeHint"', "is not writable"),
    "unknown signal": ("clicked()", "clickd()", "has no signal 'clickd\\(\\)'"),
    "unknown slot": ("toggle()", "togle()", "has no slot 'togle\\(\\)'"),
    "unknown receiver": ("<receiver>section", "<receiver>sektion", "is not in the file"),
    "unknown layout property": ('name="leftMargin"', 'name="leftmargin"', "QVBoxLayout has no property"),
    "Qt 6 constant": ("<enum>Qt::Horizontal", "<enum>Qt::Orientation::Horizontal", "has no constant"),
    "unknown Qt constant": ("Qt::AlignVCenter", "Qt::AlignMiddle", "Qt has no constant"),
    "unknown constant": ("ctkPathLineEdit::Dirs", "ctkPathLineEdit::Folders", "has no constant"),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
def test_a_wrong_file_is_refused(wrong: str, load: Callable[..., Any]) -> None:
    old, new, message = WRONG[wrong]
    with pytest.raises(UiError, match=message):
        load(old, new)


class Terminology(QWidget):
    """A widget of the application, as another part of the stand-in would write it."""

    selectionValidityChanged = Signal(bool)  # noqa: N815

    def _overridden(self) -> bool:
        return False

    anatomicRegionSectionVisible = Property(bool, _overridden)  # noqa: N815


def test_a_registered_class_can_be_used(load: Callable[..., Any]) -> None:
    name = "qSlicerTerminologyNavigatorWidget"
    with pytest.raises(UiError, match="not built in the stand-in"):
        load('class="ctkSliderWidget"', f'class="{name}"')
    made = register_widget_class(name, Terminology)
    try:
        top = load(
            '<widget class="QPushButton" name="run"><property name="text"><string>Run</string></property></widget>',
            f'<widget class="QPushButton" name="run"/></item><item><widget class="{name}" name="terms"/>',
        )
        found = top.findChild(made, "terms")
        assert found.className() == name
        assert found.inherits("QWidget")
    finally:
        pythonqt.forget_class(name)


def test_a_class_that_was_never_recorded_cannot_be_registered() -> None:
    with pytest.raises(KeyError):
        register_widget_class("qMRMLNoSuchWidget", Terminology)
