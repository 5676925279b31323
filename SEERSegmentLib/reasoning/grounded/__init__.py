"""Grounded reasoning: a vision-language model reads a request against views (SEER paper, section 2.2).

    case ─► screened ─► prompts (q and Ω(q)) ─► model ─► replies ─► parsed, strictly ─► vote ─► Reasoning | Abstention
                                                  ▲            malformed │
                                                  └── once more, held to the form

The model itself is behind :class:`~SEERSegmentLib.reasoning.vlm.VisionLanguageModel`, so all of this is the same for a
local one and for a server. What comes out goes through the same checks of the pipeline as any other reasoner's answer.
"""

from __future__ import annotations

from .reasoner import GroundedReasoner
from .settings import Settings, settings_of

__all__ = ["GroundedReasoner", "Settings", "settings_of"]
