"""The grounded reasoners by the model behind them: ``qwen`` on this computer, ``openai`` on a server."""

from __future__ import annotations

from dataclasses import replace

from ..protocols import ReasonerInfo
from .grounded import GroundedReasoner, settings_of
from .models import MODELS, make_model, split_options

__all__ = ["OpenAIReasoner", "QwenReasoner"]

_VERSION = "1.0"

#: SEER's released weights were trained on the views seer-v1 with the official words; any other model is best with
#: upright views from three planes.
_TRAINED, _UPRIGHT = ("seer-v1", "multi-view"), ("multi-view", "seer-v1")


class _OnModel(GroundedReasoner):
    """A grounded reasoner that makes its model from options, which are texts."""

    kind = ""
    info: ReasonerInfo

    def __init__(self, **options: str) -> None:
        own, asking = split_options(self.kind, options)
        settings = settings_of(asking)
        official = settings.template.name.startswith("official")
        trained = official or bool(own.get("adapter"))
        info = replace(type(self).info, presets=_TRAINED if trained else _UPRIGHT)
        super().__init__(info, make_model(self.kind, own).model, settings)


class QwenReasoner(_OnModel):
    """Qwen3-VL on this computer, with SEER's adapter or as it is.

    Parameters
    ----------
    **options : str
        Of the model: ``model``, ``adapter``, ``device``, ``dtype``, ``attention``, ``revision``, ``adapter_revision``,
        ``download``; see :class:`~SEERSegmentLib.reasoning.qwen.QwenVL`. Of the asking: see
        :func:`~SEERSegmentLib.reasoning.grounded.settings_of`.
    """

    kind = "qwen"
    info = ReasonerInfo(
        "qwen",
        _VERSION,
        "Qwen3-VL with SEER's adapter, on this computer.",
        needs=MODELS["qwen"].needs,
        licence="Apache-2.0 (Qwen3-VL), MIT (SEER)",
    )


class OpenAIReasoner(_OnModel):
    """A vision-language model on a server with an OpenAI-compatible interface: it is sent the views and the request.

    Parameters
    ----------
    **options : str
        Of the model: ``url``, ``model``, ``key``, ``deadline``; see
        :class:`~SEERSegmentLib.reasoning.openai.OpenAIServer`. Of the asking: see
        :func:`~SEERSegmentLib.reasoning.grounded.settings_of`.
    """

    kind = "openai"
    info = ReasonerInfo(
        "openai",
        _VERSION,
        "A vision-language model on a server with an OpenAI-compatible interface.",
        offline=False,
        needs=MODELS["openai"].needs,
        licence="the server's",
    )
