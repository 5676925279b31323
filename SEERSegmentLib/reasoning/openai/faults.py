"""Every error of a server, in one place: one function per case, one sentence for the user in each.

None says more than the server's place (host and port) and, where it helps, a few words of the server's own that were
cleaned (:mod:`.words`): no key, no path, no request, no picture.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...errors import ServiceError, UsageError

__all__ = [
    "bad_address",
    "bad_key",
    "certificate",
    "certificates_unreadable",
    "compressed",
    "cut_off",
    "empty",
    "error_in_answer",
    "forbidden",
    "html",
    "key_in_clear",
    "model_unknown",
    "no_address",
    "no_model",
    "not_found",
    "not_http",
    "not_json",
    "not_utf8",
    "of_status",
    "proxy",
    "proxy_kind",
    "redirect",
    "refused",
    "timeout",
    "tls",
    "too_long",
    "unauthorised",
    "unexpected",
    "unknown_host",
    "unreachable",
]

_NO_SERVER = "not as a server of models does; check the address"

#: A server that has no eyes says so in these words; its status is 400 with most and 500 with llama.cpp.
_TEXT_ONLY = re.compile(
    r"not a multimodal|no multimodal|mmproj|text[- ]only"
    r"|(image|vision|multi-?modal)[^.]{0,40}(not supported|unsupported|not support)"
    r"|(not support|unsupported|no support)[^.]{0,40}(image|vision|multi-?modal)",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(
    r"at most \d+ image|too many images|context (length|size|window)|too (long|large)|max_model_len", re.IGNORECASE
)
_UNKNOWN_MODEL = re.compile(r"model\b.{0,300}\b(not exist|not found|unknown|no such|not available)", re.I | re.S)


# --- before anything is sent ------------------------------------------------------------------------------------------


def no_address() -> UsageError:
    return UsageError(
        "No address of a server is given: enter it as https://… or http://…, often ending in /v1.",
        code="server-missing",
    )


def bad_address(why: str) -> UsageError:
    return UsageError(why, code="server-invalid")


def bad_key() -> UsageError:
    return UsageError(
        "The key for the server holds a space or a sign that no key has; copy it again.", code="server-key-invalid"
    )


def key_in_clear() -> UsageError:
    return UsageError(
        "The key would go over the network unencrypted; use https:// for a server on another computer.",
        code="server-key-unencrypted",
    )


def refused(place: str) -> ServiceError:
    return ServiceError(f"Nothing answers at {place}: is the server running?", code="server-refused", retryable=True)


def unknown_host(place: str, *, for_now: bool = False) -> ServiceError:
    return ServiceError(
        f"There is no computer of the name {place} on this network; check the address and the network.",
        code="server-unknown-host",
        retryable=for_now,
    )


def unreachable(place: str) -> ServiceError:
    return ServiceError(f"The connection to {place} failed.", code="server-unreachable", retryable=True)


def certificate(place: str) -> ServiceError:
    return ServiceError(
        f"The certificate of {place} is not trusted, so nothing was sent.", code="server-certificate", retryable=False
    )


def certificates_unreadable(variable: str) -> ServiceError:
    return ServiceError(
        f"The trusted certificates that {variable} names can't be read, so nothing was sent.",
        code="server-certificate",
        detail=variable,
    )


def tls(place: str) -> ServiceError:
    return ServiceError(
        f"{place} does not speak https, or only an outdated kind of it, so nothing was sent.", code="server-tls"
    )


def proxy(place: str) -> ServiceError:
    return ServiceError(f"The proxy of this network doesn't let SEER through to {place}.", code="server-proxy")


def proxy_kind() -> ServiceError:
    return ServiceError(
        "This network is set up for a kind of proxy that SEER can't use; it can use http proxies.", code="server-proxy"
    )


# --- on the way -------------------------------------------------------------------------------------------------------


def timeout(place: str, seconds: float) -> ServiceError:
    return ServiceError(f"{place} did not answer within {seconds:g} seconds.", code="server-timeout", retryable=True)


def cut_off(place: str, detail: str = "") -> ServiceError:
    return ServiceError(
        f"The answer of {place} broke off before it was whole; nothing of it was used.",
        code="server-cut-off",
        detail=detail,
        retryable=True,
    )


def empty(place: str) -> ServiceError:
    return ServiceError(f"{place} answers with nothing, {_NO_SERVER}.", code="server-empty", retryable=True)


def too_long(place: str, detail: str) -> ServiceError:
    return ServiceError(
        f"{place} answers with far more than was asked for, {_NO_SERVER}.", code="server-too-long", detail=detail
    )


def not_http(place: str) -> ServiceError:
    return ServiceError(
        f"{place} answers, but not in the way of the web (HTTP); check the address.", code="server-http"
    )


def compressed(place: str) -> ServiceError:
    return ServiceError(
        f"{place} sends its answer compressed, which it was asked not to; nothing was unpacked.",
        code="server-encoding",
    )


# --- what an answer says ----------------------------------------------------------------------------------------------


def html(place: str) -> ServiceError:
    return ServiceError(
        f"{place} answers with a web page, {_NO_SERVER}. It may be the login page of a proxy.", code="server-html"
    )


def not_json(place: str) -> ServiceError:
    return ServiceError(f"{place} answers, but {_NO_SERVER}.", code="server-not-json")


def not_utf8(place: str) -> ServiceError:
    return ServiceError(f"{place} answers in letters that can't be read, {_NO_SERVER}.", code="server-not-utf8")


def unexpected(place: str, detail: str) -> ServiceError:
    return ServiceError(f"{place} answers, but {_NO_SERVER}.", code="server-unexpected", detail=detail)


def unauthorised(place: str, *, with_key: bool) -> ServiceError:
    said = "does not accept this key" if with_key else "asks for a key"
    return ServiceError(f"{place} {said}.", code="server-unauthorised")


def forbidden(place: str, *, with_key: bool) -> ServiceError:
    said = "does not accept this key for that" if with_key else "asks for a key, or lets nobody in"
    return ServiceError(f"{place} {said}.", code="server-forbidden")


def redirect(place: str, there: str) -> ServiceError:
    to = f" to {there}" if there else ""
    return ServiceError(
        f"{place} sends one on{to}; nothing went there. Give that address itself if you trust it.",
        code="server-redirect",
    )


def not_found(place: str) -> ServiceError:
    return ServiceError(
        f"{place} answers, but has nothing of that kind here; the address often ends in /v1.", code="server-not-found"
    )


def model_unknown(place: str, model: str, known: Sequence[str] = ()) -> ServiceError:
    shown = ", ".join(known[:8]) + (" …" if len(known) > 8 else "")
    has = f"; it has: {shown}" if known else ""
    return ServiceError(f"{place} has no model '{model}'{has}.", code="server-model-unknown")


def no_model(place: str) -> ServiceError:
    return ServiceError(
        f"{place} doesn't say which models it has; enter the model's name.", code="server-model-missing"
    )


def error_in_answer(place: str, said: str, shown: str) -> ServiceError:
    """An error that came in place of a reply, or in the middle of one."""
    return _by_words(place, said, shown) or ServiceError(
        f"{place} stopped with an error; nothing of its answer was used.{_quoted(shown)}",
        code="server-error",
        retryable=True,
    )


def of_status(place: str, status: int, model: str, said: str, shown: str) -> ServiceError:
    """An answer whose status is an error's, other than 401, 403, 407 and those that send one on.

    ``said`` are the server's words, which are looked at; ``shown`` is what of them may be shown.
    """
    code = f"(HTTP {status})"
    if status in (400, 413, 422, 500) and (by_words := _by_words(place, said, shown)):
        return by_words
    if status == 404 or _UNKNOWN_MODEL.search(said):
        return model_unknown(place, model) if model and "model" in said.lower() else not_found(place)
    if status == 413:
        return _too_large(place, shown)
    if status in (400, 422):
        return ServiceError(f"{place} refuses the request {code}.{_quoted(shown)}", code="server-request-refused")
    if status in (429, 503):
        return ServiceError(
            f"{place} has too much to do, or is still loading its model {code}; try again in a while.{_quoted(shown)}",
            code="server-busy",
            retryable=True,
        )
    if status >= 500:
        return ServiceError(
            f"{place} failed with an error of its own {code}.{_quoted(shown)}", code="server-failed", retryable=True
        )
    return ServiceError(f"{place} answers with an error {code}.{_quoted(shown)}", code="server-status")


def _by_words(place: str, said: str, shown: str) -> ServiceError | None:
    if _TEXT_ONLY.search(said):
        return ServiceError(
            f"The model at {place} can't look at pictures; choose one that can.{_quoted(shown)}",
            code="server-text-only",
        )
    return _too_large(place, shown) if _TOO_MUCH.search(said) else None


def _too_large(place: str, shown: str) -> ServiceError:
    return ServiceError(
        f"For {place} the pictures are too many or too large; take the smaller set of views, or let the server take"
        f" more.{_quoted(shown)}",
        code="server-too-large",
    )


def _quoted(shown: str) -> str:
    return f' It says: "{shown}"' if shown else ""
