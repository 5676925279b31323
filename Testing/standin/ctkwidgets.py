"""ctk's input widgets in PySide6, with the recorded properties and signals."""

# Names are ctk's.
# ruff: noqa: N801, N802, N815

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionComboBox,
    QTextBrowser,
    QWidget,
)

from .ctkcollapsible import plain_property

__all__ = [
    "ctkCheckBox",
    "ctkComboBox",
    "ctkDoubleSpinBox",
    "ctkFittedTextBrowser",
    "ctkMenuButton",
    "ctkPushButton",
    "ctkSliderWidget",
]

_LEFT = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
_CENTRE = int(Qt.AlignmentFlag.AlignCenter.value)
_NO_ELIDE = int(Qt.TextElideMode.ElideNone.value)


class ctkCheckBox(QCheckBox):
    """A check box whose indicator can be an icon."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._indicator_icon = QIcon()
        self._indicator_size = QSize(0, 0)

    indicatorIcon = plain_property(QIcon, "_indicator_icon")
    indicatorIconSize = plain_property(QSize, "_indicator_size")


class ctkPushButton(QPushButton):
    """A push button with aligned text and icon."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._text_alignment = _CENTRE
        self._icon_alignment = _LEFT
        self._elide = _NO_ELIDE

    buttonTextAlignment = plain_property(int, "_text_alignment")
    iconAlignment = plain_property(int, "_icon_alignment")
    elideMode = plain_property(int, "_elide")


class ctkMenuButton(QPushButton):
    """A push button with a menu beside its click."""


class ctkComboBox(QComboBox):
    """A combo box with a text for "nothing chosen" and an optional wheel."""

    returnRelease = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._default_text = ""
        self._default_icon = QIcon()
        self._force_default = False
        self._elide = _NO_ELIDE
        self._wheel = 1

    defaultText = plain_property(str, "_default_text")
    defaultIcon = plain_property(QIcon, "_default_icon")
    forceDefault = plain_property(bool, "_force_default")
    elideMode = plain_property(int, "_elide")
    scrollWheelEffect = plain_property(int, "_wheel")

    def _user_data(self) -> str:
        data = self.currentData()
        return "" if data is None else str(data)

    def setCurrentUserDataAsString(self, text: str) -> None:
        """Choose the item whose data reads as ``text``."""
        matching = [i for i in range(self.count()) if str(self.itemData(i)) == text]
        self.setCurrentIndex(matching[0] if matching else -1)

    currentUserDataAsString = Property(str, _user_data, setCurrentUserDataAsString)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._wheel:
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._force_default or (self.currentIndex() < 0 and self._default_text):
            option = QStyleOptionComboBox()
            self.initStyleOption(option)
            option.currentText = self._default_text
            option.currentIcon = self._default_icon
            painter = QPainter(self)
            self.style().drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option, painter, self)
            self.style().drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option, painter, self)
        else:
            super().paintEvent(event)


class ctkDoubleSpinBox(QWidget):
    """A number with a unit."""

    valueChanged = Signal(float)
    decimalsChanged = Signal(int)
    editingFinished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QDoubleSpinBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self.setFocusProxy(self._box)
        self._box.valueChanged.connect(self.valueChanged)
        self._box.editingFinished.connect(self.editingFinished)
        self._decimals_option = 0
        self._size_hint_policy = 0
        self._inverted = False

    def setValue(self, value: float) -> None:
        """Set the number."""
        self._box.setValue(float(value))

    def setValueIfDifferent(self, value: float) -> None:
        """Set the number where it differs."""
        self.setValue(value)

    def setValueAlways(self, value: float) -> None:
        """Set the number and say so even if it is the same."""
        same = self._box.value() == value
        self.setValue(value)
        if same:
            self.valueChanged.emit(value)

    def setDecimals(self, decimals: int) -> None:
        """Set the number of decimals."""
        self._box.setDecimals(decimals)
        self.decimalsChanged.emit(decimals)

    def stepUp(self) -> None:
        """One step more."""
        self._box.stepUp()

    def stepDown(self) -> None:
        """One step less."""
        self._box.stepDown()

    def setReadOnly(self, read_only: bool) -> None:
        """Lock the text."""
        self._box.setReadOnly(read_only)

    value = Property(float, lambda s: s._box.value(), setValue)
    decimals = Property(int, lambda s: s._box.decimals(), setDecimals)
    minimum = Property(float, lambda s: s._box.minimum(), lambda s, v: s._box.setMinimum(v))
    maximum = Property(float, lambda s: s._box.maximum(), lambda s, v: s._box.setMaximum(v))
    singleStep = Property(float, lambda s: s._box.singleStep(), lambda s, v: s._box.setSingleStep(v))
    prefix = Property(str, lambda s: s._box.prefix(), lambda s, v: s._box.setPrefix(v))
    suffix = Property(str, lambda s: s._box.suffix(), lambda s, v: s._box.setSuffix(v))
    cleanText = Property(str, lambda s: s._box.cleanText())
    frame = Property(bool, lambda s: s._box.hasFrame(), lambda s, v: s._box.setFrame(v))
    readOnly = Property(bool, lambda s: s._box.isReadOnly(), setReadOnly)
    alignment = Property(
        int,
        lambda s: int(s._box.alignment().value),
        lambda s, v: s._box.setAlignment(Qt.AlignmentFlag(v)),
    )
    decimalsOption = plain_property(int, "_decimals_option")
    sizeHintPolicy = plain_property(int, "_size_hint_policy")
    invertedControls = plain_property(bool, "_inverted")


