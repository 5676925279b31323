"""docs/worker.md names every message, and every file of the worker, and no others."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from pathlib import Path

from SEERSegmentLib.worker import client, jobs, messages, wire


def test_every_message_is_described(repository: Path) -> None:
    text = (repository / "docs/worker.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z]\w+?)`", text))
    known = {name for name in messages.__all__ if is_dataclass(getattr(messages, name))}
    assert known - named == set()
    assert {name for name in named if re.search(r"(Order|Report)$", name)} - known == set()


def test_every_file_is_described(repository: Path) -> None:
    text = (repository / "docs/worker.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+\.py)`", text))
    assert {path.name for path in Path(client.__file__).parent.glob("*.py")} - {"__init__.py"} == named


def test_numbers_are_those_of_the_code(repository: Path) -> None:
    text = " ".join((repository / "docs/worker.md").read_text(encoding="utf-8").split())
    assert f"at most {wire.MAX_LINE >> 20} MiB" in text
    assert f"after {client.START_LIMIT_MS // 1000} seconds without it" in text
    assert "within two seconds" in text
    assert client.CANCEL_GRACE_MS == 2000
    assert f"{jobs._PROGRESS_RATE:.0f} a second" in text


def test_every_order_has_its_last_report(repository: Path) -> None:
    text = (repository / "docs/worker.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+Order)` \| (.*) \|$", text, re.M))
    assert rows.keys() == wire.ORDERS.keys()
    final = {kind.__name__ for kind in client.FINAL}
    assert set(re.findall(r"`(\w+Report)`", " ".join(rows.values()))) == final - {"ErrorReport"}
