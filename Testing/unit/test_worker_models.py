"""A real worker process whose reasoner asks a real server on loopback: streaming, cancelling, consent, preview.

One long file: the tests share one worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from SEERSegmentLib.imaging.phantom import chest_phantom
from SEERSegmentLib.values import Reasoning, Stage
from SEERSegmentLib.worker.client import FINAL, WorkerClient
from SEERSegmentLib.worker.messages import (
    AbstentionReport,
    AgreementOrder,
    CapabilitiesOrder,
    CapabilitiesReport,
    ErrorReport,
    PartChoice,
    PreviewOrder,
    PreviewReport,
    ProgressReport,
    RunOrder,
    RunReport,
    VolumeFile,
)
from SEERSegmentLib.worker.wire import Order
from Testing.scripted_server import GOOD, HOLD, ScriptedServer, serving, texts_of
from Testing.subprocess_link import Loop
from Testing.worker_parts import installed, volume_file

KEY = "sk-never-to-be-seen"
SURE, UNSURE = "the right lung", "segment the abnormal organ"

#: A request for each reasoner that makes it ask its model.
ASKS = {"openai": SURE, "cascade": UNSURE, "medvol": SURE}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as chat:
        yield chat


class Panel:
    """A client with a real process behind it, and a chest in the session folder."""

    server: ScriptedServer

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.loop = Loop()
        self.link = self.loop.link(environment=environment)
        self.log: list[str] = []
        self.client = WorkerClient(self.link, self.loop, folder, idle_seconds=600, on_log=self.log.append)
        self.volume: VolumeFile = volume_file(folder, chest_phantom(8.0)[0])

    def order(self, name: str = "openai", allowed: tuple[str, ...] = ("snapshots",), **more: Any) -> RunOrder:
        text = more.pop("text", ASKS.get(name, SURE))
        options = {"url": self.server.url, "key": KEY, **more.pop("options", {})}
        choice = PartChoice(name, options if name == "openai" else {"vlm": "openai", **options})
        backbone = more.pop("backbone", PartChoice("classical"))
        return RunOrder(self.client.new_job(), self.volume, text, choice, backbone, allowed=allowed, **more)

    def send(self, order: Order) -> list[Any]:
        reports: list[Any] = []
        self.client.send(order, reports.append)
        return reports

    def until(self, condition: Any) -> None:
        self.loop.run_until(condition)

    def until_written(self, reports: list[Any]) -> None:
        """Until a part of a reply was told."""

        def written() -> list[Reasoning]:
            assert not reports or not isinstance(reports[-1], FINAL), reports[-1]
            return partial(reports)

        self.until(written)

    def do(self, order: Order) -> Any:
        reports = self.send(order)
        self.until(lambda: reports and isinstance(reports[-1], FINAL))
        return reports[-1]

    def preview(self, order: RunOrder) -> Any:
        job = self.client.new_job()
        return self.do(PreviewOrder(job, replace(order, job=job)))


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """With what Slicer bundles, and no more."""
    parts = tmp_path_factory.mktemp("parts")
    yield from closing(Panel(tmp_path_factory.mktemp("worker") / "session", installed(parts)))


@pytest.fixture(scope="module")
def local_worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """With all packages of this environment."""
    pytest.importorskip("transformers", reason="the local reasoner needs the extra 'local'")
    yield from closing(Panel(tmp_path_factory.mktemp("local") / "session", {"OMP_NUM_THREADS": "1"}))


def closing(panel: Panel) -> Iterator[Panel]:
    yield panel
    panel.client.close()
    panel.loop.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is killed because the computer that runs this test is busy."""
    monkeypatch.setattr("SEERSegmentLib.worker.client.CANCEL_GRACE_MS", 60_000)


@pytest.fixture
def panel(worker: Panel, server: ScriptedServer) -> Panel:
    """One worker for all tests; a server of its own for each."""
    worker.server = server
    worker.log.clear()
    return worker


@pytest.fixture
def local(local_worker: Panel, server: ScriptedServer) -> Panel:
    local_worker.server = server
    return local_worker


def partial(reports: list[Any]) -> list[Reasoning]:
    """Replies that were still being written, as they were told."""
    told = [r for r in reports if isinstance(r, ProgressReport) and r.stage is Stage.REASON and r.fraction != 1.0]
    return [r.value for r in told if isinstance(r.value, Reasoning)]


