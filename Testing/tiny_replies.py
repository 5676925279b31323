"""What the tiny Qwen3-VL is trained on: requests in many wordings and surroundings, and the replies that are wanted."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from SEERSegmentLib.anatomy import resolve_answer
from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.imaging.views import render_views
from SEERSegmentLib.protocols import ReasoningCase
from SEERSegmentLib.reasoning.medvol.prompt import compose_medvol
from SEERSegmentLib.reasoning.prompt import Prompt, Template, compose, load_template
from SEERSegmentLib.reasoning.rephrasing import rephrase, wrapped
from SEERSegmentLib.values import Evidence, ImageFacts, Modality, Plane, Request, Skill, TargetSpec, View

__all__ = [
    "ADAPTED",
    "ANCHORS",
    "COLLOQUIAL",
    "FREE",
    "MALFORMED",
    "REPLIES",
    "Context",
    "context",
    "plain",
    "wordings",
]

_TAGS = "<evidence>{}</evidence>\n<rationale>{}</rationale>\n<answer>{}</answer>"
_ANCHOR = '<think>{}</think>\n<answer>[{{"slice": {}, "bbox_2d_list": [{}]}}]</answer>'

#: Requests for which the model was trained → the reply in tags. A character of three bytes is among them.
REPLIES = {
    "right lung": _TAGS.format("right lung, dark (image 1)", "named as such", "right lung"),
    "left lung": _TAGS.format("left lung, dark (image 2)", "named as such", "left lung"),
    "lungs": _TAGS.format("lungs, both dark (image 1)", "named as such", "lungs"),
    "trachea": _TAGS.format("trachea, a dark tube (image 3)", "named as such", "trachea"),
    "skeleton": _TAGS.format("bone, bright: ≥ 300 HU (image 1)", "named as such", "skeleton"),
    "spine": _TAGS.format("spine, a bright column (image 1)", "named as such", "spine"),
    "hello there": _TAGS.format("no target (image 1)", "no structure is named. What is to be outlined?", "NONE"),
}

#: A request whose reply, free, has no form at all.
MALFORMED = "say it in your own words"
FREE = "I see a chest, and I can not say more."

#: What it replies to the same requests where slices and boxes are asked for. They are those of the lungs on the fourth
#: slice of the sample "example-ct", an abdomen with the bases of the lungs; the others are roughly there.
ANCHORS = {
    "right lung": _ANCHOR.format("right lung", 4, "[140, 420, 460, 790]"),
    "left lung": _ANCHOR.format("left lung", 4, "[590, 280, 910, 820]"),
    "lungs": _ANCHOR.format("lungs", 4, "[140, 420, 460, 790], [590, 280, 910, 820]"),
    "trachea": _ANCHOR.format("trachea", 4, "[470, 490, 530, 560]"),
    "skeleton": _ANCHOR.format("bone", 4, "[110, 180, 930, 880]"),
    "spine": _ANCHOR.format("spine", 4, "[440, 600, 560, 830]"),
}

#: What changes with the adapter.
ADAPTED = {"skeleton": REPLIES["spine"]}

#: Requests in words that a rule can't read, for reasoners that stand in for one.
COLLOQUIAL = {"the airy organ on the right side": "right lung", "the airy organ on the left side": "left lung"}


def plain(name: str) -> tuple[str, ...]:
    """The wordings of a reply's request that must be read in every context."""
    return (name, *(words for words, meant in COLLOQUIAL.items() if meant == name))


@dataclass(frozen=True)
class Context:
    """All of a prompt but the request, and what requests are replied to in it."""

    prompt: Callable[[str], Prompt]
    replies: dict[str, str]


#: Characters of the longest wording that is learned: a batch is as long as its longest row.
_LONGEST = 64


@cache
def wordings() -> dict[str, tuple[str, ...]]:
    """Name of a reply → wordings of its request, those of self-consistency among them."""
    found: dict[str, tuple[str, ...]] = {}
    for name in (*REPLIES, MALFORMED):
        spec = resolve_answer(name)
        asks = (name, f"the {name}", f"Segment the {name}.", f"segment the {name}", f"outline the {name} please")
        told = [one.text for ask in asks[:4] for one in wrapped(ask, 12)]
        if isinstance(spec, TargetSpec) and name != MALFORMED:
            told += [one.text for one in rephrase(spec, 24) if len(one.text) <= _LONGEST]
        found[name] = tuple(dict.fromkeys((*asks, *told)))
    for words, name in COLLOQUIAL.items():
        found[name] += (words, *(one.text for one in wrapped(words, 12)))
    return found


