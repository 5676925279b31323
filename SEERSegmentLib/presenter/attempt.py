"""One way of a request through the panel, from the click to its end, and what it left."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from ..values import Modality
from ..worker.messages import PartChoice, RunOrder, RunReport, VolumeFile
from .choices import EMBEDDED_REASONER, backbone_choice, reasoner_choice
from .consent import Sending
from .copying import SlabLoop
from .seams import Committed, Inputs, Preferences
from .state import Activity

__all__ = ["Attempt", "Result"]

Crop = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]


@dataclass(eq=False)
class Attempt:
    """What was asked for, as the settings stood then, and how far it is.

    Attributes
    ----------
    preset : str
        Of the views, as preferred; once the reasoner is known, as it will be.
    answer : str or None
        Written by the user, or the one that a check blocked: the reasoner is not asked.
    phrasings, seed : int
        Of the rephrasings; 0 for a run.
    questions : deque of Sending
        What the user still has to allow.
    allowed : set of str
        What the user has allowed to leave.
    job : str
        The worker's job that lives for this attempt, if one does.
    loop : SlabLoop or None
        While the volume is copied.
    order : RunOrder or None
        As sent.
    """

    text: str
    inputs: Inputs
    reasoner: PartChoice
    backbone: PartChoice
    preset: str
    activity: Activity = Activity.RUN
    answer: str | None = None
    run_anyway: bool = False
    phrasings: int = 0
    seed: int = 0
    questions: deque[Sending] = field(default_factory=deque)
    allowed: set[str] = field(default_factory=set)
    job: str = ""
    loop: SlabLoop | None = None
    order: RunOrder | None = None

    @classmethod
    def of(
        cls, preferences: Preferences, text: str, inputs: Inputs, *, answer: str | None = None, run_anyway: bool = False
    ) -> Attempt:
        """A run with the parts that the preferences name."""
        # a reasoner that is not asked is not made either: its address and key stay here
        reasoner = reasoner_choice(preferences) if answer is None else PartChoice(EMBEDDED_REASONER)
        backbone, preset = backbone_choice(preferences), preferences.get("preset")
        return cls(text.strip(), inputs, reasoner, backbone, preset, answer=answer, run_anyway=run_anyway)

    @classmethod
    def of_phrasings(cls, preferences: Preferences, text: str, inputs: Inputs) -> Attempt:
        """A check of the phrasing."""
        attempt = cls.of(preferences, text, inputs)
        attempt.activity = Activity.PHRASING
        attempt.phrasings, attempt.seed = preferences.get("phrasings"), preferences.get("seed")
        return attempt

    def run_order(self, job: str, file: VolumeFile, crop: Crop | None = None) -> RunOrder:
        """The order for the worker, for the volume as it was copied, or as the user says that it is."""
        modality = self.inputs.modality
        if modality is not Modality.UNKNOWN:
            file = replace(file, modality=modality, modality_source="user")
        return RunOrder(
            job,
            file,
            self.text,
            self.reasoner,
            self.backbone,
            self.preset,
            crop,
            self.answer,
            self.run_anyway,
            tuple(sorted(self.allowed)),
        )

    @property
    def parts(self) -> dict[str, PartChoice]:
        """The parts that work on it, by kind."""
        parts = {"reasoner": self.reasoner} if self.answer is None else {}
        return {**parts, "backbone": self.backbone}


@dataclass(frozen=True, eq=False)
class Result:
    """A run that is in the scene: what was sent, what came, and what was written."""

    order: RunOrder
    report: RunReport
    committed: Committed
