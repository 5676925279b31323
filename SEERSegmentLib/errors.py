"""Every error that SEER raises on purpose, in one tree.

    SeerError
    ├── UsageError          exit 2   the command or call was put together wrongly
    │   └── MissingExtra             an optional dependency is not installed; names the extra
    ├── InputError          exit 4   what was given to work on can't be used
    │   ├── VolumeError              the image: unreadable, not 3D, damaged, bad geometry
    │   │   └── SeriesChoiceNeeded   a DICOM folder holds several series; the caller chooses
    │   └── RequestError             the text of the request
    ├── ReasonerError       exit 5   a reasoner failed (not: abstained, which is a result)
    │   └── ReplyError               a reply whose structure can't be trusted
    ├── BackboneError       exit 6   a segmentation backbone failed
    │   └── UnsupportedTarget        this backbone does not do that target; says which would
    ├── ServiceError        exit 7   a server, local or remote
    ├── StorageError        exit 8   something could not be written
    └── Cancelled           exit 130 the user stopped the run

The try/except that a caller should write::

    try:
        result = pipeline.run(job, emit, cancel)
    except Cancelled:
        ...                      # nothing was written
    except SeerError as error:
        show(error.user_message)  # one sentence for a radiologist
        log(error.code)           # stable, for machines and for support

`code` is stable and documented in docs/errors.md; `user_message` is a sentence that a radiologist understands;
`str(error)` may add detail for the log. `retryable` says that the same call may work later.
"""

from __future__ import annotations

__all__ = [
    "BackboneError",
    "Cancelled",
    "InputError",
    "MissingExtra",
    "ReasonerError",
    "ReplyError",
    "RequestError",
    "SeerError",
    "SeriesChoiceNeeded",
    "ServiceError",
    "StorageError",
    "UnsupportedTarget",
    "UsageError",
    "VolumeError",
]


class SeerError(Exception):
    """Base of the tree.

    Parameters
    ----------
    user_message
        One sentence in plain words: what is wrong and, where possible, what to do.
    code
        Stable identifier of this very case, in kebab case; the class's own code where not given.
    detail
        More for the log: file offsets, numbers, the text of an underlying error.
    retryable
        Whether the same call may succeed later without a change.
    """

    code = "seer-error"
    exit_code = 1
    retryable = False

    def __init__(
        self,
        user_message: str,
        *,
        code: str | None = None,
        detail: str = "",
        retryable: bool | None = None,
    ) -> None:
        self.user_message = user_message
        self.detail = detail
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable
        super().__init__(f"{user_message} ({detail})" if detail else user_message)


class UsageError(SeerError):
    """The command or call was put together wrongly."""

    code = "usage"
    exit_code = 2


class MissingExtra(UsageError):
    """An optional dependency is missing; the message names the extra that brings it."""

    code = "missing-extra"

    def __init__(self, feature: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f"{feature} needs the extra '{extra}', which is not installed: pip install 'seer-segment[{extra}]'."
        )


class InputError(SeerError):
    """What was given to work on can't be used."""

    code = "input"
    exit_code = 4


class VolumeError(InputError):
    """The image can't be read or is not one that SEER can segment."""

    code = "volume"


class SeriesChoiceNeeded(VolumeError):
    """A DICOM folder holds several series and the caller has to choose one.

    Attributes
    ----------
    series : tuple[tuple[str, str], ...]
        (series instance UID, description with modality and number of slices), in the order listed.
    """

    code = "dicom-several-series"

    def __init__(self, user_message: str, series: tuple[tuple[str, str], ...]) -> None:
        self.series = series
        super().__init__(user_message)


class RequestError(InputError):
    """The text of the request can't be used as text."""

    code = "request"


class ReasonerError(SeerError):
    """A reasoner failed to run. (An abstention is a result, not an error.)"""

    code = "reasoner"
    exit_code = 5


class ReplyError(ReasonerError):
    """A reasoner's reply whose structure can't be trusted; never executed: the pipeline makes it an Abstention."""

    code = "reply-malformed"


class BackboneError(SeerError):
    """A segmentation backbone failed."""

    code = "backbone"
    exit_code = 6


class UnsupportedTarget(BackboneError):
    """A backbone does not do this target; the message says which would and how to get it."""

    code = "target-unsupported"


class ServiceError(SeerError):
    """A server, local or remote, failed or answered wrongly."""

    code = "service"
    exit_code = 7


class StorageError(SeerError):
    """Something could not be written; nothing half-written is left behind."""

    code = "storage"
    exit_code = 8


class Cancelled(SeerError):
    """The user stopped the run."""

    code = "cancelled"
    exit_code = 130
    retryable = True

    def __init__(self, user_message: str = "The run was cancelled; nothing was written.") -> None:
        super().__init__(user_message)
