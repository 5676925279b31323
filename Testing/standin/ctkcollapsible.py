"""ctk's widgets that fold or stretch, in PySide6, with the recorded properties and signals."""

# Names are ctk's.
# ruff: noqa: N801, N802, N815

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property, QChildEvent, QEvent, QObject, QPoint, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QFrame, QGroupBox, QSizeGrip, QSizePolicy, QVBoxLayout, QWidget

__all__ = ["ctkCollapsibleButton", "ctkCollapsibleGroupBox", "ctkExpandableWidget", "plain_property"]


# ctk's own mark on a child: what the panel wants of it.
_WANTED = "visibilityToParent"


def plain_property(kind: type | str, attribute: str) -> Any:
    """A Qt property kept in a Python attribute; setting it repaints."""

    def read(self: Any) -> Any:
        return getattr(self, attribute)

    def write(self: Any, value: Any) -> None:
        setattr(self, attribute, value)
        self.update()

    return Property(kind, read, write)


def _triangle(painter: QPainter, centre: QPointF, folded: bool, colour: QColor) -> None:
    """A small triangle: to the right when folded, down when open."""
    points = [(-2.5, -4.5), (3.0, 0.0), (-2.5, 4.5)] if folded else [(-4.5, -2.5), (4.5, -2.5), (0.0, 3.0)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([centre + QPointF(x, y) for x, y in points]))


class _Folding(QObject):
    """Hides a widget's direct children, and gives back what they should show.

    What the panel asks of a child while it is folded is remembered, as ctk does: ``child.visible = True`` shows it when
    the fold opens, ``child.visible = False`` keeps it hidden.
    """

    def __init__(self, owner: QWidget) -> None:
        # No Qt parent: the owner's children are what folds.
        super().__init__()
        self._owner = owner
        self._own_doing = False
        self._shown_once = False
        self.folded = False

    def fold(self, folded: bool) -> None:
        """Fold or open."""
        self.folded = folded
        self._apply()

    def added(self, child: QObject) -> None:
        """A child has come."""
        if isinstance(child, QWidget):
            if child.isHidden() and child.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide):
                child.setProperty(_WANTED, False)
            child.installEventFilter(self)
            self._apply_to(child)

    def set_visible(self, set_visible: Callable[[bool], None], visible: bool) -> None:
        """Show or hide the owner itself, which tells the children, though nobody asked that of them."""
        self._own_doing = True
        set_visible(visible)
        self._own_doing = False
        if visible and not self._shown_once:
            self._shown_once = True
            self._apply()

    def eventFilter(self, child: QObject, event: QEvent) -> bool:
        if not self._own_doing and isinstance(child, QWidget):
            if event.type() == QEvent.Type.ShowToParent:
                child.setProperty(_WANTED, True)
                self._apply_to(child)
            elif event.type() == QEvent.Type.HideToParent:
                child.setProperty(_WANTED, False)
        return False

    def _apply(self) -> None:
        for child in self._owner.children():
            if isinstance(child, QWidget):
                self._apply_to(child)

    def _apply_to(self, child: QWidget) -> None:
        # Until the owner was shown, hiding a child would look like the panel's own wish.
        if not self._shown_once:
            return
        wanted = child.property(_WANTED) is not False
        self._own_doing = True
        child.setVisible(wanted and not self.folded)
        if wanted:
            child.setAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide, False)
        self._own_doing = False


