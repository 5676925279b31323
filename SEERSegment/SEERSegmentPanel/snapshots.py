"""The views that the reasoner saw, or would be sent, as a strip of thumbnails."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from SEERSegmentLib.mrml.jump import jump_to

from .pictures import caption, lettered
from .widgets import later

__all__ = ["SnapshotsSection"]

_THUMBNAIL = 112
_ENLARGED_HEIGHT = 420


class SnapshotsSection:
    """A click enlarges a view, a second one jumps the slice views there. Pictures load one per turn of events."""

    def __init__(self, panel):
        self._panel = panel
        self._ui = ui = panel.ui
        self._views = None
        self._buttons = []
        self._pngs = []
        self._open = None
        self._cancel_loading = None
        ui.enlargedButton.connect("clicked()", self._jump)
        ui.jumpToViewButton.connect("clicked()", self._jump)
        ui.closeEnlargedButton.connect("clicked()", self._close_enlarged)

    def show(self, state):
        unsent = state.preview is not None and bool(state.preview.views)
        views = state.preview.views if unsent else state.views
        if views == self._views:
            return
        self._views = views
        self._ui.snapshotsSection.setVisible(bool(views))
        self._close_enlarged()
        self._stop_loading()
        for one in self._buttons:
            self._ui.thumbnailsLayout.removeWidget(one)
            one.hide()
            one.deleteLater()
        self._buttons = []
        if views:
            seen = _("The {count} views that the reasoner saw. Click one to enlarge it, again to go there.")
            would = _("The {count} pictures that would be sent; nothing has been sent. Click one to enlarge it.")
            self._ui.snapshotsHintLabel.setText((would if unsent else seen).format(count=len(views)))
            # Read now, shown one by one: the files of a run that failed are removed by the worker.
            self._pngs = [_bytes(self._panel.folder / view.png) for view in views]
            self._ui.snapshotsSection.setVisible(any(self._pngs))
            self._cancel_loading = self._panel.timers.call_later(0, later(self._load_next, 0))

    def close(self):
        self._stop_loading()

    def _stop_loading(self):
        if self._cancel_loading is not None:
            self._cancel_loading()
            self._cancel_loading = None

    def _load_next(self, index):
        self._cancel_loading = None
        view = self._views[index]
        made = qt.QToolButton()
        made.setObjectName(f"thumbnail{index}")
        made.setAutoRaise(True)
        made.setCheckable(True)
        made.setToolButtonStyle(qt.Qt.ToolButtonTextUnderIcon)
        made.setText(caption(view).replace(" · ", "\n"))
        made.setToolTip(_("{view}: click to enlarge, again to go there").format(view=view.name))
        made.setAccessibleName(caption(view))
        made.setIconSize(qt.QSize(_THUMBNAIL, _THUMBNAIL))
        picture = lettered(self._pngs[index], view.letters, _THUMBNAIL, _THUMBNAIL)
        if picture is not None:
            made.setIcon(qt.QIcon(picture))
        made.connect("clicked()", later(self._clicked, index))
        self._ui.thumbnailsLayout.insertWidget(index, made)
        self._buttons.append(made)
        if index + 1 < len(self._views):
            self._cancel_loading = self._panel.timers.call_later(0, later(self._load_next, index + 1))

    def _clicked(self, index):
        if index == self._open:
            self._jump()
            self._check(index)
            return
        view = self._views[index]
        width = max(200, self._ui.snapshotsBody.width - 24)
        picture = lettered(self._pngs[index], view.letters, width, _ENLARGED_HEIGHT)
        if picture is None:
            return
        self._open = index
        self._ui.enlargedButton.setIcon(qt.QIcon(picture))
        self._ui.enlargedButton.setIconSize(picture.size())
        where = "" if view.slice_index is None else _(" · slice {index}").format(index=view.slice_index)
        self._ui.enlargedCaption.setText(caption(view) + where)
        self._ui.enlargedFrame.setVisible(True)
        self._check(index)

    def _jump(self):
        if self._open is not None:
            jump_to(slicer.mrmlScene, self._views[self._open].centre_ras, centred=True)

    def _close_enlarged(self):
        self._open = None
        self._ui.enlargedFrame.setVisible(False)
        self._check(None)

    def _check(self, index):
        for number, one in enumerate(self._buttons):
            one.setChecked(number == index)


def _bytes(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
