"""From the text of a reply to a Reasoning, an Abstention, or a ReplyError: never a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from ...values import Abstention, Reasoning, Skill, View
from .agreement import contradictions
from .cited import evidence_of
from .named import named, spells_a_tag
from .shown import items_of, loggable, says_nothing
from .tags import MAX_REPLY, broken, find_tags, sections_of

__all__ = ["parse_reply", "partial_reply"]

#: A tag that is still being written at the end of a stream.
_UNFINISHED = re.compile(r"<[^<>]{0,40}\Z")


def parse_reply(
    text: str,
    *,
    reasoner: str = "",
    request: str = "",
    views: Sequence[View] = (),
    skills: Sequence[Skill] = (),
) -> Reasoning | Abstention:
    """Read a reply in the form of SEER's tags.

    Parameters
    ----------
    text : str
        The reply as it came.
    reasoner : str
        Who wrote it.
    request : str
        What was asked; an answer that repeats it instead of naming something is told as such.
    views : sequence of View
        The pictures that the model was shown, in order: evidence that cites them gets their names as its source.
    skills : sequence of Skill
        Those that the model was shown, in order; named in the rationale by tag, rank or id they count as used.

    Returns
    -------
    Reasoning or Abstention
        A Reasoning's ``answer`` is the reply's own words without decoration, and
        :func:`~SEERSegmentLib.anatomy.resolve_answer` gives a TargetSpec for it. ``raw`` is the reply as it came, half
        characters aside. Findings: ``evidence-cites-no-view``, ``side-contradicts-rationale`` (blocking),
        ``level-contradicts-rationale``.

    Raises
    ------
    ReplyError
        Where the structure is broken: the codes of :func:`~.tags.sections_of`, ``reply-section-blank``,
        ``reply-answer-markup``.
    """
    sections = sections_of(text)
    for name in ("evidence", "rationale"):
        if says_nothing(getattr(sections, name)):
            raise broken("reply-section-blank", text, name)
    if spells_a_tag(sections.answer):
        raise broken("reply-answer-markup", text)
    evidence, findings = evidence_of(sections.evidence, views)
    rationale = items_of(sections.rationale)
    read = named(sections.answer, request)
    if isinstance(read, Abstention):
        return replace(
            read,
            question=_question(rationale) or read.question,
            evidence=evidence,
            rationale=rationale,
            reasoner=reasoner,
            findings=findings,
            raw=loggable(text),
        )
    answer, spec = read
    return Reasoning(
        evidence,
        rationale,
        answer,
        reasoner,
        skills_used=_used("\n".join(rationale), skills),
        findings=(*findings, *contradictions("\n".join(rationale), spec)),
        raw=loggable(text),
    )


def partial_reply(text: str, *, reasoner: str = "", views: Sequence[View] = ()) -> Reasoning:
    """What there is of a reply that is still being written, to show. ``answer`` is empty always; never raises."""
    text = text[:MAX_REPLY]
    tags = [tag for tag in find_tags(text) if tag.whole]
    shown = {"evidence": "", "rationale": ""}
    for tag, following in zip_longest(tags, tags[1:]):
        if tag.name in shown and not tag.closes and not shown[tag.name]:
            end = len(_UNFINISHED.sub("", text[tag.end :])) + tag.end if following is None else following.start
            shown[tag.name] = text[tag.end : end]
    evidence, _ = evidence_of(shown["evidence"], views)
    return Reasoning(evidence, items_of(shown["rationale"]), "", reasoner, raw=loggable(text))


def _question(rationale: tuple[str, ...]) -> str:
    """The question that a model asks back, as the prompt tells it to, at the end of its rationale."""
    return rationale[-1] if rationale and rationale[-1].endswith(("?", "？")) else ""


def _used(rationale: str, skills: Sequence[Skill]) -> tuple[str, ...]:
    """Ids of the skills that a rationale names, by tag, rank or id: SEER's own rule (official release, loop)."""
    said = rationale.casefold()
    return tuple(
        skill.id
        for rank, skill in enumerate(skills, 1)
        if any(
            _stands_in(word, said) for word in (skill.tag, skill.id, f"[{rank}]", f"skill {rank}", f"skill [{rank}]")
        )
    )


def _stands_in(word: str, said: str) -> bool:
    return bool(word) and re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", said) is not None