class ctkCollapsibleButton(QAbstractButton):
    """A flat header with a triangle; the contents below it fold away."""

    contentsCollapsed = Signal(bool)

    def __init__(self, text: str | QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(text if isinstance(text, QWidget) else parent)
        if isinstance(text, str):
            self.setText(text)
        self._folding = _Folding(self)
        self._collapsed_height = 10
        self._frame_shape = int(QFrame.Shape.NoFrame.value)
        self._frame_shadow = int(QFrame.Shadow.Plain.value)
        self._line_width = 1
        self._mid_line_width = 0
        self._flat = False
        self._text_alignment = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)
        self._indicator_alignment = self._text_alignment
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self._margins()
        self.toggled.connect(self._toggled)

    def _header(self) -> int:
        return self.fontMetrics().height() + 10

    def _margins(self) -> None:
        self.setContentsMargins(0, self._header(), 0, 0)

    def _toggled(self, opened: bool) -> None:
        self._folding.fold(not opened)
        self.setMaximumHeight(self._header() if not opened else 16777215)
        self.updateGeometry()
        self.contentsCollapsed.emit(not opened)

    def _collapsed(self) -> bool:
        return not self.isChecked()

    def _set_collapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, _collapsed, _set_collapsed)
    collapsedHeight = plain_property(int, "_collapsed_height")
    contentsFrameShape = plain_property(int, "_frame_shape")
    contentsFrameShadow = plain_property(int, "_frame_shadow")
    contentsLineWidth = plain_property(int, "_line_width")
    contentsMidLineWidth = plain_property(int, "_mid_line_width")
    flat = plain_property(bool, "_flat")
    buttonTextAlignment = plain_property(int, "_text_alignment")
    indicatorAlignment = plain_property(int, "_indicator_alignment")

    def hitButton(self, position: QPoint) -> bool:
        return QRect(0, 0, self.width(), self._header()).contains(position)

    def sizeHint(self) -> QSize:
        header = QSize(self.fontMetrics().horizontalAdvance(self.text()) + 40, self._header())
        layout = self.layout()
        if layout is None or self._collapsed():
            return header
        return layout.totalSizeHint().expandedTo(header)

    def minimumSizeHint(self) -> QSize:
        header = QSize(40, self._header())
        layout = self.layout()
        if layout is None or self._collapsed():
            return header
        return layout.totalMinimumSize().expandedTo(header)

    def childEvent(self, event: QChildEvent) -> None:
        if event.type() == QEvent.Type.ChildAdded and "_folding" in self.__dict__:
            self._folding.added(event.child())
        super().childEvent(event)

    def setVisible(self, visible: bool) -> None:
        self._folding.set_visible(super().setVisible, visible)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._margins()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        header = QRect(0, 0, self.width(), self._header())
        if not self._flat:
            painter.setPen(palette.color(QPalette.ColorRole.Mid))
            painter.setBrush(palette.color(QPalette.ColorRole.Button).darker(112 if self.isDown() else 104))
            painter.drawRoundedRect(header.adjusted(0, 0, -1, -1), 3, 3)
        colour = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.ButtonText)
        if not self.isEnabled():
            colour = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText)
        _triangle(painter, QPointF(13, header.height() / 2), self._collapsed(), colour)
        painter.setPen(colour)
        painter.drawText(header.adjusted(26, 0, -6, 0), self._text_alignment | 0x0800, self.text())


class ctkCollapsibleGroupBox(QGroupBox):
    """A group box whose title folds it."""

    def __init__(self, title: str | QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(title if isinstance(title, QWidget) else parent)
        if isinstance(title, str):
            self.setTitle(title)
        self._folding = _Folding(self)
        self._collapsed_height = 14
        self.setCheckable(True)
        self.toggled.connect(self._toggled)

    def _toggled(self, opened: bool) -> None:
        self._folding.fold(not opened)
        self.setMaximumHeight(self.fontMetrics().height() + 8 if not opened else 16777215)
        self.updateGeometry()

    def _collapsed(self) -> bool:
        return not self.isChecked()

    def _set_collapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, _collapsed, _set_collapsed)
    collapsedHeight = plain_property(int, "_collapsed_height")

    def childEvent(self, event: QChildEvent) -> None:
        if event.type() == QEvent.Type.ChildAdded and "_folding" in self.__dict__:
            self._folding.added(event.child())
        super().childEvent(event)

    def setVisible(self, visible: bool) -> None:
        self._folding.set_visible(super().setVisible, visible)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, height = self.palette(), self.fontMetrics().height()
        painter.setPen(palette.color(QPalette.ColorRole.Mid))
        middle = height // 2 + 2
        if self._collapsed():
            painter.drawLine(0, middle, self.width(), middle)
        else:
            painter.drawRoundedRect(QRect(0, middle, self.width() - 1, self.height() - middle - 1), 3, 3)
        title = QRect(6, 0, 26 + self.fontMetrics().horizontalAdvance(self.title()), height + 4)
        painter.fillRect(title, palette.color(QPalette.ColorRole.Window))
        colour = palette.color(QPalette.ColorRole.WindowText)
        _triangle(painter, QPointF(15, middle), self._collapsed(), colour)
        painter.setPen(colour)
        painter.drawText(title.adjusted(20, 0, 4, 0), Qt.AlignmentFlag.AlignVCenter, self.title())


class ctkExpandableWidget(QFrame):
    """A frame that the user stretches with a grip in its corner."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._orientations = int((Qt.Orientation.Horizontal | Qt.Orientation.Vertical).value)
        self._inside = True
        self._grip_margins = QSize(0, 0)
        self._grip = QSizeGrip(self)

    orientations = plain_property(int, "_orientations")
    sizeGripInside = plain_property(bool, "_inside")
    sizeGripMargins = plain_property(QSize, "_grip_margins")

    def updateSizeHint(self) -> None:
        """Take the contents' size again."""
        self.updateGeometry()

    def setLayout(self, layout: QVBoxLayout) -> None:
        super().setLayout(layout)
        self._grip.raise_()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        size = self._grip.sizeHint()
        self._grip.setGeometry(self.width() - size.width(), self.height() - size.height(), size.width(), size.height())
