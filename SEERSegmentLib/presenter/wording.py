"""What the presenter says: its errors, and its sentences about what leaves the machine and how a run ended."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import RequestError, SeerError, UsageError, VolumeError

__all__ = [
    "SNAPSHOTS",
    "answer_empty",
    "consent_text",
    "output_gone",
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
    "unexpected",
    "volume_differs",
    "volume_gone",
    "volume_not_chosen",
]

#: Most snapshots that a preset renders, and their longest edge in pixels.
SNAPSHOTS: Mapping[str, tuple[int, int]] = {"multi-view": (10, 448), "seer-v1": (8, 448)}


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


def consent_text(kind: str, name: str, server: str, what: str, preset: str, phrasings: int = 0) -> str:
    """Exactly what would leave the machine, and to whom.

    Parameters
    ----------
    kind, name : str
        ``"reasoner"`` or ``"backbone"``, and its name.
    server : str
        Who receives it.
    what : str
        ``"snapshots"`` or ``"volume"``.
    preset : str
        Of the views.
    phrasings : int
        Rephrasings of the request that are sent besides it.
    """
    words = "the text of your request" + (f" and {phrasings} rephrasings of it" if phrasings else "")
    if what == "snapshots":
        count, edge = SNAPSHOTS.get(preset, (0, 0))
        views = f"up to {count} snapshots of at most {edge}×{edge} pixels" if count else "snapshots"
        sent = f"{views} (the views of the preset {preset}), and {words}"
        included = "Text that is burned into the image, such as a name or a date, may be visible in them."
    else:
        sent = f"the volume itself, with all its voxels, and {words}"
        included = (
            "Text that is burned into the image, such as a name or a date, may be included, and if it shows the head,"
            " the face could be reconstructed from it."
        )
    plain = " The connection is not encrypted." if server.startswith("http://") else ""
    return (
        f"The {kind} {name} sends to {server}: {sent}. {included}{plain}"
        " You are asked even if this address is your own computer, since it may pass the data on."
    )


def result_sentence(names: tuple[str, ...], millilitres: float, seconds: float) -> str:
    """How a run ended, in a line."""
    what = names[0] if len(names) == 1 else f"{len(names)} segments"
    return f"{what}: {millilitres:,.1f} mL, in {seconds:.1f} s."
