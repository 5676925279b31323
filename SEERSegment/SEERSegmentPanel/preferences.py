"""The user's preferences in Slicer's settings file, under one prefix."""

from __future__ import annotations

import qt

from SEERSegmentLib.presenter.preferences import PreferenceTable

__all__ = ["PREFIX", "SettingsStore", "user_preferences"]

PREFIX = "SEERSegment/"


class SettingsStore:
    """A ``Store`` over QSettings. Values come back as text after a restart; the table reads them into their types."""

    def get(self, name):
        """The value as stored; None where there is none."""
        return qt.QSettings().value(PREFIX + name)

    def set(self, name, value):
        qt.QSettings().setValue(PREFIX + name, value)

    def remove(self, name):
        qt.QSettings().remove(PREFIX + name)


def user_preferences(on_log=None):
    """The table of preferences, kept in the user's settings."""
    return PreferenceTable(SettingsStore(), on_log)
