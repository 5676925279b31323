"""What the presenter says: its errors, and how a run is done and ended; :mod:`.question` has what is asked."""

from __future__ import annotations

from ..errors import BackboneError, ReasonerError, RequestError, SeerError, UsageError, VolumeError
from ..worker.messages import PartReport

__all__ = [
    "answer_empty",
    "output_gone",
    "part_not_ready",
    "part_unavailable",
    "report_unexpected",
    "request_empty",
    "result_sentence",
    "review_nothing",
    "review_reason_missing",
    "review_saved_already",
    "review_stopped",
    "server_invalid",
    "server_missing",
    "stand_in",
    "unexpected",
    "volume_differs",
    "volume_gone",
    "volume_not_chosen",
]


def volume_not_chosen() -> SeerError:
    return UsageError("No volume is chosen; please choose one under Inputs.", code="volume-not-chosen")


def volume_gone() -> SeerError:
    return VolumeError("The volume is no longer in the scene; please choose another one.", code="volume-gone")


def volume_differs() -> SeerError:
    return UsageError(
        "Another volume is chosen than the one that was checked; please run the request again.", code="volume-differs"
    )


def output_gone() -> SeerError:
    return UsageError("The segmentation is no longer in the scene; please choose another one.", code="output-gone")


def request_empty() -> SeerError:
    return RequestError("The request is empty; please say what to segment.", code="request-empty")


def answer_empty() -> SeerError:
    return RequestError("The answer is empty; please name what to segment.", code="answer-empty")


def part_unavailable(kind: str, name: str) -> SeerError:
    return UsageError(
        f"The {kind} '{name}' is not available in this version; please choose another one in the settings.",
        code="part-unavailable",
    )


def part_not_ready(part: PartReport) -> SeerError:
    said = f"The {part.kind} '{part.name}' is not ready: {part.what_to_do}".rstrip(": ")
    kind = BackboneError if part.kind == "backbone" else ReasonerError
    return kind(said, code=part.code or None)


def server_missing() -> SeerError:
    return UsageError("No address of a server is given; please enter it in the settings.", code="server-missing")


def server_invalid() -> SeerError:
    return UsageError(
        "The address of the server can't be used; it should start with http:// or https:// and name a server.",
        code="server-invalid",
    )


def review_nothing() -> SeerError:
    return UsageError("There is no result to review.", code="review-nothing")


def review_saved_already() -> SeerError:
    return UsageError("This run has been reviewed; its episode is saved.", code="review-saved")


def review_reason_missing() -> SeerError:
    return UsageError("Please say why the result is rejected.", code="review-reason-missing")


def review_stopped() -> SeerError:
    return UsageError("Saving was stopped; the episode may be on disk or not.", code="review-stopped", retryable=True)


def report_unexpected(kind: str) -> SeerError:
    return SeerError(
        "The worker process answered something else than it was asked.", code="report-unexpected", detail=kind
    )


def unexpected(detail: str) -> SeerError:
    return SeerError(
        "Something went wrong in SEER itself; the log has the details.", code="panel-unexpected", detail=detail
    )


def stand_in(chosen: str, instead: str) -> str:
    """Why another backbone segments than the chosen one."""
    return f"The answer comes as boxes, which the backbone '{chosen}' can't start from: '{instead}' segments instead."


def result_sentence(names: tuple[str, ...], millilitres: float, seconds: float) -> str:
    """How a run ended, in a line."""
    what = names[0] if len(names) == 1 else f"{len(names)} segments"
    return f"{what}: {millilitres:,.1f} mL, in {seconds:.1f} s."
