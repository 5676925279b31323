"""What the tiny Qwen3-VL is trained on: requests in many wordings and surroundings, and the replies that are wanted."""

from __future__ import annotations

import random
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
    "bare",
    "contexts",
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


def contexts(draw: random.Random, count: int, *, short: bool = False) -> list[Context]:
    """Prompts in their two kinds, with pictures, views and facts of many sorts; the phantom's own among them.

    Short ones have other words, fewer pictures and no facts: requests and replies are learned faster without all that.
    """
    volume, _ = chest_phantom(5.0)
    seen = {preset: render_views(volume, preset) for preset in ("multi-view", "seer-v1")}
    slices = render_views(volume, "medvol-r1")
    made = []
    for number in range(count):
        words = load_template("medvol" if number % 3 == 2 else "seer")
        if short or number % 4 == 0:
            words = _scrambled(words, draw)
        if number % 3 == 2:
            many = 4 if short else 64
            views = slices if number % 2 and not short else tuple(_picture(draw, n) for n in range(many))
            made.append(_anchored(ReasoningCase(Request(""), Modality.CT, views), words))
        else:
            views = seen[draw.choice(tuple(seen))]
            if short or number % 2:
                views = tuple(_picture(draw, n) for n in range(draw.choice((0, 1, 2) if short else (5, 8, 10, 12))))
            facts, skills = (None, ()) if short else (_facts(draw), _skills(draw))
            made.append(_tagged(ReasoningCase(Request(""), Modality.CT, views, facts, skills), words))
    return made


def _tagged(case: ReasoningCase, words: Template) -> Context:
    return Context(lambda text: compose(case, words, text), {**REPLIES, MALFORMED: FREE})


def _anchored(case: ReasoningCase, words: Template) -> Context:
    return Context(lambda text: compose_medvol(replace(case, request=Request(text)), words), ANCHORS)


def bare() -> list[Context]:
    """Requests with next to nothing around them, in both kinds: what a request means is learned fastest from these."""
    nothing = Template("none", "0", "", "", "")
    return [_tagged(ReasoningCase(Request(""), Modality.CT), nothing), *contexts(random.Random(0), 3, short=True)[2:]]


def _picture(draw: random.Random, number: int) -> View:
    noise = np.random.default_rng(draw.getrandbits(32))
    shape = draw.choice(((256, 256), (448, 448), (336, 448), (448, 336)))
    pixels = np.kron(noise.integers(0, 256, (8, 8)), np.ones((shape[0] // 8, shape[1] // 8))).astype(np.uint8)
    plane = draw.choice(list(Plane))
    name = f"{plane.value} {draw.randrange(500)}"
    return View(name, pixels, plane, number, draw.uniform(-900, 900), (0.0, 1.0), np.eye(4), "seer-v1")


def _facts(draw: random.Random) -> ImageFacts | None:
    """Measured facts as they are told: names that the prompt tells, sentences of any numbers."""
    if draw.random() < 0.3:
        return None
    told = (
        ("modality", "CT, as the file says."),
        (
            "field-of-view",
            f"The field of view is {draw.randrange(500)} × {draw.randrange(500)} × {draw.randrange(900)} mm.",
        ),
        (
            "voxel-size",
            f"Voxels are {draw.uniform(0.5, 5):.2f} × {draw.uniform(0.5, 5):.2f} × {draw.uniform(0.5, 5):.2f} mm.",
        ),
        ("landmark-carina", f"The carina lies at {draw.randrange(-900, 900)} mm."),
        ("region-chest", f"The chest is covered from {draw.randrange(900)} to {draw.randrange(900)} mm, cut off."),
    )
    evidence = tuple(Evidence(name, text) for name, text in told if draw.random() < 0.7)
    return ImageFacts(Modality.CT, "file", (1, 1, 1), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), evidence=evidence)


def _skills(draw: random.Random) -> tuple[Skill, ...]:
    content = "Left and right are the patient's; lungs are dark, bone is bright, the trachea is a tube."
    return (Skill("seer:1", "PROMPT_NORMALIZE", content, "approved"),) if draw.random() < 0.2 else ()


def _scrambled(template: Template, draw: random.Random) -> Template:
    """A few other words around the request: those of a template, in no order."""

    def mixed(text: str) -> str:
        words = text.replace("{coordinates}", "").split()
        return " ".join(draw.sample(words, draw.randint(5, min(20, len(words)))))

    return Template(
        "mixed", "1", mixed(template.system), mixed(template.user), mixed(template.user), draw.random() < 0.5
    )
