"""What is measured of the image, and checks of a target and of a mask against it, independent of any reasoner.

    facts = measure(volume)                        # modality, extent, midline, landmarks, body levels: all evidence
    findings = check_spec(spec, request, facts)    # before running
    findings = check_masks(masks, facts, volume)   # after

Nothing here knows a reasoner or a backbone; scipy is imported when it is used.
"""

from __future__ import annotations

from .facts import measure
from .mask_checks import check_masks
from .spec_checks import check_spec

__all__ = ["check_masks", "check_spec", "measure"]