# --- a reply that streams ---------------------------------------------------------------------------------------------


def test_a_reply_is_told_while_it_is_written_and_run_when_it_is_whole(panel: Panel) -> None:
    head, tail = GOOD[:60], GOOD[60:]
    panel.server.replies = [[head, HOLD, *tail]]
    order = panel.order()
    reports = panel.send(order)
    panel.until_written(reports)
    assert not any(isinstance(report, FINAL) for report in reports)
    assert any("Waiting for 127.0.0.1" in r.message for r in reports if isinstance(r, ProgressReport))
    panel.server.go_on()
    panel.until(lambda: isinstance(reports[-1], FINAL))
    result = reports[-1]
    assert isinstance(result, RunReport), result
    assert {part.answer for part in partial(reports)} == {""}  # nothing to execute while it is written
    assert (result.reasoning.answer, result.reasoning.reasoner) == ("right lung", "openai")
    assert dict(result.reasoning.details)["model"] == "seer-tiny"
    (chat,) = panel.server.chats
    pictures = [item for item in chat["messages"][1]["content"] if item["type"] == "image_url"]
    assert len(pictures) == len(result.views)
    assert all(item["image_url"]["url"].startswith("data:image/png;base64,") for item in pictures)


def test_a_cancel_in_the_middle_closes_the_connection_and_keeps_the_worker(panel: Panel) -> None:
    panel.server.replies = [[GOOD[:60], HOLD, GOOD[60:]], [GOOD]]
    order = panel.order()
    reports = panel.send(order)
    panel.until_written(reports)
    count = len(reports)
    panel.client.cancel(order.job)
    panel.until(lambda: panel.server.hung_up.is_set())
    panel.until(lambda: not panel.client._unacknowledged)
    assert len(reports) == count
    assert not list(panel.client.folder.glob(f"{order.job}.*"))
    again = panel.do(panel.order())
    assert isinstance(again, RunReport)
    assert panel.link.started == 1
    assert panel.server.asked.count("GET /v1/models") == 1  # it is the same part: what the server has is known
    assert "reused" in dict(again.provenance.record(Stage.MEASURE).details)


def test_a_reply_that_can_t_be_read_is_asked_for_once_more_and_then_abstained_from(panel: Panel) -> None:
    panel.server.replies = [["I think it is the right lung."]]
    reports = panel.send(panel.order())
    panel.until(lambda: reports and isinstance(reports[-1], FINAL))
    last = reports[-1]
    assert isinstance(last, AbstentionReport)
    assert (last.answer, last.abstention.reasoner) == ("", "openai")
    assert "right lung" in last.abstention.raw
    assert any("asking once more" in r.message for r in reports if isinstance(r, ProgressReport))
    asked = [chat for chat in panel.server.chats if any("raw_prompt" in text for text in texts_of(chat))]
    assert len(asked) == 2


def test_a_server_that_is_gone_is_an_error_in_words(panel: Panel) -> None:
    gone = panel.do(panel.order(options={"url": "http://127.0.0.1:9/v1"}))
    assert isinstance(gone, ErrorReport)
    assert gone.code.startswith("server-")
    assert "127.0.0.1:9" in gone.user_message
    assert KEY not in repr(gone)
    assert isinstance(panel.do(panel.order()), RunReport)
    assert panel.link.started == 1


# --- consent ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("allowed", [(), ("volume",)], ids=["nothing", "the volume"])
@pytest.mark.parametrize("name", ASKS)
def test_nothing_is_sent_that_was_not_allowed_whatever_stands_before_the_server(
    panel: Panel, name: str, allowed: tuple[str, ...]
) -> None:
    order = panel.order(name, allowed)
    check = AgreementOrder(panel.client.new_job(), order, 2, 0)
    for refused in (panel.do(order), panel.do(check)):
        assert isinstance(refused, ErrorReport)
        assert refused.code == "consent-missing"
    assert panel.server.asked == []
    # nor after it was made once, and was allowed then
    panel.do(panel.order(name))
    count = len(panel.server.asked)
    assert count > 0
    refused = panel.do(panel.order(name, allowed))
    assert (refused.code, len(panel.server.asked)) == ("consent-missing", count)


