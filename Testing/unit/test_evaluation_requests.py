"""Figures over requests whose meaning is known: a rigged reasoner, and figures worked out by hand.

One long file: the request files and what is printed of them are read by the same helpers.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from SEERSegmentLib import registry
from SEERSegmentLib.anatomy import labels_for, resolve_answer
from SEERSegmentLib.cli import main
from SEERSegmentLib.errors import Cancelled, ReasonerError, RequestError
from SEERSegmentLib.evaluation.requests import evaluate, label_matching, read_gold, reading, table
from SEERSegmentLib.protocols import CancelToken, Emit, Readiness, ReasonerInfo, ReasoningCase
from SEERSegmentLib.reasoning import RequestRow
from SEERSegmentLib.values import Abstention, Modality, Progress, Reasoning, TargetSpec

FILES = (
    *("dev", "own", "fresh", "second_tune", "second_aside"),
    *("third_tune", "third_aside", "fourth_tune", "fourth_aside", "fifth_tune", "fifth_aside"),
)

#: Nine requests. Right are one, three, four, seven and eight.
ROWS: list[dict[str, Any]] = [
    {"id": "a1", "intent": "a", "category": "label", "request": "one", "labels": ["liver"]},
    {"id": "a2", "intent": "a", "category": "typo", "request": "two", "labels": ["liver"], "split": "late"},
    {
        "id": "b1",
        "intent": "b",
        "category": "label",
        "request": "three",
        "accept": [["kidney_left", "kidney_right"], ["kidney_left"]],
    },
    {"id": "c1", "intent": "c", "category": "abstain", "request": "four", "abstain": True},
    {"id": "c2", "intent": "c", "category": "abstain", "request": "five", "abstain": True, "split": "late"},
    {"id": "d1", "intent": "d", "category": "label", "request": "six", "labels": ["spleen"], "abstain": False},
    {"id": "o1", "intent": "oov:ureter", "category": "abstain", "request": "seven", "accept": [[]], "abstain": True},
    {"id": "l1", "intent": "lesion:liver_tumor", "category": "lesion", "request": "eight", "accept": [["liver tumor"]]},
    {"id": "e1", "intent": "e", "category": "label", "request": "nine", "labels": ["pancreas"]},
]
#: What the rigged reasoner answers; it abstains from the rest.
ANSWERS = {
    "one": "liver",
    "two": "spleen",
    "three": "left kidney",
    "five": "liver",
    "seven": "left ureter",
    "eight": "liver tumor",
}


class RiggedReasoner:
    """Answers from a list; under a closed vocabulary it abstains from the ureter and the tumour."""

    info = ReasonerInfo("rigged", "1", "Answers from a list.")

    def readiness(self) -> Readiness:
        return Readiness(True)

    def reason(self, case: ReasoningCase, emit: Emit, cancel: CancelToken) -> Reasoning | Abstention:
        text = case.request.text
        if text == "break":
            raise ReasonerError("The reasoner broke.", code="scripted-failure")
        answer = ANSWERS.get(text)
        if answer is None or (case.closed and text in ("seven", "eight")):
            return Abstention("no-anatomy", "No anatomy is named.", "What would you like?", reasoner="rigged")
        return Reasoning((), ("It is on the list.",), answer, "rigged")


def lines(*rows: Mapping[str, Any]) -> list[str]:
    return [json.dumps({"modality": "CT", **row}) for row in rows or ROWS]


@pytest.fixture
def rigged(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(registry.REASONERS, "rigged", f"{__name__}:RiggedReasoner")
    return "rigged"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "requests é.jsonl"
    path.write_text("\n\n".join(lines()) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def seer(capsys: pytest.CaptureFixture[str], rigged: str) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["evaluate", "requests", *map(str, arguments), "--reasoner", rigged])
        return (code, *capsys.readouterr())

    return run


# ------------------------------------------------------------------------------------------------------------ figures


def test_figures_are_those_worked_out_by_hand() -> None:
    result = evaluate(read_gold(lines()), reading(RiggedReasoner()))
    assert (result.right, result.total) == (5, 9)
    # label: one, three right of one, three, six, nine. abstain: four, seven right of four, five, seven.
    assert result.scores.categories == {"label": [2, 4], "typo": [0, 1], "abstain": [2, 3], "lesion": [1, 1]}
    # b, the ureter and the tumour are right in every phrasing: 3 of 7.
    assert result.scores.stable == 3 / 7
    # Due: four, five. Made: four, six, nine. The ureter counts for neither.
    assert (result.scores.due, result.scores.made, result.scores.both) == (2, 3, 1)
    assert (result.precision, result.recall) == (1 / 3, 1 / 2)
    assert [(wrong.id, wrong.wanted, wrong.got) for wrong in result.wrong] == [
        ("a2", "liver", "spleen"),
        ("c2", "", "liver"),
        ("d1", "spleen", ""),
        ("e1", "pancreas", ""),
    ]
    assert result.seconds > 0


def test_a_closed_vocabulary_wants_an_abstention_where_it_has_no_label() -> None:
    rows = read_gold(lines(), closed=True)
    told = evaluate(rows, reading(RiggedReasoner(), closed=True))
    assert told.right == 5
    # Due: four, five, seven, eight. Made: four, six, seven, eight, nine.
    assert (told.scores.due, told.scores.made, told.scores.both) == (4, 5, 3)
    assert (told.precision, told.recall) == (3 / 5, 3 / 4)
    untold = evaluate(rows, reading(RiggedReasoner()))
    assert {wrong.id for wrong in untold.wrong} == {"a2", "c2", "d1", "o1", "l1", "e1"}


def test_the_split_picks_rows() -> None:
    rows = read_gold(lines(), "late")
    assert [row.row.id for row in rows] == ["a2", "c2"]
    result = evaluate(rows, reading(RiggedReasoner()))
    assert (result.right, result.precision, result.recall) == (0, None, 0.0)


def test_the_table_shows_answerers_side_by_side() -> None:
    rows = read_gold(lines())
    mine = evaluate(rows, reading(RiggedReasoner()))
    none = evaluate(rows, lambda row: {"labels": [], "answer": "x", "abstain": False, "code": ""})
    assert [re.sub(r" {2,}", "|", line) for line in table({"rigged": mine, "nothing": none})] == [
        "category|rigged|nothing",
        "abstain|2/3|1/3",
        "label|2/4|0/4",
        "lesion|1/1|0/1",
        "typo|0/1|0/1",
        "all|55.6%|11.1%",
        "every phrasing|42.9%|14.3%",
        "abstain precision|33.3%|–",
        "abstain recall|50.0%|0.0%",
    ]
    assert len({len(line) for line in table({"rigged": mine, "nothing": none})}) == 1


def test_what_a_row_may_leave_out() -> None:
    (row,) = read_gold(['{"request": "liver", "labels": ["liver"]}'])
    assert row.gold == {
        "id": "line-1",
        "request": "liver",
        "intent": "line-1",
        "category": "uncategorised",
        "accept": [["liver"]],
        "abstain": False,
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"request": "liver"}, "Line 2 .* has no meaning"),
        ({"request": "liver", "accept": []}, "Line 2 .* has no meaning"),
        ({"request": "liver", "accept": ["liver"]}, "Line 2 .* has no meaning"),
        ({"request": "liver", "labels": "liver"}, "Line 2 .* has no meaning"),
        ({"request": "liver", "labels": ["livver"]}, "Line 2 .* 'livver', which is no label for CT"),
        ({"request": "lung", "labels": ["lung_left"]}, "Line 2 .* 'lung_left', which is no label for CT"),
        ({"request": "liver", "abstain": "no"}, "Line 2 .* neither true nor false"),
        ({"text": "liver"}, "Line 2 .* no field 'request'"),
    ],
)
def test_a_row_that_can_not_be_scored_is_named(row: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        read_gold([*lines(ROWS[0]), *lines(row)])
    assert caught.value.code == "request-rows"


@pytest.mark.parametrize(("split", "words"), [(None, "has no requests"), ("x", "no requests of the split 'x'")])
def test_no_rows_are_no_figures(split: str | None, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        read_gold(lines() if split else ["", "\n"], split)


def test_progress_is_told_and_a_cancelled_evaluation_ends() -> None:
    told: list[Progress] = []
    cancel = CancelToken()

    def emit(progress: Progress) -> None:
        told.append(progress)
        if len(told) == 3:
            cancel.cancel()

    with pytest.raises(Cancelled):
        evaluate(read_gold(lines()), reading(RiggedReasoner()), emit, cancel)
    assert [progress.fraction for progress in told] == [0, 1 / 9, 2 / 9]


# ----------------------------------------------------------------------------------------------------------- baseline


def test_the_baseline_is_the_label_most_like_the_request() -> None:
    matching = label_matching()
    assert matching is not None
    assert matching(RequestRow("1", "Gallbladder please", Modality.CT))["labels"] == ["gallbladder"]
    assert matching(RequestRow("2", "right lung", Modality.MR))["labels"] == ["lung_right"]
    assert matching(RequestRow("3", "what is the weather", Modality.CT))["abstain"] is False


def test_without_rapidfuzz_there_is_no_baseline(
    monkeypatch: pytest.MonkeyPatch, seer: Callable[..., tuple[int, str, str]], file: Path
) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    assert label_matching() is None
    code, out, _ = seer(file)
    assert code == 0
    assert "needs rapidfuzz" in out
    assert "label matching" not in out
    assert json.loads(seer(file, "--json")[1])["baseline"] is None


# ------------------------------------------------------------------------------------------------------------ command


def test_the_command_prints_figures_and_confusions(seer: Callable[..., tuple[int, str, str]], file: Path) -> None:
    code, out, err = seer(file)
    assert code == 0
    assert out.splitlines()[0] == f"{file}: 9 requests, 7 intents"
    assert re.search(r"^category +rigged +label matching$", out, re.M)
    assert re.search(r"^label +2/4 +\d/4$", out, re.M)
    assert re.search(r"^all +55\.6% ", out, re.M)
    assert out.splitlines()[-5:] == [
        "Read wrongly: 4",
        "  a2 typo: “two” wanted liver, got spleen",
        "  c2 abstain: “five” wanted no answer, got liver",
        "  d1 label: “six” wanted spleen, got no answer",
        "  e1 label: “nine” wanted pancreas, got no answer",
    ]
    assert "reasoning" in err


def test_the_command_prints_json(seer: Callable[..., tuple[int, str, str]], file: Path) -> None:
    code, out, _ = seer(file, "--json", "--quiet")
    assert code == 0
    assert out.count("\n") == 1
    content = json.loads(out)
    assert content["status"] == "done"
    assert (content["file"], content["reasoner"], content["closed"], content["split"]) == (
        str(file),
        "rigged",
        False,
        None,
    )
    assert content["requests"] == {"right": 5, "total": 9, "share": 5 / 9}
    assert content["every_phrasing"] == {"right": 3, "total": 7, "share": 3 / 7}
    assert content["abstention"] == {"due": 2, "made": 3, "both": 1, "precision": 1 / 3, "recall": 0.5}
    assert content["categories"]["label"] == {"right": 2, "total": 4, "share": 0.5}
    assert content["intents"]["a"] == {"right": 1, "total": 2, "share": 0.5}
    assert content["wrong"][0] == {
        "id": "a2",
        "category": "typo",
        "request": "two",
        "wanted": "liver",
        "got": "spleen",
    }
    assert content["baseline"]["requests"]["total"] == 9


def test_closed_split_and_figures(seer: Callable[..., tuple[int, str, str]], file: Path) -> None:
    content = json.loads(seer(file, "--json", "--closed")[1])
    assert content["abstention"]["due"] == 4
    assert content["closed"] is True
    out = seer(file, "--split", "late", "--figures")[1]
    assert ", late: 2 requests, 2 intents" in out
    assert "wanted" not in out
    content = json.loads(seer(file, "--figures", "--json")[1])
    assert "wrong" not in content
    assert "wrong" not in content["baseline"]


def test_long_requests_and_long_lists_are_shortened_unless_all_is_asked_for(
    seer: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "many.jsonl"
    text = "nothing that\nis known " + "very " * 30 + "end"
    rows = [{"id": f"r{n}", "request": f"{n} {text}", "labels": ["liver"]} for n in range(25)]
    path.write_text("\n".join(lines(*rows)), encoding="utf-8")
    short = seer(path)[1].splitlines()
    assert short[-1] == "  … and 5 more; --all lists every one, unshortened."
    assert short[-2].startswith("  r19 uncategorised: “19 nothing that is known very")
    assert "…” wanted liver, got no answer" in short[-2]
    whole = seer(path, "--all")[1].splitlines()
    assert whole[-1].startswith("  r24 ")
    assert whole[-1].endswith("very end” wanted liver, got no answer")


@pytest.mark.parametrize(
    ("content", "exit_code", "code"),
    [
        ("nope", 4, "request-rows"),
        ('{"request": "liver", "modality": "CT"}', 4, "request-rows"),
        ('{"request": "break", "modality": "CT", "labels": ["liver"]}', 5, "scripted-failure"),
    ],
)
def test_exit_codes(
    seer: Callable[..., tuple[int, str, str]], tmp_path: Path, content: str, exit_code: int, code: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    got, out, err = seer(path, "--json", "--quiet")
    assert got == exit_code
    assert json.loads(out)["error"]["code"] == code
    assert f"[{code}]" in err


def test_a_file_that_is_not_there_and_a_wrong_command_line(
    seer: Callable[..., tuple[int, str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert seer(tmp_path / "no.jsonl")[0] == 4
    assert main(["evaluate", "requests", "x.jsonl", "--reasoner", "nobody"]) == 2
    assert main(["evaluate", "weather", "x.jsonl"]) == 2
    assert main(["evaluate"]) == 2
    assert main(["evaluate", "requests"]) == 2
    assert main(["evaluate", "requests", "x.jsonl", "--all", "--figures"]) == 2
    assert "[usage-arguments]" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------------------------- files


@pytest.fixture(scope="module")
def written(repository: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of each file as written."""
    folder = repository / "Testing/data"
    return {
        name: [json.loads(line) for line in (folder / f"requests_{name}.jsonl").read_text("utf-8").splitlines()]
        for name in FILES
    }


