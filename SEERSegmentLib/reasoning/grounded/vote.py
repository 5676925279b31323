"""Self-consistency over Ω(q): the answer that most wordings of a request come to, with its support.

Wordings agree where their answers resolve to the same targets, in whatever order and words. An answer is taken where
more than half of all wordings, those without an answer included, come to it. (SEER paper, equation 3, wants the same
mask for every rephrasing; majority over sampled reasonings is Wang et al., "Self-consistency improves chain of thought
reasoning in language models", ICLR 2023. Here the wording varies, and decoding is greedy.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...anatomy import render, resolve_answer
from ...errors import ReplyError
from ...values import Abstention, Finding, Reasoning, Severity, Target, TargetSpec

__all__ = ["Outcome", "vote"]

#: What a wording came to.
Outcome = Reasoning | Abstention | ReplyError

_Key = frozenset[Target]


def vote(outcomes: Sequence[Outcome]) -> Outcome:
    """What most wordings say; the first outcome is the request's own.

    Returns
    -------
    Reasoning, Abstention or ReplyError
        A Reasoning carries a Finding with its support: ``wordings-agree``, ``wordings-differ``, or
        ``wordings-outvote-request`` where the request as typed came to something else. Without a majority an
        Abstention ``no-majority`` asks which one is meant. Where most wordings have no answer, that of the request
        itself if it has none either, else the first that has none.
    """
    keys = [_key(outcome) for outcome in outcomes]
    counts = Counter(key for key in keys if key is not None)
    total = len(outcomes)
    silent = total - sum(counts.values())
    best, support = max(counts.items(), key=lambda item: (item[1], item[0] == keys[0]), default=(None, 0))
    if best is not None and 2 * support > total:
        chosen = outcomes[keys.index(best)]
        assert isinstance(chosen, Reasoning)
        return replace(chosen, findings=(*chosen.findings, _support(chosen, best == keys[0], support, total)))
    if 2 * silent > total:
        return outcomes[0] if keys[0] is None else outcomes[keys.index(None)]
    names = tuple(_name(key) for key, _ in counts.most_common(3))
    said = ", ".join(f"{_name(key)} ({count})" for key, count in counts.most_common(3))
    none = f", and none ({silent})" if silent else ""
    return Abstention(
        "no-majority",
        f"Asked in {total} wordings, the model gives different answers: {said}{none}.",
        "Which one is meant?",
        names,
        rationale=("No answer was given by more than half of the wordings.",),
    )


def _key(outcome: Outcome) -> _Key | None:
    if not isinstance(outcome, Reasoning):
        return None
    resolved = resolve_answer(outcome.answer)
    return None if isinstance(resolved, Abstention) else frozenset(resolved.targets)


def _name(key: _Key) -> str:
    return render(TargetSpec("", tuple(sorted(key, key=lambda target: target.text))))


def _support(chosen: Reasoning, own: bool, support: int, total: int) -> Finding:
    share = f"{support} of {total} wordings of the request"
    if support == total:
        return Finding("wordings-agree", Severity.INFO, f"All {total} wordings of the request came to this answer.")
    if own:
        return Finding("wordings-differ", Severity.WARNING, f"{share} came to this answer; the others did not.")
    return Finding(
        "wordings-outvote-request",
        Severity.WARNING,
        f"{share} came to “{chosen.answer}”, but the request as typed did not.",
        advice="Check that this is what was meant.",
    )
