"""What leaves the machine, and where a key is kept; with reasoners that a test rigged, in the real worker process."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from .conftest import Panel

LoadVolume = Callable[[str], Any]
Opened = Callable[[], Panel]

KEY = "sk-not-for-the-disk-4711"

_PARTS = '''
from pathlib import Path
from SEERSegmentLib.protocols import Readiness, ReasonerInfo
from SEERSegmentLib.values import Evidence, Reasoning

class Sender:
    """Pretends to send snapshots: it notes that it was asked."""
    info = ReasonerInfo("sender", "1", "For tests.", offline=False, needs=("network",))
    def __init__(self, **options): pass
    def readiness(self): return Readiness(True)
    def reason(self, case, emit, cancel):
        with Path(r"{log}").open("a") as log:
            log.write(f"sent {{len(case.views)}}\\n")
        return Reasoning((Evidence("seen", "Two lungs."),), ("Told by the server.",), "right lung", "sender")

class Fickle:
    """Lets the wording decide."""
    info = ReasonerInfo("fickle", "1", "For tests.")
    def __init__(self, **options): pass
    def readiness(self): return Readiness(True)
    def reason(self, case, emit, cancel):
        side = "trachea" if len(case.request.text) % 2 else "left lung and right lung"
        return Reasoning((), ("By the number of letters.",), side, "fickle")
'''


@pytest.fixture
def rigged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two reasoners of a third party that every worker of this test sees; the file where one notes that it sent."""
    folder, log = tmp_path / "parts", tmp_path / "sent.txt"
    about = folder / "panel_parts-1.0.dist-info"
    about.mkdir(parents=True)
    (folder / "panel_parts.py").write_text(_PARTS.format(log=log), encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: panel-parts\nVersion: 1.0\n", encoding="utf-8")
    lines = ("[seer.reasoners]", "sender = panel_parts:Sender", "fickle = panel_parts:Fickle", "")
    (about / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return log


def choose_reasoner(panel: Panel, name: str) -> None:
    panel.find("settingsSection").setProperty("collapsed", False)
    panel.wait_until(lambda: panel.has(f"reasoner_{name}"), 30, "the list of parts")
    panel.settle()
    panel.click(f"reasoner_{name}")
    panel.find("settingsSection").setProperty("collapsed", True)


def card_text(panel: Panel) -> str:
    """All that the question says."""
    return "\n".join(label.text() for label in panel.find("consentCard").findChildren(QLabel))


def expand(panel: Panel, group: str = "remoteGroup") -> None:
    """Open the settings, and a group of theirs."""
    panel.find("settingsSection").setProperty("collapsed", False)
    panel.settle()
    panel.find(group).setProperty("collapsed", False)
    panel.settle()


def begin(panel: Panel) -> None:
    panel.type_text("requestEdit", "outline the right lung")
    panel.click("runButton")
    panel.wait_for_phase("awaiting consent")
    panel.settle()


def test_consent_is_asked_before_anything_is_sent(panel: Opened, load_volume: LoadVolume, rigged: Path) -> None:
    load_volume("ct-chest")
    opened = panel()
    choose_reasoner(opened, "sender")
    begin(opened)
    assert opened.has("consentCard")
    said = card_text(opened)
    for words in ("snapshots", "as typed", "burned into the image"):
        assert words in said
    assert opened.find("runButton").text() == "Cancel"
    opened.click("consentDenyButton")
    assert not opened.state.phase.busy
    assert not opened.has("consentCard")
    assert not rigged.exists()

    begin(opened)
    opened.click("consentOnceButton")
    opened.wait_for_phase("done")
    assert rigged.read_text() == f"sent {len(opened.state.views)}\n"

    begin(opened)  # once was once
    opened.click("consentAlwaysButton")
    opened.wait_for_phase("done")
    opened.settle()
    opened.click("runButton")
    opened.wait_for_phase("done")
    assert len(rigged.read_text().splitlines()) == 3

    opened.find("settingsSection").setProperty("collapsed", False)
    opened.settle()
    assert "sender" in opened.find("consentsLabel").text()
    opened.click("forgetConsentsButton")
    opened.settle()
    assert "Nothing, unless you allow it" in opened.find("consentsLabel").text()
    begin(opened)
    opened.click("runButton")  # Cancel
    assert opened.state.phase.value == "cancelled"
    assert len(rigged.read_text().splitlines()) == 3


def test_a_reasoner_that_lets_the_wording_decide_is_shown(
    panel: Opened, load_volume: LoadVolume, rigged: Path, slicer: Any
) -> None:
    load_volume("ct-chest")
    opened = panel()
    choose_reasoner(opened, "fickle")
    opened.type_text("requestEdit", "outline both lungs")
    opened.find("phrasingSection").setProperty("collapsed", False)
    opened.find("phrasingCountSpinBox").setValue(6)
    opened.settle()
    opened.click("checkPhrasingButton")
    opened.wait_for_phase("done", "failed")
    opened.settle()
    agreement = opened.state.agreement
    assert agreement is not None
    assert {one.answer for one in agreement.phrasings} == {"trachea", "left lung and right lung"}
    assert agreement.worst < 0.1
    assert "The wording decides" in opened.find("agreementLabel").text()
    map_node = slicer.mrmlScene.GetNodeByID(opened.state.agreement_volume_id)
    values = slicer.util.arrayFromVolume(map_node)
    assert 0.0 < values.max() < 1.0


def settings_text(slicer: Any) -> str:
    import qt

    qt.QSettings().sync()
    path = Path(slicer.app.slicerUserSettingsFilePath)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def test_a_key_is_not_written_unless_asked(panel: Opened, slicer: Any) -> None:
    opened = panel()
    expand(opened)
    opened.type_text("remoteUrlEdit", "http://127.0.0.1:9/v1")
    opened.type_text("remoteKeyEdit", KEY)
    assert opened.find("remoteKeyEdit").echoMode() == opened.find("remoteKeyEdit").EchoMode.Password
    assert "127.0.0.1" in settings_text(slicer)
    assert KEY not in settings_text(slicer)
    opened.click("rememberKeyBox")
    opened.settle()
    assert opened.has("rememberKeyWarning")
    assert KEY in settings_text(slicer)
    opened.click("rememberKeyBox")
    assert KEY not in settings_text(slicer)


class _Models(http.server.BaseHTTPRequestHandler):
    seen: list[tuple[str, str]] = []  # noqa: RUF012 - of the one server of a test

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        body = json.dumps({"data": [{"id": "seer-4b"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    _Models.seen.clear()
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Models)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}/v1"
    made.shutdown()
    thread.join()
    made.server_close()


def test_connection_test_sends_the_key_and_nothing_else(server: str, panel: Opened) -> None:
    opened = panel()
    expand(opened)
    opened.type_text("remoteUrlEdit", server)
    opened.type_text("remoteKeyEdit", KEY)
    opened.click("testConnectionButton")
    opened.wait_until(lambda: opened.state.probe is not None, 30, "an answer")
    opened.settle()
    assert opened.state.probe.ok, opened.state.probe.message
    assert "seer-4b" in opened.find("probeLabel").text()
    assert _Models.seen == [("/v1/models", f"Bearer {KEY}")]
    assert opened.widget.panel.preferences.get("reasonerKind") == "embedded"
    assert not any(KEY in line for line in opened.state.log)


def test_connection_that_fails_says_so(panel: Opened) -> None:
    opened = panel()
    expand(opened)
    opened.type_text("remoteUrlEdit", "http://127.0.0.1:9/v1")
    opened.click("testConnectionButton")
    opened.wait_until(lambda: opened.state.probe is not None, 30, "an answer")
    opened.settle()
    assert not opened.state.probe.ok
    assert opened.find("probeLabel").text()