@pytest.mark.parametrize("name", FILES)
def test_the_request_files_can_be_scored(repository: Path, name: str) -> None:
    """read_gold refuses a label that the modality's label set doesn't have."""
    with (repository / f"Testing/data/requests_{name}.jsonl").open(encoding="utf-8") as file:
        assert len(read_gold(file)) > 90


def test_the_second_files_say_what_they_want(written: dict[str, list[dict[str, Any]]]) -> None:
    for row in written["second_tune"] + written["second_aside"]:
        assert row["labels"] == row["accept"][0], row
        assert row["abstain"] == (row["accept"] == [[]]), row
        assert all(len(set(names)) == len(names) for names in row["accept"]), row
        if row["intent"].startswith("lesion:"):
            for (name,) in row["accept"]:
                spec = resolve_answer(name)
                assert isinstance(spec, TargetSpec)
                assert labels_for(spec, Modality(row["modality"])) == ()


def test_the_second_files_share_no_intent_and_repeat_no_request(written: dict[str, list[dict[str, Any]]]) -> None:
    tune, aside = written["second_tune"], written["second_aside"]
    assert not {row["intent"] for row in tune} & {row["intent"] for row in aside}
    assert {row["split"] for row in tune} == {"tuned"}
    assert {row["split"] for row in aside} == {"held-out"}

    def folded(row: Mapping[str, Any]) -> str:
        text = str(row["request"]).casefold()
        return re.sub(r"\W+", " ", text).strip() or text

    second = [folded(row) for row in tune + aside]
    assert len(set(second)) == len(second)
    assert not set(second) & {folded(row) for name in ("dev", "own", "fresh") for row in written[name]}


