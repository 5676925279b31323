"""Before a case is sent to a server: identifiers of a patient are taken out of its texts, or stop it.

The pictures are not looked at: text that is burned into them is named in the question for consent.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ...errors import ServiceError
from ...protocols import ReasoningCase
from ...values import Finding, Severity, Skill
from ..identifiers import Identifier, find_identifiers, masked

__all__ = ["screened"]


def screened(case: ReasoningCase, policy: str) -> tuple[ReasoningCase, tuple[Finding, ...]]:
    """The case as it may be sent, and findings that say what was left out.

    Parameters
    ----------
    case : ReasoningCase
    policy : {"mask", "refuse", "send"}
        ``"mask"`` puts ``[name]``, ``[date]`` … in an identifier's place; ``"refuse"`` stops the run; ``"send"`` is the
        user's word that they may go.

    Raises
    ------
    ServiceError
        ``identifiers-in-request``, for ``"refuse"``; it names the kinds, not the words.
    """
    found = find_identifiers(case.request.text)
    if policy == "send":
        if not found:
            return case, ()
        said = f"The request was sent as typed, with what looks like {_kinds(found)}: this was allowed."
        return case, (Finding("identifiers-sent", Severity.WARNING, said),)
    if found and policy == "refuse":
        raise ServiceError(
            f"The request holds what looks like {_kinds(found)}; nothing was sent. Take it out, or allow it to be"
            " masked or sent.",
            code="identifiers-in-request",
        )
    skills = tuple(_masked_skill(skill) for skill in case.skills)
    if not found:
        return (case if skills == case.skills else replace(case, skills=skills)), ()
    request = replace(case.request, text=masked(case.request.text, found))
    said = f"Before the request was sent, {_kinds(found)} was taken out of it."
    finding = Finding("identifiers-masked", Severity.INFO, said)
    return replace(case, request=request, skills=skills), (finding,)


def _masked_skill(skill: Skill) -> Skill:
    return replace(skill, tag=masked(skill.tag), content=masked(skill.content), audit=masked(skill.audit))


def _kinds(found: tuple[Identifier, ...]) -> str:
    counts = Counter(one.kind.replace("-", " ") for one in found)
    return ", ".join(f"a {kind}" if count == 1 else f"{count} × {kind}" for kind, count in counts.items())
