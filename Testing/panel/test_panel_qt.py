"""The small Qt classes below the panel: timers, the worker's process, preferences, and what the cards say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from SEERSegmentLib.presenter.state import PanelState, Phase
from SEERSegmentLib.values import Evidence, Finding, Reasoning, Severity, Skill
from Testing.standin.driving import wait_until

from .conftest import Panel
from .test_panel_shipped import PICTURES, whole


@pytest.fixture(autouse=True)
def panel_package(slicer: Any, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(repository / "SEERSegment"))


def test_timers_call_once_in_order_and_can_be_cancelled() -> None:
    from SEERSegmentPanel.timers import QtTimers

    timers, called = QtTimers(), []
    timers.call_later(30, lambda: called.append("third"))
    timers.call_later(0, lambda: called.append("first"))
    cancel = timers.call_later(5, lambda: called.append("never"))
    timers.call_later(10, lambda: called.append("second"))
    cancel()
    cancel()
    wait_until(lambda: len(called) == 3)
    assert called == ["first", "second", "third"]
    timers.close()


def test_a_cancel_that_comes_late_does_not_hit_the_next_call_of_a_timer_used_again() -> None:
    from SEERSegmentPanel.timers import QtTimers

    timers, called = QtTimers(), []
    late = timers.call_later(0, lambda: called.append(1))
    wait_until(lambda: called == [1])
    timers.call_later(0, lambda: called.append(2))
    late()
    wait_until(lambda: called == [1, 2])

    def again() -> None:
        called.append(3)
        if len(called) < 6:
            timers.call_later(0, again)

    timers.call_later(0, again)
    wait_until(lambda: called == [1, 2, 3, 3, 3, 3])
    waiting = timers.call_later(0, lambda: called.append("after close"))
    timers.close()
    waiting()
    timers.call_later(0, lambda: called.append("after close"))
    wait_until(lambda: True)
    assert "after close" not in called


class Heard:
    """What a process said."""

    def __init__(self) -> None:
        self.output, self.log, self.ended = b"", b"", []  # type: ignore[var-annotated]

    def start(self, link: Any, arguments: list[str]) -> None:
        link.start(arguments, self._out, self._err, lambda code, why: self.ended.append((code, why)))

    def _out(self, data: bytes) -> None:
        self.output += data

    def _err(self, data: bytes) -> None:
        self.log += data


def test_the_process_speaks_and_listens_without_waiting() -> None:
    from SEERSegmentPanel.qprocess import QtProcessLink

    link, heard = QtProcessLink(), Heard()
    code = "import sys; print('ready', flush=True); sys.stderr.write(sys.stdin.readline()); sys.exit(3)"
    heard.start(link, ["-c", code])
    assert link.running
    wait_until(lambda: b"ready" in heard.output)
    link.write("größer\n".encode())
    wait_until(lambda: heard.ended)
    assert heard.log.decode().strip() == "größer"
    assert heard.ended[0][0] == 3
    assert not link.running


def test_a_program_that_is_not_there_is_said() -> None:
    from SEERSegmentPanel.qprocess import QtProcessLink

    link, heard = QtProcessLink("/nowhere/python"), Heard()
    heard.start(link, ["-c", ""])
    wait_until(lambda: heard.ended)
    assert heard.ended[0][0] == -1
    assert "could not be started" in heard.ended[0][1]


def test_killing_ends_the_launcher_and_what_it_started() -> None:
    import psutil
    from SEERSegmentPanel.qprocess import QtProcessLink

    link, heard = QtProcessLink(), Heard()
    heard.start(link, ["-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"])
    wait_until(lambda: heard.output.endswith(b"\n"))
    interpreter = psutil.Process(int(heard.output))
    link.kill_tree(None)
    wait_until(lambda: heard.ended)
    wait_until(lambda: not interpreter.is_running() or interpreter.status() == psutil.STATUS_ZOMBIE)


def test_a_process_that_was_abandoned_is_not_heard() -> None:
    from SEERSegmentPanel.qprocess import QtProcessLink

    link, heard = QtProcessLink(), Heard()
    heard.start(link, ["-c", "import time; print(1, flush=True); time.sleep(600)"])
    wait_until(lambda: heard.output)
    link.abandon()
    assert not link.running
    fresh = Heard()
    fresh.start(link, ["-c", "print('new')"])
    wait_until(lambda: fresh.ended)
    assert fresh.output.strip() == b"new"
    assert heard.ended == []


def test_lists_and_tables_survive_the_settings_file() -> None:
    import qt
    from SEERSegmentPanel.preferences import PREFIX, user_preferences

    preferences = user_preferences()
    preferences.set("history", ["a, b", "ü"])
    preferences.set("consents", {"https://a.example": ["snapshots"]})
    preferences.set("rememberKey", True)
    qt.QSettings().sync()
    again = user_preferences()
    assert again.get("history") == ["a, b", "ü"]
    assert again.get("consents") == {"https://a.example": ["snapshots"]}
    assert again.get("rememberKey") is True
    assert json.loads(qt.QSettings().value(PREFIX + "history")) == ["a, b", "ü"]


SKILL = Skill("seer:0123456789ab", "ABBR_DISAMBIGUATE", "<b>rt</b> means right", why_retrieved="shares “rt”")
SHOWN = PanelState(
    phase=Phase.REASONING,
    streaming=True,
    reasoning=Reasoning(
        tuple(Evidence(f"e{number}", f"Observation {number} & more.") for number in range(9)),
        ("Read <i>rt</i> as right.",),
        "right lung",
        "someone",
        (SKILL.id,),
    ),
    skills=(SKILL,),
    findings=(
        Finding("a", Severity.INFO, "All of it is in view."),
        Finding("b", Severity.WARNING, "The top is cut off.", target="right lung", advice="Look at the apex."),
        Finding("c", Severity.ERROR, "This is an MR image.", blocking=True),
    ),
)


def test_cards_say_it_in_plain_words_and_show_replies_as_text(panel: Callable[[], Panel]) -> None:
    opened = panel()
    opened.widget.panel._show(SHOWN)
    opened.settle()
    assert opened.find("reasoningHintLabel").text() == "The model is writing; its answer can be run once it is whole."
    skills = opened.find("skillsCardText").text()
    assert "ABBR_DISAMBIGUATE" in skills
    assert "used" in skills
    assert "&lt;b&gt;rt" in skills
    assert "&lt;i&gt;rt" in opened.find("rationaleCardText").text()
    texts = [opened.find(f"findingLabel{number}").text() for number in range(3)]
    assert texts == [
        "Note: All of it is in view.",
        "Please check (right lung): The top is cut off. Look at the apex.",
        "Problem: This is an MR image. This stops the run.",
    ]
    for label in opened.find("findingsCard").findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText or not label.text()
    assert "Observation 8" not in opened.find("evidenceCardText").text()
    opened.click("moreEvidenceButton")
    opened.settle()
    assert "Observation 8 &amp; more" in opened.find("evidenceCardText").text()
    assert opened.find("moreEvidenceButton").text() == "Show less"


def test_who_read_a_request_is_said_with_the_model_and_where_it_is(panel: Callable[[], Panel]) -> None:
    opened = panel()
    remote = (("server", "gpu.example:8000"), ("model", "seer"))
    for reasoner, details, said in (
        ("lexical", (), "Read by the embedded reasoner, on this computer."),
        ("cascade: lexical", (), "Read by the embedded tables, on this computer; the model was not asked, or had no"),
        ("cascade: openai", remote, "Read by openai: the model seer at gpu.example:8000."),
        ("medvol", remote, "Read by medvol: the model seer at gpu.example:8000."),
        ("qwen", (("model", "/models/<b>qwen"),), "Read by qwen, on this computer: the model /models/<b>qwen."),
        ("theirs", (), "Read by theirs."),
    ):
        read = replace(SHOWN.reasoning, reasoner=reasoner, details=details)
        opened.widget.panel._show(replace(SHOWN, streaming=False, reasoning=read))
        opened.settle()
        assert opened.find("reasoningHintLabel").text().startswith(said)
    assert opened.find("reasoningHintLabel").textFormat() == Qt.TextFormat.PlainText


def test_a_picture_of_the_question_before_anything_is_sent(panel: Callable[[], Panel]) -> None:
    from SEERSegmentLib.presenter.consent import Sending
    from SEERSegmentLib.presenter.question import question
    from SEERSegmentLib.worker.messages import PartChoice

    opened = panel()
    server = "https://seer.hospital.example/v1"
    asked = question(Sending("reasoner", PartChoice("openai"), server, "snapshots", "multi-view", 3))
    opened.widget.panel._show(PanelState(phase=Phase.AWAITING_CONSENT, consent=asked))
    opened.settle()
    shown = [each.text() for each in opened.find("consentCard").findChildren(QLabel)]
    assert [line for line in asked.text.splitlines() if line.removeprefix("• ") not in shown] == []
    whole(opened, 480, PICTURES / "consent-480.png")
    opened.widget.panel._show(SHOWN)
    opened.settle()
    whole(opened, 480, PICTURES / "findings-480.png")
