"""``seer reply``: one reply explained, or a file of them; what goes where, and the exit codes."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from SEERSegmentLib.cli import reply_command
from SEERSegmentLib.cli.console import Console
from SEERSegmentLib.errors import InputError, ReplyError

GOOD = (
    "<evidence>Both kidneys are seen.</evidence>\n<rationale>RK is short for it.</rationale>\n"
    "<answer>RK, hypodense lesion in segment VII of the liver</answer>"
)
ABSTAINS = "<evidence>Seen.</evidence><rationale>No side. Which one?</rationale><answer>kidney</answer>"
OTHER_SIDE = "<evidence>Seen.</evidence><rationale>The left kidney.</rationale><answer>right kidney</answer>"


def run(tmp_path: Path, text: str, *, as_json: bool = False, request: str | None = None) -> int:
    path = tmp_path / "reply.txt"
    path.write_text(text, encoding="utf-8")
    parsed = argparse.Namespace(file=str(path), replies=None, request=request)
    return reply_command.run(parsed, Console(as_json=as_json))


def run_rows(tmp_path: Path, text: str) -> int:
    path = tmp_path / "replies.jsonl"
    path.write_text(text, encoding="utf-8")
    return reply_command.run(argparse.Namespace(file=None, replies=str(path), request=None), Console(as_json=True))


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_usable_reply_is_explained_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, GOOD) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Research use only. Not for clinical decisions."
    assert lines[1] == "Usable: RK, hypodense lesion in segment VII of the liver"
    assert "right kidney" in lines[2]
    assert "kidney_right" in lines[2]
    assert "64033007" in lines[2]
    assert "free text" in lines[3]
    assert lines[4:] == ["Evidence:", "  - Both kidneys are seen.", "Rationale:", "  1. RK is short for it."]


def test_a_usable_reply_is_explained_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, GOOD, as_json=True) == 0
    (told,) = printed(capsys)
    assert told["status"] == "usable"
    assert told["prompt"] == "right kidney and hypodense lesion in segment VII of the liver"
    assert told["targets"][0] == {
        "text": "right kidney",
        "structure": "kidney_right",
        "side": "right",
        "level": "",
        "code": "64033007",
        "labels": {"CT": ["kidney_right"], "MR": ["kidney_right"]},
    }
    assert told["targets"][1]["labels"] == {"CT": [], "MR": []}
    assert told["evidence"][0]["text"] == "Both kidneys are seen."
    assert told["rationale"] == ["RK is short for it."]
    assert told["findings"] == []


def test_an_abstention_gives_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, ABSTAINS) == 3
    out = capsys.readouterr().out
    assert "[side-needed]" in out
    assert "Question: Which one?" in out
    assert "for example: left kidney" in out
    assert run(tmp_path, ABSTAINS, as_json=True) == 3
    (told,) = printed(capsys)
    assert (told["status"], told["code"], told["suggestions"][0]) == ("abstained", "side-needed", "left kidney")


def test_a_contradiction_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, OTHER_SIDE) == 0
    assert "Problem: The model's rationale speaks of the left side" in capsys.readouterr().out


def test_the_request_tells_an_echo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    echo = ABSTAINS.replace(">kidney<", ">rt kidney pls<")
    assert run(tmp_path, echo, request="Rt kidney, pls!", as_json=True) == 3
    assert printed(capsys)[0]["code"] == "echoed-request"


def test_a_malformed_reply_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReplyError) as caught:
        run(tmp_path, GOOD[:-5])
    assert (caught.value.code, caught.value.exit_code) == ("reply-tag-unclosed", 5)


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert reply_command.run(argparse.Namespace(file="-", replies=None, request=None), Console()) == 0
    assert "Usable" in capsys.readouterr().out


def test_a_file_that_cant_be_read_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("binary", "none"):
        parsed = argparse.Namespace(file=str(tmp_path / name), replies=None, request=None)
        with pytest.raises(InputError) as caught:
            reply_command.run(parsed, Console())
        assert caught.value.code == "reply-unreadable"


def test_rows_are_explained_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "a", "reply": GOOD}, {"reply": ABSTAINS}, {"id": 3, "reply": "liver"}]
    rows.append({"id": "echo", "reply": ABSTAINS.replace(">kidney<", ">liver?<"), "request": "liver?"})
    assert run_rows(tmp_path, "\n\n".join(map(json.dumps, rows)) + "\n") == 0
    told = printed(capsys)
    assert [(row["id"], row["status"], row.get("code", "")) for row in told] == [
        ("a", "usable", ""),
        ("line-3", "abstained", "side-needed"),
        ("3", "malformed", "reply-tag-missing"),
        ("echo", "abstained", "echoed-request"),
    ]
    assert told[2]["reason"]


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", "{}", '{"reply": 5}', '{"reply": "x", "request": 5}', '"x"', "[" * 100_000]
)
def test_a_line_that_is_no_row_is_an_input_error(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError) as caught:
        run_rows(tmp_path, f'{{"reply": "x"}}\n{line}\n')
    assert caught.value.code == "reply-rows"
    assert "Line 2" in caught.value.user_message