@pytest.mark.parametrize("name", ["third", "fourth", "fifth"])
def test_later_files_repeat_no_request(name: str, written: dict[str, list[dict[str, Any]]]) -> None:
    own = [*written[f"{name}_tune"], *written[f"{name}_aside"]]
    assert {row["split"] for row in written[f"{name}_aside"]} == {"held-out"}
    texts = [row["request"] for row in own]
    others = {row["request"] for other in FILES if not other.startswith(name) for row in written[other]}
    assert len(set(texts)) == len(texts)
    assert not set(texts) & others
    assert all(row["labels"] in row["accept"] or not row["labels"] for row in own)


def test_the_second_files_cover_every_category(written: dict[str, list[dict[str, Any]]]) -> None:
    categories = {row["category"] for row in written["dev"]} | {"lesion"}
    for name in ("second_tune", "second_aside"):
        rows = written[name]
        assert {row["category"] for row in rows} == categories
        assert {row["modality"] for row in rows} == {"CT", "MR"}
        assert 0.12 < sum(row["abstain"] for row in rows) / len(rows) < 0.18


def test_reason_reads_the_same_file(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = repository / "Testing/data/requests_dev.jsonl"
    assert main(["reason", "--requests", str(path), "--json"]) == 0
    out = capsys.readouterr().out.splitlines()
    gold = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [json.loads(line)["id"] for line in out] == [row["id"] for row in gold]
