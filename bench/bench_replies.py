"""Reading replies: work grows with the length of a reply, whatever it holds.

    python -m bench replies

Prints, for good replies and for ones made to be slow, the processor time to read 1, 10 and 100 kB, the best of several
runs, and how many times as long ten times the length takes: about 10 is linear, much less a limit that was met. A usual
reply is about 1 kB.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

from SEERSegmentLib.errors import ReplyError
from SEERSegmentLib.reasoning.reply import parse_reply, partial_reply

SIZES = (1_000, 10_000, 100_000)
RUNS = 15


def good(size: int, *, bulleted: bool = False, answer: str = "left kidney") -> str:
    """A sound reply of about this many characters."""
    line = "- The left kidney is seen (image 3).\n" if bulleted else "The left kidney is seen in image 3. "
    body = line * (size // (2 * len(line)))
    return (
        f"<evidence>\n{body}</evidence>\n<rationale>{body} LK is short for it.</rationale>\n<answer>{answer}</answer>"
    )


def filled(unit: str) -> Callable[[int], str]:
    """Replies that are one thing over and over."""
    return lambda size: unit * (size // len(unit))


def inside(unit: str, place: str) -> Callable[[int], str]:
    """Sound replies with one thing over and over in a section."""

    def make(size: int) -> str:
        parts = {"evidence": "Seen.", "rationale": "Read.", "answer": "liver"}
        parts[place] += unit * (size // len(unit))
        return "".join(f"<{name}>{text}</{name}>" for name, text in parts.items())

    return make


CASES: dict[str, Callable[[int], str]] = {
    "good, prose": good,
    "good, a line for each observation": lambda size: good(size, bulleted=True),
    "good, in thinking first": lambda size: f"<think>{'Hm. ' * (size // 4)}</think>{good(500)}",
    "only <": filled("<"),
    "only <answer>": filled("<answer>"),
    "< and spaces": lambda size: "<" + " " * size + "answe",
    "<answer and spaces": filled("<answer   "),
    "zero-width characters in the evidence": inside("\u200b", "evidence"),
    "line breaks in the evidence": inside("\n", "evidence"),
    "images cited in the evidence": inside(" image 1, 2", "evidence"),
    "full stops in the rationale": inside(". A", "rationale"),
    "names in the answer": inside(", liver", "answer"),
    "quotes in the answer": inside('"', "answer"),
    "stars in the answer": inside("*", "answer"),
    "spaces in the answer": inside(" ", "answer"),
    "letters with marks in the answer": inside("e\u0301", "answer"),
}


def seconds(read: Callable[[str], object], text: str) -> float:
    """Processor time of the best of some runs."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        with suppress(ReplyError):
            read(text)
        best = min(best, time.process_time() - start)
    return best


def row(name: str, read: Callable[[str], object], make: Callable[[int], str]) -> str:
    """One row of the table."""
    times = [seconds(read, make(size)) for size in SIZES]
    growth = [f"{later / earlier:.1f}×" for earlier, later in pairwise(times)]
    return f"| {name} | {' | '.join(f'{1000 * t:.2f}' for t in times)} | {' | '.join(growth)} |"


def main() -> None:
    """Print the table."""
    seconds(parse_reply, good(1_000, answer="some free text"))  # tables are read once
    print("| reply | 1 kB, ms | 10 kB, ms | 100 kB, ms | 1 → 10 kB | 10 → 100 kB |\n|---|---|---|---|---|---|")
    for name, make in CASES.items():
        print(row(name, parse_reply, make), flush=True)
    print(row("shown while it streams", partial_reply, lambda size: good(size)[: -len("</answer>")]))


if __name__ == "__main__":
    main()
