"""How well and how fast requests are read: the lexical reasoner beside fuzzy matching of label names.

    python -m bench.bench_requests [FILE …] [--wrong]

Prints, for each part of each file, what `seer evaluate requests` prints, the time to load the tables, and the time per
request as a ratio to rapidfuzz WRatio over the label names of the row's task; then the same for requests of about 50
words, and what a report of 1 MB takes.
"""

from __future__ import annotations

import argparse
import resource
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


def costs(engines: Mapping[str, Answerer], files: Sequence[Path]) -> None:
    """Print what requests of about 50 words take, read first and again, and what a report of 1 MB takes."""
    rows: list[GoldRow] = []
    for path in files:
        with path.open(encoding="utf-8") as lines:
            rows += [row for row in read_gold(lines) if LONG[0] <= len(str(row.gold["request"]).split()) <= LONG[1]]
    print(f"\n{len(rows)} requests of {LONG[0]} to {LONG[1]} words")
    for turn in ("first", "again"):
        seconds = {}
        for engine, answer in engines.items():
            start = time.perf_counter()
            for row in rows:
                answer(row.row)
            seconds[engine] = (time.perf_counter() - start) / max(len(rows), 1)
        told = ", ".join(f"{engine} {1000 * own:.1f} ms" for engine, own in seconds.items())
        ratio = seconds["lexical"] / seconds["fuzzy labels"] if "fuzzy labels" in seconds else float("nan")
        print(f"{turn}: {told} a request, {ratio:.1f}×")
    report_text = "The liver is normal in size and outline. No focal lesion. " * (2**20 // 58) + "Outline the spleen."
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    engines["lexical"](RequestRow("report", report_text, Modality.CT))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"a report of 1 MB: {time.perf_counter() - start:.1f} s, {grown:.0f} MB more")


LONG = (45, 55)  # words


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
    costs(engines, options.files)


if __name__ == "__main__":
    main(sys.argv[1:])
