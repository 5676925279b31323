"""The backbone ``propagation``: draws a target from a key slice and boxes, by classical means.

It stands where MedVol-R1 has its frozen MedSAM2, until such a backbone is installed, and says so with every mask.
"""

from __future__ import annotations

from .backbone import PropagationBackbone

__all__ = ["PropagationBackbone"]
