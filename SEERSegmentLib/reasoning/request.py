"""The border at which typed, pasted or piped text becomes a Request.

Text is checked, not rewritten: what passes keeps its words, case, spelling and punctuation. Only characters that no
reader sees are taken out (zero-width and directional marks), so that what is read is what is seen.
"""

from __future__ import annotations

import re
import unicodedata

from ..errors import RequestError
from ..values import Request

__all__ = ["MAX_REPORT_BYTES", "MAX_REQUEST_BYTES", "clean_request"]

MAX_REQUEST_BYTES = 100_000
"""Longest request to be executed, in bytes of UTF-8: some 15,000 words. Nobody types more for one image."""

MAX_REPORT_BYTES = 1_048_576
"""Longest text that is only read, as a row of many: 1 MiB holds more than any patient's collected reports."""

MAX_RUN = 2_000
"""Longest run of letters without a space. Chinese and Japanese write without spaces and don't count towards it."""

# Drawn as nothing: zero-width spaces and joiners, soft hyphen, byte order mark, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
# Directional marks, embeddings and isolates: they occur in honest Arabic or Hebrew text and change no word.
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a\u202b\u202c\u2066-\u2069]")
# Overrides show letters in another order than they are stored: "tfel" can look like "left".
_OVERRIDE = re.compile("[\u202d\u202e]")
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONG_RUN = re.compile(f"[^\\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]{{{MAX_RUN + 1}}}")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def clean_request(text: str | bytes, id: str = "", limit: int = MAX_REQUEST_BYTES) -> Request:
    """Check a text and make it a Request.

    Parameters
    ----------
    text
        What the user typed. Bytes are read as UTF-8, or as UTF-16 where a byte order mark says so.
    id
        By which the caller knows the request again.
    limit
        Bytes of UTF-8 that are accepted.

    Raises
    ------
    RequestError
        Codes ``request-empty``, ``request-too-long``, ``request-binary``, ``request-undecodable``,
        ``request-control-characters``, ``request-bidi-override``, ``request-no-words``.
    """
    if isinstance(text, bytes):
        text = _decode(text, limit)
    if len(text) > limit or len(text.encode("utf-8", "replace")) > limit:
        raise _too_long(limit)
    if "\0" in text:
        raise _binary()
    if _SURROGATE.search(text):
        raise RequestError(
            "The request holds characters that can't be read; please type it again.", code="request-undecodable"
        )
    if control := _CONTROL.search(text):
        raise RequestError(
            "The request holds control characters, as a copied terminal or a damaged file does; please type it again.",
            code="request-control-characters",
            detail=f"U+{ord(control[0]):04X} at character {control.start()}",
        )
    if override := _OVERRIDE.search(text):
        raise RequestError(
            "The request holds hidden marks that show its letters in another order than they are written; please type"
            " it again.",
            code="request-bidi-override",
            detail=f"U+{ord(override[0]):04X} at character {override.start()}",
        )
    cleaned = _DIRECTION.sub("", _INVISIBLE.sub("", text)).strip()
    if not cleaned or all(unicodedata.category(c)[0] in "ZC" for c in cleaned):
        raise RequestError("The request is empty; please say what to segment.", code="request-empty")
    if _LONG_RUN.search(cleaned):
        raise RequestError(
            f"The request holds more than {MAX_RUN} characters in a row without a space, so it is not words; please say"
            " what to segment.",
            code="request-no-words",
        )
    return Request(cleaned, id)


def _decode(data: bytes, limit: int) -> str:
    if len(data) > 2 * limit + 2:
        raise _too_long(limit)
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in data:
        raise _binary()
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise RequestError(
            "The request is not text in UTF-8; please save it as UTF-8, or type it.",
            code="request-undecodable",
            detail=str(error),
        ) from error


def _binary() -> RequestError:
    return RequestError("The request is binary data, not text; please say what to segment.", code="request-binary")


def _too_long(limit: int) -> RequestError:
    return RequestError(
        f"The request is longer than {limit:,} characters; please shorten it to the part that says what to segment.",
        code="request-too-long",
    )
