"""The local reasoner's model: Qwen3-VL through transformers and peft.

    model ──► weights, hub, headers    what lies on the disk, checked without importing anything heavy
          ──► device, memory           where it runs, in which numbers, and whether it fits
          ──► matching, loading        base and adapter, whether they belong together, and into memory
          ──► processor                a prompt as tokens, positions and patches
          ──► generate, writing        one greedy batch; free, or within a form's skeleton

torch, transformers and peft (the extra ``local``) are imported when a model is first asked, and not before.
"""

from __future__ import annotations

from .model import QwenVL

__all__ = ["QwenVL"]
