"""How well and how fast requests are read: the lexical reasoner beside fuzzy matching of label names.

    python -m bench.bench_requests [FILE …] [--wrong]

Prints, for each part of each file, what `seer evaluate requests` prints, the time to load the tables, and the time per
request as a ratio to rapidfuzz WRatio over the label names of the row's task.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from SEERSegmentLib.evaluation.requests import Answerer, GoldRow, evaluate, label_matching, read_gold, reading, table
from SEERSegmentLib.reasoning import RequestRow
from SEERSegmentLib.reasoning.lexical import LexicalReasoner
from SEERSegmentLib.values import Modality

DATA = Path(__file__).resolve().parents[1] / "Testing" / "data"
FILES = [
    DATA / f"requests_{name}.jsonl"
    for name in (
        "dev",
        "own",
        "fresh",
        *(f"{n}_{part}" for n in ("second", "third", "fourth", "fifth") for part in ("tune", "aside")),
    )
]

#: Part whose wrongly read requests are never listed: who tunes must not see them.
KEPT_ASIDE = "held-out"


def lexical() -> Answerer:
    """Answers of the lexical reasoner, its tables loaded."""
    answer = reading(LexicalReasoner())
    answer(RequestRow("warm-up", "the gland above the kidney", Modality.CT))
    return answer


def report(name: str, rows: Sequence[GoldRow], engines: Mapping[str, Answerer], wrong: bool) -> None:
    """Print one part of a file."""
    results = {engine: evaluate(rows, answer) for engine, answer in engines.items()}
    print(f"\n{name}: {len(rows)} requests", *table(results), sep="\n")
    for engine, result in results.items():
        print(f"{engine}: {1000 * result.seconds / len(rows):.2f} ms per request")
    seconds = [result.seconds for result in results.values()]
    if len(seconds) == 2:
        print(f"lexical takes {seconds[0] / seconds[1]:.1f}× the time of fuzzy label matching")
    if wrong:
        for confusion in results["lexical"].wrong:
            wanted, got = confusion.wanted or "no answer", confusion.got or "no answer"
            print(f"  {confusion.id}: {confusion.request[:100]} → {got}, wanted {wanted}")


def main(arguments: Sequence[str] = ()) -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="*", type=Path, default=FILES)
    parser.add_argument("--wrong", action="store_true", help="list the requests that were read wrongly")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    engines: dict[str, Answerer] = {"lexical": lexical()}
    print(f"tables read in {1000 * (time.perf_counter() - start):.0f} ms")
    if baseline := label_matching():
        engines["fuzzy labels"] = baseline
    for path in options.files:
        with path.open(encoding="utf-8") as lines:
            rows = read_gold(lines)
        for split in sorted({row.split for row in rows}, reverse=True):
            part = [row for row in rows if row.split == split]
            report(f"{path.name} {split}".strip(), part, engines, options.wrong and split != KEPT_ASIDE)


if __name__ == "__main__":
    main(sys.argv[1:])
