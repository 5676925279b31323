"""How well and how fast requests are read: the lexical reasoner beside fuzzy matching of label names.

    python -m bench.bench_requests [FILE …] [--wrong]

Prints, for each file (and each half of a file that marks a held-out part): accuracy by category, abstention, intents
right in every phrasing, and the time per request as a ratio to rapidfuzz WRatio over the label names of the row's task.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from SEERSegmentLib.anatomy import label_set
from SEERSegmentLib.reasoning import answer_row, read_rows
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.reasoning.scoring import Scores, score
from SEERSegmentLib.values import Modality

DATA = Path(__file__).resolve().parents[1] / "Testing" / "data"
Answer = Callable[[dict[str, Any]], dict[str, Any]]


def lexical() -> Answer:
    """Answers of the lexical reasoner."""
    reasoner = LexicalReasoner()

    def answer(gold: dict[str, Any]) -> dict[str, Any]:
        row = next(read_rows(json.dumps({key: gold[key] for key in ("id", "request", "modality")})))
        return answer_row(row, reasoner)

    answer({"id": "warm-up", "request": "the gland above the kidney", "modality": "CT"})
    return answer


def fuzzy() -> Answer | None:
    """The label name most like the request, by rapidfuzz WRatio; never abstains. None without rapidfuzz."""
    try:
        from rapidfuzz import fuzz, process, utils
    except ImportError:
        return None
    names = {m: [name.replace("_", " ") for name in label_set(m).values()] for m in (Modality.CT, Modality.MR)}

    def answer(gold: dict[str, Any]) -> dict[str, Any]:
        choices = names[Modality(gold["modality"])]
        best = process.extractOne(
            gold["request"], choices, scorer=fuzz.WRatio, processor=utils.default_process, score_cutoff=0
        )
        found = best[0] if best else ""
        labels = [found.replace(" ", "_")] if found else []
        return {"labels": labels, "answer": found, "abstain": not found, "code": ""}

    return answer


def timed(answer: Answer, rows: Sequence[dict[str, Any]]) -> tuple[Scores, float]:
    """Scores, and seconds per request."""
    start = time.perf_counter()
    outs = [answer(row) for row in rows]
    return score(zip(rows, outs, strict=True)), (time.perf_counter() - start) / max(1, len(rows))


def report(name: str, rows: Sequence[dict[str, Any]], engines: dict[str, Answer], wrong: bool) -> None:
    """Print one part of a file."""
    results = {engine: timed(answer, rows) for engine, answer in engines.items()}
    print(f"\n{name}: {len(rows)} requests")
    print("category".ljust(18) + "".join(engine.rjust(16) for engine in results))
    categories = sorted({row["category"] for row in rows})
    for category in categories:
        cells = ["{}/{}".format(*scores.categories[category]) for scores, _ in results.values()]
        print(category.ljust(18) + "".join(cell.rjust(16) for cell in cells))
    print("all".ljust(18) + "".join(f"{scores.accuracy:.1%}".rjust(16) for scores, _ in results.values()))
    print("every phrasing".ljust(18) + "".join(f"{scores.stable:.1%}".rjust(16) for scores, _ in results.values()))
    for label, at in (("abstain precision", 0), ("abstain recall", 1)):
        print(label.ljust(18) + "".join(f"{scores.abstention[at]:.1%}".rjust(16) for scores, _ in results.values()))
    print("ms per request".ljust(18) + "".join(f"{1000 * seconds:.2f}".rjust(16) for _, seconds in results.values()))
    seconds = [seconds for _, seconds in results.values()]
    if len(seconds) == 2:
        print(f"lexical takes {seconds[0] / seconds[1]:.1f}× the time of fuzzy label matching")
    if wrong:
        for id, request, got in results["lexical"][0].wrong:
            print(f"  {id}: {request[:100]} → {got}")


def main(arguments: Sequence[str] = ()) -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    default = [DATA / f"requests_{name}.jsonl" for name in ("dev", "own", "fresh")]
    parser.add_argument("files", nargs="*", type=Path, default=default)
    parser.add_argument("--wrong", action="store_true", help="list the requests that were read wrongly")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    engines: dict[str, Answer] = {"lexical": lexical()}
    print(f"tables read in {1000 * (time.perf_counter() - start):.0f} ms")
    if baseline := fuzzy():
        engines["fuzzy labels"] = baseline
    for path in options.files:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        for split in sorted({row.get("split", "") for row in rows}, reverse=True):
            part = [row for row in rows if row.get("split", "") == split]
            report(f"{path.name} {split}".strip(), part, engines, options.wrong and split != "held-out")


if __name__ == "__main__":
    main(sys.argv[1:])
