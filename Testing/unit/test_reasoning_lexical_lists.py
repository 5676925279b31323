"""Lists of targets: nothing that stands beside a target is lost without a word."""

from __future__ import annotations

import itertools
import random
from functools import cache

import pytest

from SEERSegmentLib.anatomy import load_vocabulary, resolve_answer
from SEERSegmentLib.protocols import CancelToken, ReasoningCase, ignore_progress
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.lexical.choose import choose
from SEERSegmentLib.values import Abstention, Modality, Reasoning, Request

REASONER = LexicalReasoner()
UNSPECIFIC = ("bones", "vessels", "fat", "muscles", "nodes", "organs", "veins", "arteries", "soft tissue", "glands")
FORMS = (
    *("{} and {}", "{} plus {}", "{} + {}", "{} & {}", "the {} as well as the {}", "{}, {}", "{}; {}", "{}/{}"),
    *("{}\n{}", "- {}\n- {}", "segment the {} and the {}", "{} und {}", "{} et {}", "{} y {}", "{} e {}", "{}和{}"),
    *("{}, {} and {}", "{}, {}, {}", "{} along with {} and {}", "please outline {}, {} & {}", "- {}\n- {}\n- {}"),
)


def reason(text: str) -> Reasoning | Abstention:
    return REASONER.reason(ReasoningCase(Request(text), Modality.CT), ignore_progress, CancelToken())


def held(answer: str) -> set[str]:
    """Targets of an answer, with the parts of groups."""
    spec = resolve_answer(answer)
    assert not isinstance(spec, Abstention)
    known = load_vocabulary()
    ids = {target.text for target in spec.targets}
    for target in spec.targets:
        for structure in known.structures.values():
            if structure.name == target.text:
                ids |= {structure.id, *known.parts_closure(structure.id)}
    return ids


@cache
def alone() -> dict[str, frozenset[str]]:
    """Names of the vocabulary → what each means by itself. Names that need a side are asked for with theirs."""
    found = {}
    for structure in load_vocabulary().structures.values():
        reply = reason(structure.name)
        if isinstance(reply, Reasoning):
            found[structure.name] = frozenset(held(reply.answer))
    return found


def lost(text: str, parts: tuple[str, ...]) -> list[str]:
    """Parts of a list that are neither answered, nor asked about, nor told as set aside."""
    reply = reason(text)
    if isinstance(reply, Abstention):
        assert reply.reason
        assert reply.question
        return []
    got = held(reply.answer)
    told = [s for s in reply.rationale if s.startswith(("Set aside", "Not wanted")) or "only says where" in s]
    words = " ".join(told)
    return [part for part in parts if not alone().get(part, frozenset()) & got and part.split()[-1] not in words]


@pytest.mark.parametrize("form", FORMS)
def test_every_structure_of_a_list_is_answered_or_told(form: str) -> None:
    draw = random.Random(form)
    names = sorted(alone())
    count = form.count("{}")
    for _ in range(60):
        parts = tuple(draw.sample(names, count))
        assert lost(form.format(*parts), parts) == [], form.format(*parts)


def test_every_structure_keeps_its_place_beside_another_in_both_orders() -> None:
    names = sorted(alone())
    for number, name in enumerate(names):
        other = names[(number * 7 + 13) % len(names)]
        for parts in ((name, other), (other, name)):
            assert lost(" and ".join(parts), parts) == [], parts


@pytest.mark.parametrize("word", UNSPECIFIC)
def test_an_unspecific_word_beside_a_target_is_no_silent_loss(word: str) -> None:
    names = [name for name in sorted(alone())[:: len(alone()) // 25] if not name.split()[-1].startswith(word[:-1])]
    for name, joint in itertools.product(names, (" and ", ", ", " + ", " plus the ")):
        for text in (f"{name}{joint}{word}", f"the {word}{joint}{name}"):
            reply = reason(text)
            if isinstance(reply, Abstention):
                continue
            told = " ".join(reply.rationale)
            assert alone()[name] & held(reply.answer) or f"Set aside: “{name}”" in told, (text, reply.rationale)
            assert f"“{word}”" in told, (text, reply.rationale)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("right lung and bones", {"right lung", "skeleton"}),
        ("the bones and the liver", {"skeleton", "liver"}),
        ("liver, bones, aorta", {"liver", "skeleton", "aorta"}),
        ("the spleen and the organ that stores bile", {"spleen", "gallbladder"}),
        ("the organ that stores bile and the spleen", {"spleen", "gallbladder"}),
        ("the right kidney and the gland on top of it", {"right kidney", "right adrenal gland"}),
        ("the vertebra below T12 and the spleen", {"L1 vertebra", "spleen"}),
        ("the vertebra above L3 and the one below T4", {"L2 vertebra", "T5 vertebra"}),
        ("liver tumour and spleen", {"liver tumor", "spleen"}),
        ("liver mets and renal cysts", {"liver metastasis", "kidney cyst"}),
        ("every bone of the pelvis and the bladder", {"bony pelvis", "urinary bladder"}),
        ("liver but not gallbladder; add the spleen", {"liver", "spleen"}),
        ("liver with right lung", {"liver", "right lung"}),
    ],
)
def test_members_told_in_different_ways(text: str, names: set[str]) -> None:
    reply = reason(text)
    assert isinstance(reply, Reasoning), reply
    assert set(reply.answer.replace(" and ", ", ").split(", ")) == names


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("liver and the frobnitz", "frobnitz"),
        ("frobnitz and the liver", "frobnitz"),
        ("liver, spleen and gizmo", "gizmo"),
        ("liver, gizmo, spleen and aorta", "gizmo"),
        ("die Leber und der Frobnitz", "Frobnitz"),
        ("rt lung and vessels", "vessels"),
        ("foie et vaisseaux", "vaisseaux"),
        ("肝脏和血管", "血管"),
    ],
)
def test_what_is_not_understood_beside_a_target_is_asked_about(text: str, word: str) -> None:
    reply = reason(text)
    assert isinstance(reply, Abstention)
    assert f"“{word}”" in reply.reason


def test_a_word_of_no_table_is_named_in_the_rationale() -> None:
    reply = reason("whatsit, liver")
    assert isinstance(reply, Reasoning)
    assert "Set aside: “whatsit” (not understood)." in reply.rationale


def test_the_stage_itself_accounts_for_what_the_others_leave_over() -> None:
    reading = REASONER.read("the broken ribs and the sternum")
    chosen = choose(reading)
    assert set(chosen.names) == {"ribs", "sternum"}
    reading = REASONER.read("HCC, liver")
    assert choose(reading).names == ("liver",)
    assert any("reason for the request" in why for why in reading.spent.values())