def test_a_cascade_asks_its_model_only_where_the_tables_are_unsure(panel: Panel) -> None:
    sure = panel.do(panel.order("cascade", text=SURE))
    assert isinstance(sure, RunReport)
    assert (sure.reasoning.reasoner, panel.server.asked) == ("cascade: lexical", [])
    unsure = panel.do(panel.order("cascade"))
    assert isinstance(unsure, RunReport)
    assert unsure.reasoning.reasoner == "cascade: openai"
    assert len(panel.server.chats) == 1
    assert any(finding.code == "tables-abstained" for finding in unsure.findings)


# --- what would be sent -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKS)
def test_what_would_be_sent_is_shown_and_then_sent_as_it_was_shown(panel: Panel, name: str) -> None:
    order = panel.order(name, ())
    shown = panel.preview(order)
    assert isinstance(shown, PreviewReport), shown
    assert panel.server.asked == []
    assert shown.server == panel.server.url.split("/")[2]
    assert any(order.text in text for text in shown.texts)
    assert {view.preset for view in shown.views} == {"medvol-r1" if name == "medvol" else "multi-view"}
    for view in shown.views:
        assert (panel.client.folder / view.png).read_bytes().startswith(b"\x89PNG")
    panel.do(replace(order, job=panel.client.new_job(), allowed=("snapshots",)))
    chat = panel.server.chats[0]
    assert texts_of(chat) == list(shown.texts)
    sent = [item for item in chat["messages"][1]["content"] if item["type"] == "image_url"]
    assert len(sent) == len(shown.views)


def test_what_is_taken_out_of_a_request_is_not_in_what_is_shown_and_not_in_what_is_sent(panel: Panel) -> None:
    order = panel.order(text="outline the right lung of Mr. John Smithers, MRN 12345678")
    shown = panel.preview(order)
    assert isinstance(shown, PreviewReport)
    assert any(finding.code == "identifiers-masked" for finding in shown.findings)
    panel.do(order)
    for words in ("Smithers", "12345678"):
        assert words not in repr(shown)
        assert words not in repr(panel.server.chats)
    stopped = panel.preview(panel.order(text=order.text, options={"identifiers": "refuse"}))
    assert isinstance(stopped, ErrorReport)
    assert stopped.code == "identifiers-in-request"


@pytest.mark.parametrize("name", ["lexical", "remote"])
def test_what_a_part_can_t_show_is_said(panel: Panel, name: str) -> None:
    order = replace(panel.order(), reasoner=PartChoice(name))
    refused = panel.preview(order)
    assert isinstance(refused, ErrorReport)
    assert refused.code == "preview-unavailable"


# --- what is known of parts -------------------------------------------------------------------------------------------


def chosen(panel: Panel, name: str, **options: str) -> Any:
    report = panel.do(CapabilitiesOrder(panel.client.new_job(), PartChoice(name, options)))
    assert isinstance(report, CapabilitiesReport)
    assert report.chosen is not None
    return report.chosen


def test_a_reasoner_is_described_as_it_is_with_its_options(panel: Panel) -> None:
    url = {"url": panel.server.url}
    plain = chosen(panel, "openai", **url)
    assert (plain.ready, plain.sends, plain.presets[0], plain.code) == (True, "snapshots", "multi-view", "")
    assert chosen(panel, "cascade", vlm="openai", **url).sends == "snapshots"
    medvol = chosen(panel, "medvol", vlm="openai", **url)
    assert (medvol.sends, medvol.protocol, medvol.presets) == ("snapshots", "anchor", ("medvol-r1",))
    local = chosen(panel, "cascade", vlm="qwen", model="/nowhere", adapter="/nowhere/else")
    assert (local.sends, local.presets[0], local.ready, local.extra) == ("", "seer-v1", False, "local")
    lost = chosen(panel, "openai", template="custom", checkout="/nowhere.json", **url)
    assert (lost.ready, lost.code, lost.sends) == (False, "template-unreadable", "snapshots")
    assert "/nowhere.json" in lost.what_to_do
    assert panel.server.asked == []
    unknown = chosen(panel, "nobody", a="b")
    assert (unknown.ready, unknown.code) == (False, "reasoner-unknown")


