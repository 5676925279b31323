"""No planted identifier leaves, and ordinary requests pass: the rows that people wrote, and combinations of parts.

The part ``aside`` was written after the rules and run once; docs/identifiers.md has the figures of that run. What it
showed is not repaired, so that its rows stay a measure.
"""

from __future__ import annotations

import random

import pytest

from bench.bench_identifiers import (
    HOLD_ONE,
    PlantedRow,
    flagged,
    leaks,
    ordinary_requests,
    own_requests,
    planted_rows,
)
from SEERSegmentLib.reasoning.identifiers import KINDS, find_identifiers, masked

ROWS = list(planted_rows())
TUNE = [row for row in ROWS if row.split == "tune"]
ASIDE = [row for row in ROWS if row.split == "aside"]

#: Of a hundred ordinary requests at most two may be flagged.
MOST_FLAGGED = 0.02


@pytest.mark.parametrize("row", TUNE, ids=lambda row: row.id)
def test_nothing_planted_leaves(row: PlantedRow) -> None:
    text = masked(row.request)
    assert leaks(row, text) == []
    assert find_identifiers(text) == ()


def test_next_to_nothing_of_the_rows_kept_aside_leaves() -> None:
    leaking = [row.id for row in ASIDE if leaks(row, masked(row.request))]
    assert len(leaking) <= 1


def test_the_rows_are_enough_and_sound() -> None:
    assert len(TUNE) >= 300
    assert len(ASIDE) >= 80
    assert len({row.request for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert len(row.planted) == len(row.kinds) > 0
        assert all(string in row.request for string in row.planted), row.id
        assert set(row.kinds) <= set(KINDS), row.id
    assert {kind for row in ROWS for kind in row.kinds} == set(KINDS)


def test_a_leak_is_seen() -> None:
    request = "Mr Smith Hill, MRN 12345, the hill"
    row = PlantedRow("x", "tune", request, ("Smith Hill", "12345"), ("name", "record-number"))
    assert leaks(row, row.request) == ["Smith Hill", "12345", "Smith"]
    assert leaks(row, "Mr [name] Hill, MRN [record number], the hill") == []
    assert leaks(row, "Mr Smith [name], MRN [record number]") == ["Smith"]


@pytest.mark.parametrize("split", ["tune", "aside"])
def test_ordinary_requests_are_not_flagged(split: str) -> None:
    requests = ordinary_requests(split)
    assert len(requests) >= (400 if split == "tune" else 120)
    assert len(set(requests)) == len(requests)
    assert len(flagged(requests)) <= MOST_FLAGGED * len(requests)


def test_the_request_files_of_the_project_are_not_flagged() -> None:
    requests = own_requests()
    assert len(requests) > 1400
    assert len(flagged(requests)) <= MOST_FLAGGED * len(requests)
    assert all(map(find_identifiers, HOLD_ONE))


@pytest.mark.parametrize("request_", ordinary_requests("tune"))
def test_an_ordinary_request_stays_as_it_is(request_: str) -> None:
    assert masked(request_) == request_


# Combinations: every way of saying who or which, with every identifier of its kind, in several places of a request.
NAMES = (
    "Smith", "Okonkwo", "O'Brien-Jones", "van der Berg", "Li Wei", "Müller", "García López", "de la Cruz", "Nguyen",
    "Featherstonehaugh", "McAllister", "Al-Mutairi", "J. R. Whitcombe", "Rossi", "Kowalczyk", "D'Souza", "Young",
    "Graves",
)  # fmt: skip
SAID = (
    "Mr {}",
    "Mrs {}",
    "Ms. {}",
    "Miss {}",
    "Dr {}",
    "Dr. {}",
    "Prof {}",
    "patient Mr {}",
    "for Mrs {}",
    "d/w Dr {}",
)
NUMBERS = ("4839201", "0012345", "A-123456", "AB12345", "12-34-567", "2024/00317", "K 445 912")
LABELS = (
    "MRN {}",
    "MRN: {}",
    "MRN#{}",
    "hospital no. {}",
    "Pat.-ID {}",
    "accession {}",
    "Acc# {}",
    "case no {}",
    "PID: {}",
)
DATES = (
    "12/03/2021", "2021-03-12", "12.03.21", "12 Mar 2021", "March 12, 2021", "12-MAR-2021", "12th of March", "20210312",
    "3/12/21", "12 March", "Mar 2021", "12.3.2021 14:35", "12 de marzo de 2021", "12. März 2021", "2021年3月12日",
)  # fmt: skip
BEFORE_DATE = ("CT of {}", "scan from {}", "seen {}", "DOB {}", "since {}", "({})", "compare with {}")
PHONES = (
    "+44 7700 900123",
    "(617) 555-0182",
    "0121 496 0000",
    "07700900123",
    "555-0199",
    "030/1234567",
    "06 12 34 56 78",
)
REACHED = ("tel {}", "call {}", "phone: {}", "mobile {}", "{}", "ring me on {}", "fax {}")
REQUESTS = (
    "{}, outline the left kidney", "Outline the spleen. {}", "right lung please - {} - thanks", "L4 ({}), T12 wedge",
    "3.2 x 4.1 cm mass, HU 45, {}, segment VIII of the liver",
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "said", "strings"),
    [
        ("name", SAID, NAMES),
        ("record-number", LABELS, NUMBERS),
        ("date", BEFORE_DATE, DATES),
        ("phone", REACHED, PHONES),
    ],
    ids=["names", "numbers", "dates", "phones"],
)
def test_combinations(kind: str, said: tuple[str, ...], strings: tuple[str, ...]) -> None:
    for way in said:
        for string in strings:
            for request in REQUESTS:
                text = request.format(way.format(string))
                row = PlantedRow("", "", text, (string,), (kind,))
                left = masked(text)
                assert leaks(row, left) == [], text
                assert all(word in left for word in ("kidney", "spleen", "lung", "T12", "HU 45") if word in request), (
                    left
                )


def test_many_in_one_request_in_any_order() -> None:
    chance = random.Random(5)
    for _ in range(300):
        parts = [
            ("name", chance.choice(SAID), chance.choice(NAMES)),
            ("record-number", chance.choice(LABELS), chance.choice(NUMBERS)),
            ("date", chance.choice(BEFORE_DATE), chance.choice(DATES)),
            ("phone", chance.choice(REACHED[:-1]), chance.choice(PHONES)),
        ]
        chance.shuffle(parts)
        strings = tuple(string for _, _, string in parts)
        text = "Outline the spleen; " + chance.choice((", ", "; ", ". ", "\n")).join(
            way.format(string) for _, way, string in parts
        )
        row = PlantedRow("", "", text, strings, tuple(kind for kind, _, _ in parts))
        assert leaks(row, masked(text)) == [], text
