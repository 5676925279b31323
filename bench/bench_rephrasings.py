"""Stability under Ω(q): Dice of one request in many wordings, on a real CT, as in the SEER paper's Table 1.

For every structure that example-ct's labels hold (at least 500 voxels), twelve rephrasings are read and executed by
the backbone `reference`, whose masks are the labels themselves: what is measured is the reading alone. Mean, worst
and std are taken over the rephrasings of one structure, then averaged over structures, as in SEER's release. The
labels are a model's; the rephrasings come from the tables that the lexical reasoner reads, so its row says how stable
it is, not how it does on words that the tables lack: for that see the requests benchmark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SEERSegmentLib.anatomy import label_set, load_vocabulary, normalise, resolve_answer
from SEERSegmentLib.backbones.reference import ReferenceBackbone
from SEERSegmentLib.errors import UnsupportedTarget
from SEERSegmentLib.imaging import read_volume
from SEERSegmentLib.imaging.samples import fetch_sample
from SEERSegmentLib.metrics import dice
from SEERSegmentLib.protocols import CancelToken, ReasoningCase, ignore_progress
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.rephrasing import Kind, rephrase
from SEERSegmentLib.values import Modality, Reasoning, Request, TargetSpec

REPHRASINGS = 12
LEAST_VOXELS = 500

Reader = Callable[[str], str]


@dataclass(frozen=True)
class Case:
    """A structure of the label map and its voxels."""

    id: str
    spec: TargetSpec
    truth: NDArray[np.bool_]


class Bench:
    """Executes answers with the label map as backbone; an answer that can't be executed gives an empty mask."""

    def __init__(self) -> None:
        self.volume = read_volume(fetch_sample("example-ct"))
        self.names = label_set(Modality.CT)
        self.backbone = ReferenceBackbone(fetch_sample("example-ct", "labels"), self.names)
        self._masks: dict[str, NDArray[np.bool_]] = {}

    def mask(self, answer: str) -> NDArray[np.bool_]:
        """The union of an answer's masks."""
        if answer not in self._masks:
            union = np.zeros(self.volume.shape, bool)
            spec = resolve_answer(answer)
            if isinstance(spec, TargetSpec):
                try:
                    for mask in self.backbone.segment(self.volume, spec, ignore_progress, CancelToken()):
                        union |= mask.voxels
                except UnsupportedTarget:
                    union[:] = False
            self._masks[answer] = union
        return self._masks[answer]

    def cases(self) -> list[Case]:
        """Every structure with enough voxels."""
        found = []
        for name in self.names.values():
            spec = resolve_answer(load_vocabulary().get(name).name)
            assert isinstance(spec, TargetSpec)
            truth = self.mask(spec.prompt)
            if np.count_nonzero(truth) >= LEAST_VOXELS:
                found.append(Case(name, spec, truth))
        return found


def lexical() -> Reader:
    """The embedded reasoner's answer; empty where it abstains."""
    reasoner = LexicalReasoner()

    def read(text: str) -> str:
        result = reasoner.reason(ReasoningCase(Request(text), Modality.CT), ignore_progress, CancelToken())
        return result.answer if isinstance(result, Reasoning) else ""

    return read


def exact() -> Reader:
    """The request itself as a label: what a backbone that knows its labels' names makes of it."""
    names = {normalise(name): load_vocabulary().get(name).name for name in label_set(Modality.CT).values()}
    return lambda text: names.get(normalise(text), "")


def fuzzy() -> Reader:
    """The label whose name is most like the request (rapidfuzz WRatio)."""
    from rapidfuzz import fuzz, process, utils

    names = {name.replace("_", " "): load_vocabulary().get(name).name for name in label_set(Modality.CT).values()}

    def read(text: str) -> str:
        best = process.extractOne(text, list(names), scorer=fuzz.WRatio, processor=utils.default_process)
        return names[best[0]] if best else ""

    return read


def main() -> None:
    """Print the table, and the mean Dice by kind of rephrasing."""
    bench = Bench()
    cases = bench.cases()
    wordings = {case.id: rephrase(case.spec, REPHRASINGS, seed=0) for case in cases}
    readers = {"exact label": exact(), "fuzzy label": fuzzy(), "lexical": lexical()}
    print(f"{len(cases)} structures, {sum(map(len, wordings.values()))} rephrasings\n")
    print("| reader | label prompting: Dice | free text: Dice | worst Dice | std |\n|---|---|---|---|---|")
    by_kind: dict[str, dict[Kind, list[float]]] = {}
    for name, read in readers.items():
        label = [dice(bench.mask(read(case.id.replace("_", " "))), case.truth) for case in cases]
        scores = [[dice(bench.mask(read(w.text)), case.truth) for w in wordings[case.id]] for case in cases]
        by_kind[name] = {}
        for case, row in zip(cases, scores, strict=True):
            for wording, score in zip(wordings[case.id], row, strict=True):
                by_kind[name].setdefault(wording.kind, []).append(score)
        mean, worst, std = (100 * np.mean([f(row) for row in scores]) for f in (np.mean, np.min, np.std))
        print(f"| {name} | {100 * np.mean(label):.1f} | {mean:.1f} | {worst:.1f} | {std:.2f} |", flush=True)
    print(f"\n| kind | rephrasings | {' | '.join(readers)} |\n|---|---|{'---|' * len(readers)}")
    for kind in Kind:
        cells = [by_kind[name].get(kind, []) for name in readers]
        means = " | ".join(f"{100 * np.mean(cell):.1f}" if cell else "" for cell in cells)
        print(f"| {kind.value} | {len(cells[0])} | {means} |")