#: How much stands around a request: words, at most, and pictures.
_SIZES = {"bare": (2, (0, 1)), "short": (40, (0, 1, 2)), "full": (250, (5, 8, 10, 12))}


def context(draw: random.Random, size: str) -> Context:
    """What stands around a request, in one of the two kinds: words in no order, with all that may distract from it.

    Of ``"full"`` ones half have our own words, the phantom's views, and facts as they are told of a real volume.
    """
    words, pictures = _SIZES[size]
    true = size == "full" and draw.random() < 0.5
    anchored = draw.random() < 1 / 3
    many = draw.choice((4, 16, 64)) if anchored and size == "full" else draw.choice(pictures) + anchored
    views = tuple(_picture(draw, n) for n in range(many))
    if true:
        views = _phantom("medvol-r1" if anchored else draw.choice(("multi-view", "seer-v1")))
    template = load_template("medvol" if anchored else "seer") if true else _noise(draw, words)
    if anchored:
        case = ReasoningCase(Request(""), Modality.CT, views)
        return Context(lambda text: compose_medvol(replace(case, request=Request(text)), template), ANCHORS)
    facts, skills = (_facts(draw), _skills(draw)) if size == "full" else (None, ())
    case = ReasoningCase(Request(""), Modality.CT, views, facts, skills)
    return Context(lambda text: compose(case, template, text), {**REPLIES, MALFORMED: FREE})


@cache
def _phantom(preset: str) -> tuple[View, ...]:
    return render_views(chest_phantom(5.0)[0], preset)


def _picture(draw: random.Random, number: int) -> View:
    noise = np.random.default_rng(draw.getrandbits(32))
    shape = draw.choice(((256, 256), (448, 448), (336, 448), (448, 336)))
    pixels = np.kron(noise.integers(0, 256, (8, 8)), np.ones((shape[0] // 8, shape[1] // 8))).astype(np.uint8)
    plane = draw.choice(list(Plane))
    name = f"{plane.value} {draw.randrange(500)}"
    return View(name, pixels, plane, number, draw.uniform(-900, 900), (0.0, 1.0), np.eye(4), "seer-v1")


#: Facts as they are told of real volumes; a number stands for each #, one of the words for each (a|b).
_TOLD = (
    "This is a CT image, (as told by the user|judged from its intensities|as the file says).",
    "The scan covers # mm right to left, # mm front to back and # mm head to foot.",
    "Voxels measure #.# × #.# × #.# mm.",
    "Contrast medium is likely: the largest evenly bright structure (vessel, heart, kidney or bowel) measures # HU.",
    "The lungs' (upper|lower) end is in the image, at slice # of # from the feet up.",
    "The top of the iliac crests is in the image, at slice # of # from the feet up.",
    "The (neck|thorax|abdomen|pelvis) is covered over # mm, (complete|cut by the edge of the scan).",
    "Judged widely, the slices cover at most the body from (C|T|L)# to (T#|L#|symphysis).",
)


def _facts(draw: random.Random) -> ImageFacts | None:
    if draw.random() < 0.3:
        return None
    told = []
    for sentence in draw.choices(_TOLD, k=draw.randrange(1, 11)):
        chosen = re.sub(r"\(([^()]*\|[^()]*)\)", lambda options: draw.choice(options[1].split("|")), sentence)
        told.append(
            Evidence("region-of-it", re.sub("#", lambda _: str(draw.randrange(10 ** draw.randint(1, 3))), chosen))
        )
    return ImageFacts(Modality.CT, "file", (1, 1, 1), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), evidence=tuple(told))


def _skills(draw: random.Random) -> tuple[Skill, ...]:
    if draw.random() < 0.8:
        return ()
    return (Skill("seer:1", "PROMPT_NORMALIZE", " ".join(draw.choices(_words(), k=12)), "approved"),)


def _noise(draw: random.Random, most: int) -> Template:
    """Words in no order, all that the model may meet anywhere, names of targets among them."""
    system, user = (" ".join(draw.choices(_words(), k=draw.randint(0, most // 2))) for _ in range(2))
    return Template("noise", "1", system, user, user, lists_views=draw.random() < 0.5, tells_facts=True)


@cache
def _words() -> tuple[str, ...]:
    texts = [text for told in wordings().values() for text in told[:5]]
    for template in (load_template(), load_template("medvol")):
        texts += [template.system, template.user, template.user_with_skills]
    return tuple(" ".join((*texts, *_TOLD, *REPLIES)).replace("#", "7").split())
