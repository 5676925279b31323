"""Reviewed runs, kept: a JSON line per episode, and its masks beside it.

    episode, masks = new_episode(...)                        # from a run and the user's decision
    EpisodeStore(default_folder()).save(episode, masks)      # on disk when it returns
    EpisodeStore(folder).read()                              # all of them, oldest first

docs/episodes.md has the format.
"""

from __future__ import annotations

from .place import default_folder
from .record import ProposedSegment, new_episode
from .store import EpisodeStore

__all__ = ["EpisodeStore", "ProposedSegment", "default_folder", "new_episode"]
