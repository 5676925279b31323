"""From preferences to the parts of a run: which reasoner and backbone, with which options. Every option is a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ..worker.messages import PartChoice
from .seams import Preferences

__all__ = [
    "AUTOMATIC",
    "BEHIND_OPTION",
    "EMBEDDED_REASONER",
    "IDENTIFIERS_OPTION",
    "KEY_OPTION",
    "REASONER_KINDS",
    "backbone_choice",
    "behind",
    "is_hub_name",
    "reasoner_choice",
    "server_choice",
    "wants_server",
]

EMBEDDED_REASONER = "lexical"

#: Kind of reasoner as the panel names it → name in the registry. Any other kind is a third party's registry name.
REASONER_KINDS: Mapping[str, str] = {
    "embedded": EMBEDDED_REASONER,
    "local": "qwen",
    "remote": "openai",
    "medvol": "medvol",
}

#: The option of a part that is a secret: never logged, never saved with an episode.
KEY_OPTION = "key"

#: The option of a reasoner that sends: what becomes of a patient's name or number in a request.
IDENTIFIERS_OPTION = "identifiers"

#: The option of a reasoner that names the model which it asks.
BEHIND_OPTION = "vlm"

#: The views that the reasoner is best with.
AUTOMATIC = "auto"

#: ``organisation/name`` of the Hugging Face hub, perhaps with a folder within the repository.
_HUB_NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(/[\w.-]+)*")


def reasoner_choice(preferences: Preferences, kind: str = "") -> PartChoice:
    """The reasoner that the preferences name, or that of a ``kind``, with the options it takes."""
    kind = kind or preferences.get("reasonerKind")
    if kind == "medvol":
        model = preferences.get("medvolModel")
        options = {
            BEHIND_OPTION: REASONER_KINDS[model],
            **_model_options(preferences, model),
            "scale": preferences.get("medvolScale"),
            "numbering": preferences.get("medvolNumbering"),
        }
        return PartChoice(REASONER_KINDS[kind], _given(options))
    if kind in ("local", "remote"):
        options = _given({**_model_options(preferences, kind), **_asking_options(preferences)})
        if preferences.get("tablesFirst"):
            return PartChoice("cascade", {BEHIND_OPTION: REASONER_KINDS[kind], **options})
        return PartChoice(REASONER_KINDS[kind], options)
    return PartChoice(REASONER_KINDS.get(kind, kind))


def server_choice(preferences: Preferences) -> PartChoice:
    """The remote reasoner with no more than it takes to reach its server, for a test of the connection."""
    return PartChoice(REASONER_KINDS["remote"], _given(_server_options(preferences)))


def backbone_choice(preferences: Preferences) -> PartChoice:
    """The backbone that the preferences name, with the options it takes."""
    name = preferences.get("backbone")
    labels = preferences.get("referenceLabels") if name == "reference" else ""
    return PartChoice(name, {"labelmap": labels} if labels else {})


def behind(choice: PartChoice) -> str:
    """The part that a reasoner asks in turn, by its registry name; empty for one that asks nobody."""
    return choice.options.get(BEHIND_OPTION, "")


def wants_server(choice: PartChoice) -> bool:
    """Whether a part can't do without the address of a server."""
    return (behind(choice) or choice.name) == REASONER_KINDS["remote"]


def is_hub_name(text: str) -> bool:
    """Whether a model's name is one of the hub's, and not a folder of this computer."""
    return _HUB_NAME.fullmatch(text) is not None and not Path(text).expanduser().is_dir()


def _model_options(preferences: Preferences, kind: str) -> dict[str, str]:
    """Options of the model itself, and for one on a server what becomes of identifiers."""
    if kind == "remote":
        return {**_server_options(preferences), IDENTIFIERS_OPTION: preferences.get("identifiers")}
    model, adapter = (preferences.get(name).strip() for name in ("localModel", "localAdapter"))
    options = {"model": model, "adapter": adapter, "device": preferences.get("device")}
    if is_hub_name(model):
        options["revision"] = preferences.get("localRevision").strip()
    if is_hub_name(adapter):
        options["adapter_revision"] = preferences.get("adapterRevision").strip()
    if preferences.get("download") and (is_hub_name(model) or is_hub_name(adapter)):
        options["download"] = "yes"
    return options


def _server_options(preferences: Preferences) -> dict[str, str]:
    kept_as = (("url", "remoteUrl"), ("model", "remoteModel"), (KEY_OPTION, "remoteKey"))
    return {name: preferences.get(kept).strip() for name, kept in kept_as}


def _asking_options(preferences: Preferences) -> dict[str, str]:
    """In which words a model is asked, and how often."""
    template = preferences.get("template")
    path = {"seer": "", "custom": "templateFile"}.get(template, "officialCheckout")
    count = preferences.get("rephrasings")
    return {
        "template": template,
        "checkout": preferences.get(path) if path else "",
        "rephrasings": str(count) if count else "",
    }


def _given(options: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in options.items() if value}
