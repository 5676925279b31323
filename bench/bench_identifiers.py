"""The identifier screen: what leaves of planted identifiers, false flags on ordinary requests, and time.

A planted row leaks if its masked text still holds one of its planted strings, or a word of three letters or more of a
planted name that the row doesn't hold elsewhere. An ordinary request is falsely flagged if anything at all is found in
it. Those of the project's own request files that hold a real identifier are listed in HOLD_ONE and not counted.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SEERSegmentLib.reasoning.identifiers import find_identifiers, masked

DATA = Path(__file__).resolve().parents[1] / "Testing" / "data"

#: Requests of the project's own files in which somebody is named, or a number given, on purpose.
HOLD_ONE = frozenset(("Email this to Dr Okafor.", "bleep 4412, patient is back on the ward"))
REQUEST_FILES = (
    *("dev", "own", "fresh", "second_tune", "second_aside"),
    *("third_tune", "third_aside", "fourth_tune", "fourth_aside", "fifth_tune", "fifth_aside"),
)

_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class PlantedRow:
    """A request with identifiers in it: the strings, and the kind of each."""

    id: str
    split: str
    request: str
    planted: tuple[str, ...]
    kinds: tuple[str, ...]


def planted_rows() -> Iterator[PlantedRow]:
    """Rows of identifiers_planted.jsonl."""
    for row in _json_lines("identifiers_planted.jsonl"):
        yield PlantedRow(row["id"], row["split"], row["request"], tuple(row["planted"]), tuple(row["kinds"]))


def ordinary_requests(split: str) -> list[str]:
    """Requests of a part of identifiers_ordinary.jsonl."""
    return [row["request"] for row in _json_lines("identifiers_ordinary.jsonl") if row["split"] == split]


def own_requests() -> list[str]:
    """Requests of the project's files that measure how requests are read, but for those that hold an identifier."""
    rows = (row for name in REQUEST_FILES for row in _json_lines(f"requests_{name}.jsonl"))
    return [row["request"] for row in rows if row["request"] not in HOLD_ONE]


def leaks(row: PlantedRow, text: str) -> list[str]:
    """What of a row's planted strings a masked text still holds."""
    rest = row.request
    for string in row.planted:
        rest = rest.replace(string, " ")
    elsewhere = {word.casefold() for word in _WORD.findall(rest)}
    left = [string for string in row.planted if string in text]
    still = {word.casefold() for word in _WORD.findall(text)} - elsewhere
    for string, kind in zip(row.planted, row.kinds, strict=True):
        if kind == "name":
            left += [word for word in _WORD.findall(string) if word.casefold() in still]
    return left


def flagged(requests: Iterable[str]) -> list[str]:
    """Those of some requests in which anything is found."""
    return [request for request in requests if find_identifiers(request)]


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables; with ``--wrong`` also the rows behind them, but for the part that is kept aside."""
    listing = "--wrong" in arguments
    find_identifiers("warm-up: the tables are read")
    rows = list(planted_rows())
    print("\n| planted rows | rows | strings | rows that leak |\n|---|---|---|---|")
    for split in ("tune", "aside"):
        part = [row for row in rows if row.split == split]
        wrong = [(row, left) for row in part if (left := leaks(row, masked(row.request)))]
        print(f"| {split} | {len(part)} | {sum(len(row.planted) for row in part)} | {len(wrong)} |")
        if listing and split != "aside":
            print(*(f"  {row.id}: {row.request} → {left}" for row, left in wrong), sep="\n")
    ordinary = {
        "own request files": own_requests(),
        "ordinary, tune": ordinary_requests("tune"),
        "ordinary, aside": ordinary_requests("aside"),
    }
    print("\n| ordinary requests | requests | falsely flagged | share |\n|---|---|---|---|")
    for name, requests in ordinary.items():
        found = flagged(requests)
        print(f"| {name} | {len(requests)} | {len(found)} | {len(found) / len(requests):.1%} |")
        if listing and "aside" not in name:
            print(*(f"  {request}" for request in found), sep="\n")
    requests = ordinary["own request files"]
    start = time.perf_counter()
    flagged(requests)
    print(f"\n{1000 * (time.perf_counter() - start) / len(requests):.2f} ms per request")
    text = "\n".join(requests)
    times = [_seconds(_of_length(text, size)) for size in (1_000, 10_000, 100_000)]
    print(f"1, 10 and 100 kB of requests: {', '.join(f'{1000 * t:.0f} ms' for t in times)}")
    print(f"100 kB take {times[2] / times[1]:.1f}× the time of 10 kB (10× is linear)")


def _of_length(text: str, size: int) -> str:
    return (text * (size // len(text) + 1))[:size]


def _seconds(text: str) -> float:
    start = time.perf_counter()
    find_identifiers(text)
    return time.perf_counter() - start


def _json_lines(name: str) -> Iterator[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


if __name__ == "__main__":
    main(sys.argv[1:])