class ctkSliderWidget(QWidget):
    """A slider and a number side by side."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._box = QDoubleSpinBox(self)
        self._box.setRange(0.0, 99.0)
        self._tracking = True
        self._page_step = 10.0
        self._tick_interval = 0.1
        self._inverted_controls = False
        self._popup = False
        self._dragged = False
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._box)
        self._slider.valueChanged.connect(self._from_slider)
        self._slider.sliderReleased.connect(self._released)
        self._box.valueChanged.connect(self._from_box)
        self._fit()

    def _fit(self) -> None:
        steps = (self._box.maximum() - self._box.minimum()) / self._box.singleStep()
        self._slider.blockSignals(True)
        self._slider.setRange(0, max(0, round(steps)))
        self._slider.setValue(round((self._box.value() - self._box.minimum()) / self._box.singleStep()))
        self._slider.blockSignals(False)

    def _from_slider(self, step: int) -> None:
        value = self._box.minimum() + step * self._box.singleStep()
        self._dragged = self._slider.isSliderDown() and not self._tracking
        self._box.setValue(value)
        if self._dragged:
            self.valueIsChanging.emit(value)

    def _released(self) -> None:
        if self._dragged:
            self._dragged = False
            self.valueChanged.emit(self._box.value())

    def _from_box(self, value: float) -> None:
        self._fit()
        if not self._dragged:
            self.valueChanged.emit(value)

    def setValue(self, value: float) -> None:
        """Set the number."""
        self._box.setValue(float(value))

    def reset(self) -> None:
        """Back to the smallest absolute value in the range."""
        self.setValue(min(max(0.0, self._box.minimum()), self._box.maximum()))

    def setDecimals(self, decimals: int) -> None:
        """Set the number of decimals."""
        self._box.setDecimals(decimals)
        self.decimalsChanged.emit(decimals)

    def setSpinBoxVisible(self, visible: bool) -> None:
        """Show or hide the number."""
        self._box.setVisible(visible)

    def _set(self, name: str, value: float) -> None:
        getattr(self._box, name)(value)
        self._fit()

    value = Property(float, lambda s: s._box.value(), setValue)
    decimals = Property(int, lambda s: s._box.decimals(), setDecimals)
    minimum = Property(float, lambda s: s._box.minimum(), lambda s, v: s._set("setMinimum", v))
    maximum = Property(float, lambda s: s._box.maximum(), lambda s, v: s._set("setMaximum", v))
    singleStep = Property(float, lambda s: s._box.singleStep(), lambda s, v: s._set("setSingleStep", v))
    prefix = Property(str, lambda s: s._box.prefix(), lambda s, v: s._box.setPrefix(v))
    suffix = Property(str, lambda s: s._box.suffix(), lambda s, v: s._box.setSuffix(v))
    spinBoxVisible = Property(bool, lambda s: not s._box.isHidden(), setSpinBoxVisible)
    pageStep = plain_property(float, "_page_step")
    tickInterval = plain_property(float, "_tick_interval")
    tracking = plain_property(bool, "_tracking")
    popupSlider = plain_property(bool, "_popup")
    invertedControls = plain_property(bool, "_inverted_controls")
    invertedAppearance = Property(
        bool, lambda s: s._slider.invertedAppearance(), lambda s, v: s._slider.setInvertedAppearance(v)
    )
    tickPosition = Property(
        int,
        lambda s: int(s._slider.tickPosition().value),
        lambda s, v: s._slider.setTickPosition(QSlider.TickPosition(v)),
    )
    spinBoxAlignment = Property(
        int,
        lambda s: int(s._box.alignment().value),
        lambda s, v: s._box.setAlignment(Qt.AlignmentFlag(v)),
    )


class ctkFittedTextBrowser(QTextBrowser):
    """A text browser as high as its text; the details may fold."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._collapsed = True
        self._show_details = "Show details..."
        self._hide_details = "Hide details."
        self._no_wheel = False
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.textChanged.connect(self._fit)

    collapsed = plain_property(bool, "_collapsed")
    showDetailsText = plain_property(str, "_show_details")
    hideDetailsText = plain_property(str, "_hide_details")
    disableMouseScroll = plain_property(bool, "_no_wheel")

    def _fit(self) -> None:
        self.updateGeometry()

    def _fitted_height(self) -> int:
        self.document().setTextWidth(self.viewport().width())
        return int(self.document().size().height()) + 2 * self.frameWidth()

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._fitted_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(super().minimumSizeHint().width(), self._fitted_height())

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.updateGeometry()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._no_wheel:
            event.ignore()
        else:
            super().wheelEvent(event)