def test_backbones_say_what_they_start_from(panel: Panel) -> None:
    report = panel.do(CapabilitiesOrder(panel.client.new_job()))
    parts = {part.name: part for part in report.parts}
    assert report.chosen is None
    assert "label" in parts["classical"].accepts
    assert "box" in parts["propagation"].accepts
    assert parts["lexical"].presets[0] == "multi-view"
    assert (parts["qwen"].ready, parts["qwen"].extra) == (False, "local")


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASKS)
def test_a_key_goes_to_its_server_and_into_no_log_and_no_report(panel: Panel, name: str) -> None:
    reports: list[Any] = []
    for order in (
        panel.order(name),
        panel.order(name, options={"url": panel.server.url.replace("//", "//me:pass-word@")}),
        CapabilitiesOrder(panel.client.new_job(), panel.order(name).reasoner),
    ):
        sent = panel.send(order)
        panel.until(lambda sent=sent: sent and isinstance(sent[-1], FINAL))
        reports += sent
    reports.append(panel.preview(panel.order(name)))
    assert set(panel.server.keys) == {f"Bearer {KEY}"}
    said = repr(reports) + "\n".join(panel.log)
    assert f"{name}(" in said
    assert KEY not in said
    assert "pass-word" not in said
    assert any(KEY.encode() in line for line in panel.link.written)  # it was there to be seen


def test_what_a_part_quotes_of_its_key_is_not_told(panel: Panel) -> None:
    found = chosen(panel, "quoting", key=KEY)
    assert (found.ready, found.code, found.what_to_do) == (
        False,
        "part-broken",
        "It fails with: ValueError: the key ••• is not right",
    )
    assert KEY not in "\n".join(panel.log)


# --- a model in the worker itself -------------------------------------------------------------------------------------


def local_order(panel: Panel, text: str, **options: str) -> RunOrder:
    from Testing.tiny_qwen import tiny_qwen

    choice = PartChoice("qwen", {"model": str(tiny_qwen()), "device": "cpu", **options})
    return replace(panel.order(text=text, allowed=()), reasoner=choice)


def test_a_local_model_is_loaded_once_streams_and_survives_a_cancel(local: Panel) -> None:
    def loads(reports: list[Any]) -> bool:
        return any("oading" in report.message for report in reports if isinstance(report, ProgressReport))

    first = local.send(local_order(local, "right lung"))
    local.loop.run_until(lambda: first and isinstance(first[-1], FINAL), 240)
    assert isinstance(first[-1], RunReport), first[-1]
    assert first[-1].reasoning.answer == "right lung"
    assert loads(first)
    assert partial(first)
    assert {part.answer for part in partial(first)} == {""}
    assert ("device", "cpu") in first[-1].reasoning.details

    order = local_order(local, "left lung")
    second = local.send(order)
    local.until_written(second)
    count = len(second)
    local.client.cancel(order.job)
    local.until(lambda: not local.client._unacknowledged)
    assert len(second) == count

    third = local.send(local_order(local, "trachea"))
    local.loop.run_until(lambda: third and isinstance(third[-1], FINAL), 240)
    assert isinstance(third[-1], RunReport), third[-1]
    assert third[-1].reasoning.answer == "trachea"
    assert not loads(second)
    assert not loads(third)
    assert local.link.started == 1
    assert local.server.asked == []


def test_a_cascade_before_a_local_model_loads_it_only_when_it_is_asked(local: Panel) -> None:
    order = local_order(local, "the airy organ on the right side")
    cascade = replace(order, reasoner=PartChoice("cascade", {"vlm": "qwen", **order.reasoner.options}))
    sure = local.send(replace(cascade, text=SURE))
    local.until(lambda: sure and isinstance(sure[-1], FINAL))
    assert isinstance(sure[-1], RunReport)
    assert sure[-1].reasoning.reasoner == "cascade: lexical"
    assert not any("oading" in report.message for report in sure if isinstance(report, ProgressReport))
    unsure = local.send(replace(cascade, job=local.client.new_job()))
    local.loop.run_until(lambda: unsure and isinstance(unsure[-1], FINAL), 240)
    assert isinstance(unsure[-1], RunReport), unsure[-1]
    assert (unsure[-1].reasoning.answer, unsure[-1].reasoning.reasoner) == ("right lung", "cascade: qwen")
    assert any("asking qwen" in report.message for report in unsure if isinstance(report, ProgressReport))
