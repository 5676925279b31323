"""A request that a model reads, through the widgets: a real worker process, and a real server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from Testing.scripted_server import GOOD, HOLD, ScriptedServer, reply, serving, texts_of

from .conftest import Panel

LoadVolume = Callable[[str], Any]
Opened = Callable[[], Panel]

REQUEST = "pls outline the rt lung, ?effusion"
BOXES = (
    '<think>It is widest at slice 16.</think>\n<answer>[{"slice": 16, "bbox_2d_list": [[120, 220, 470, 800]]}]</answer>'
)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as made:
        yield made


@pytest.fixture
def asking(server: ScriptedServer, panel: Opened, load_volume: LoadVolume) -> Callable[..., Panel]:
    """``asking(allowed=True)`` opens the panel with a chest CT and the server as its reasoner."""

    def open_panel(allowed: bool = True, **preferences: Any) -> Panel:
        load_volume("ct-chest")
        opened = panel()
        values = {"reasonerKind": "remote", "remoteUrl": server.url, **preferences}
        if allowed:
            values["consents"] = {server.url: ["slices", "snapshots"]}
        for name, value in values.items():
            opened.widget.panel.preferences.set(name, value)
        return opened

    return open_panel


def begin(panel: Panel, text: str = REQUEST) -> None:
    panel.type_text("requestEdit", text)
    panel.click("runButton")


def begin_to_question(panel: Panel, text: str = REQUEST) -> None:
    begin(panel, text)
    panel.wait_for_phase("awaiting consent")
    panel.settle()


def until_written(panel: Panel) -> None:
    panel.wait_until(lambda: panel.state.streaming and panel.has("evidenceCardText"), 60, "a part of the reply")
    panel.settle()


def said(panel: Panel, card: str) -> str:
    return "\n".join(label.text() for label in panel.find(card).findChildren(QLabel))


# --- a reply that streams ---------------------------------------------------------------------------------------------


def test_cards_grow_while_a_reply_is_written_and_its_answer_is_run_when_it_is_whole(
    asking: Callable[..., Panel], server: ScriptedServer
) -> None:
    first, second = "Both lungs are aerated (image 2).", "No fluid is seen (image 3)."
    text = reply("right lung", f"{first}\n{second}")
    at, end = text.index(second), text.index("</answer>")
    server.replies = [[HOLD, text[:at], HOLD, text[at:end], HOLD, text[end:]]]
    opened = asking()
    begin(opened)
    opened.wait_until(lambda: server.chats, 60, "the question to the server")
    opened.wait_until(lambda: "Waiting for 127.0.0.1" in opened.find("stageLabel").text(), 60, "a word about it")
    assert opened.find("stageLabel").text().startswith("Reasoning: ")
    server.go_on()
    until_written(opened)
    card = opened.find("evidenceCardText")
    assert "Both lungs" in card.text()
    assert "No fluid" not in card.text()
    assert not opened.has("answerCard")
    server.go_on()
    opened.wait_until(lambda: "No fluid" in card.text(), 30, "the rest of the evidence")  # in the very same label
    opened.wait_until(lambda: opened.has("rationaleCardText"), 30, "the rationale")
    # the answer is there to its last letter, and still nobody can run it
    assert "still" not in said(opened, "evidenceCard")
    assert "can be run once it is whole" in opened.find("reasoningHintLabel").text()
    assert not opened.find("runAnswerButton").isEnabled()
    assert (opened.state.reasoning.answer, opened.state.executable_answer) == ("", "")
    assert opened.find("runButton").text() == "Cancel"
    server.go_on()
    opened.wait_for_phase("done", "failed", "awaiting edit")
    opened.settle()
    assert opened.state.phase.value == "done", opened.state
    assert opened.find("answerEdit").toPlainText() == "right lung"
    assert opened.find("runAnswerButton").isEnabled()
    assert "the model seer-tiny at 127.0.0.1" in opened.find("reasoningHintLabel").text()
    assert [shown.piece.name for shown in opened.state.segments] == ["right lung"]


def test_a_cancel_in_the_middle_of_a_reply_frees_the_panel_at_once(
    asking: Callable[..., Panel], server: ScriptedServer, slicer: Any
) -> None:
    server.replies = [[GOOD[:60], HOLD, GOOD[60:]], [GOOD]]
    opened = asking()
    begin(opened)
    until_written(opened)
    worker = opened.widget.panel.client._pid
    opened.click("runButton")
    assert opened.state.phase.value == "cancelled"
    assert (opened.find("runButton").text(), opened.find("runButton").isEnabled()) == ("Run", True)
    assert (opened.state.reasoning, opened.state.executable_answer) == (None, "")
    assert not opened.has("evidenceCard")
    opened.wait_until(server.hung_up.is_set, 30, "the end of the connection")
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    opened.click("runButton")
    opened.wait_for_phase("done", "failed")
    assert opened.state.phase.value == "done"
    assert opened.widget.panel.client._pid == worker  # it let go by itself
    assert server.asked.count("GET /v1/models") == 1  # and what it knew of the server stayed


def test_a_reply_that_can_t_be_read_is_an_abstention_with_the_reply_to_look_at(
    asking: Callable[..., Panel], server: ScriptedServer
) -> None:
    server.replies = [["<b>I think</b> it is the right lung."]]
    opened = asking()
    begin(opened)
    opened.wait_for_phase("awaiting edit")
    opened.settle()
    assert opened.has("abstentionCard")
    assert opened.state.executable_answer == ""
    assert not opened.find("runAnswerButton").isEnabled()
    assert not opened.has("rawReplyEdit")
    opened.click("rawReplyButton")
    opened.settle()
    assert opened.find("rawReplyEdit").toPlainText() == "<b>I think</b> it is the right lung."
    assert opened.find("rawReplyEdit").isReadOnly()
    opened.click("rawReplyButton")
    opened.settle()
    assert not opened.has("rawReplyEdit")
    opened.type_text("answerEdit", "trachea")  # the user can always answer
    opened.click("runAnswerButton")
    opened.wait_for_phase("done")
    assert opened.state.segments[0].piece.name == "trachea"


def test_a_server_that_is_gone_is_an_error_with_a_way_on(asking: Callable[..., Panel], server: ScriptedServer) -> None:
    opened = asking(remoteUrl="http://127.0.0.1:9/v1", consents={"http://127.0.0.1:9/v1": ["snapshots"]}, allowed=False)
    begin(opened)
    opened.wait_for_phase("failed")
    opened.settle()
    assert "127.0.0.1:9" in opened.find("errorLabel").text()
    assert opened.find("errorCodeLabel").text().startswith("Code: server-")
    opened.click("openSettingsButton")
    opened.wait_until(lambda: opened.has("remoteUrlEdit"), what="the settings, and in them the server")
    opened.type_text("remoteUrlEdit", server.url)
    begin_to_question(opened)
    assert not opened.has("errorCard")
    opened.click("consentOnceButton")
    opened.wait_for_phase("done", "failed")
    assert opened.state.phase.value == "done"


# --- consent and what it is about -------------------------------------------------------------------------------------


def test_what_would_be_sent_is_shown_before_it_goes_and_is_what_goes(
    asking: Callable[..., Panel], server: ScriptedServer
) -> None:
    opened = asking(allowed=False)
    begin_to_question(opened, "outline the right lung of Mr. John Smithers")
    assert "up to 10 snapshots of at most 448×448 pixels" in said(opened, "consentCard")
    opened.click("consentPreviewButton")
    opened.wait_until(lambda: opened.has("consentPreviewTexts"), 60, "what would be sent")
    shown = opened.find("consentPreviewTexts").toPlainText()
    assert opened.find("consentPreviewTexts").isReadOnly()
    assert "outline the right lung of" in shown
    assert "Smithers" not in shown
    assert "was taken out of it" in said(opened, "consentPreviewFrame")
    count = len(opened.state.preview.views)
    opened.wait_until(lambda: opened.has(f"thumbnail{count - 1}"), 30, "the pictures")
    assert not opened.find("thumbnail0").icon().isNull()
    assert "nothing has been sent" in opened.find("snapshotsHintLabel").text()
    assert opened.state.phase.value == "awaiting consent"
    assert server.asked == []

    opened.click("consentDenyButton")
    opened.settle()
    assert opened.state.phase.value == "cancelled"
    assert not opened.has("consentCard")
    assert not opened.has("snapshotsSection")
    assert server.asked == []

    opened.click("runButton")
    opened.wait_for_phase("awaiting consent")
    opened.settle()
    opened.click("consentPreviewButton")
    opened.wait_until(lambda: opened.has("consentPreviewTexts"), 60, "what would be sent")
    opened.click("consentOnceButton")
    opened.wait_for_phase("done", "failed")
    opened.settle()
    assert opened.state.phase.value == "done"
    assert all(text in shown for text in texts_of(server.chats[0]))
    pictures = [item for item in server.chats[0]["messages"][1]["content"] if item["type"] == "image_url"]
    assert len(pictures) == count
    assert "the reasoner saw" in opened.find("snapshotsHintLabel").text()


def test_a_run_is_cancelled_while_it_is_put_together_what_would_be_sent(
    asking: Callable[..., Panel], server: ScriptedServer
) -> None:
    opened = asking(allowed=False)
    begin_to_question(opened)
    opened.click("consentPreviewButton")
    assert opened.state.preview.busy
    opened.settle()
    assert not opened.find("consentPreviewButton").isEnabled()
    opened.click("runButton")
    assert opened.state.phase.value == "cancelled"
    opened.settle()
    assert not opened.has("consentCard")
    begin_to_question(opened)
    assert server.asked == []


def test_why_nothing_would_be_sent_is_said_in_the_question(
    asking: Callable[..., Panel], server: ScriptedServer
) -> None:
    opened = asking(allowed=False, identifiers="refuse")
    begin_to_question(opened, "outline the right lung of Mr. John Smithers")
    opened.click("consentPreviewButton")
    opened.wait_until(lambda: opened.has("consentPreviewError"), 60, "why")
    assert "nothing was sent" in opened.find("consentPreviewError").text()
    opened.click("consentOnceButton")
    opened.wait_for_phase("failed")
    assert opened.state.error.code == "identifiers-in-request"
    assert server.chats == []


def test_tables_that_are_sure_ask_no_server(asking: Callable[..., Panel], server: ScriptedServer) -> None:
    opened = asking(tablesFirst=True)
    begin(opened)
    opened.wait_for_phase("done")
    opened.settle()
    assert server.asked == []
    assert "Read by the embedded tables" in opened.find("reasoningHintLabel").text()
    begin(opened, "segment the organ that breathes")
    opened.wait_for_phase("done", "failed", "awaiting edit")
    opened.settle()
    assert opened.state.phase.value == "done", opened.state
    assert len(server.chats) == 1
    assert "Read by openai" in opened.find("reasoningHintLabel").text()


# --- MedVol-R1 --------------------------------------------------------------------------------------------------------


def test_boxes_are_drawn_from_and_the_panel_says_by_whom(asking: Callable[..., Panel], server: ScriptedServer) -> None:
    server.replies = [[BOXES]]
    opened = asking(reasonerKind="medvol", medvolModel="remote")
    begin(opened)
    opened.wait_for_phase("done", "failed", "awaiting edit")
    opened.settle()
    assert opened.state.phase.value == "done", opened.state
    assert opened.find("answerEdit").toPlainText().startswith("right lung @k")
    assert "'propagation' segments instead" in opened.find("noteLabel").text()
    assert opened.has("noteLabel")
    assert {view.preset for view in opened.state.views} == {"medvol-r1"}
    assert opened.state.segments[0].piece.volume_ml > 100
    # the answer, boxes and all, can be edited and run again, without the reasoner
    opened.click("runAnswerButton")
    opened.wait_for_phase("done", "failed", "awaiting edit")
    opened.settle()
    assert opened.state.phase.value == "done", opened.state
    assert len(server.chats) == 1
    opened.widget.panel.preferences.set("reasonerKind", "embedded")
    begin(opened, "left lung")
    opened.wait_for_phase("done", "failed")
    opened.settle()
    assert not opened.has("noteLabel")


# --- a model on this computer -----------------------------------------------------------------------------------------


def test_a_model_on_this_computer_reads_a_request(
    panel: Opened, load_volume: LoadVolume, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", reason="the local reasoner needs the extra 'local'")
    from Testing.tiny_qwen import tiny_qwen

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = tiny_qwen()
    load_volume("ct-chest")
    opened = panel()
    values = {"reasonerKind": "local", "localModel": str(folder), "device": "cpu"}
    for name, value in values.items():
        opened.widget.panel.preferences.set(name, value)
    messages: list[str] = []
    show = opened.widget.panel._on_change
    opened.presenter._board._on_change = lambda state: (messages.append(state.message), show(state))
    begin(opened, "right lung")
    opened.wait_for_phase("done", "failed", "awaiting edit", seconds=180)
    opened.settle()
    assert opened.state.phase.value == "done", opened.state
    assert opened.find("answerEdit").toPlainText() == "right lung"
    assert any("oading" in message for message in messages), messages
    assert "on this computer" in opened.find("reasoningHintLabel").text()
    messages.clear()
    begin(opened, "left lung")
    opened.wait_for_phase("done", "failed", "awaiting edit", seconds=180)
    assert opened.state.phase.value == "done", opened.state
    assert not any("oading" in message for message in messages), messages  # it was loaded
    del opened.presenter._board._on_change


def test_episodes_of_a_run_with_a_server_hold_no_key(
    asking: Callable[..., Panel], server: ScriptedServer, tmp_path: Path, slicer: Any
) -> None:
    key = "sk-not-for-the-disk-4711"
    opened = asking(remoteKey=key, episodeFolder=str(tmp_path / "episodes"))
    begin(opened)
    opened.wait_for_phase("done")
    opened.settle()
    opened.click("approveButton")
    opened.wait_until(lambda: opened.state.review.saved or opened.state.review.error, 30, "saving")
    assert opened.state.review.error is None
    assert set(server.keys) == {f"Bearer {key}"}
    files = [path for path in (tmp_path / "episodes").rglob("*") if path.is_file()]
    assert files
    assert not any(key.encode() in path.read_bytes() for path in files)
    saved = tmp_path / "scene.mrml"
    slicer.mrmlScene.SetURL(str(saved))
    slicer.mrmlScene.Commit()
    text = saved.read_text(encoding="utf-8")
    assert "seer-tiny" in text  # who read it stays with the scene
    assert key not in text
    assert not any(key in line for line in opened.state.log)
