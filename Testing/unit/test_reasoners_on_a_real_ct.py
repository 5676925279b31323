"""The whole way on a real CT, from the words to the files, with real model classes: at hand, and behind a real server.

The model is tiny and was trained by the test (see ``Testing/tiny_qwen.py``): what it sees is not what decides its
answer. What is proven here is the way: pictures and words go in as the real weights get them, and what comes back is
read, checked, executed and written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="needs the extra model-test")
pytest.importorskip("peft", reason="needs the extra model-test")

import slicerio

from SEERSegmentLib.cli import main
from SEERSegmentLib.reasoning import parse_reply
from Testing.served_model import served
from Testing.tiny_qwen import REPLIES, tiny_adapter, tiny_qwen


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """`transformers serve` with the model alone: it takes no adapters."""
    with served(tiny_qwen()) as url:
        yield url


@pytest.fixture
def segment(
    sample: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, Any]]:
    """Runs ``seer segment`` on the CT; what it prints as JSON, and the segments of the file, by name."""

    def run(request: str, *options: str, code: int = 0) -> dict[str, Any]:
        out, report = tmp_path / "out.seg.nrrd", tmp_path / "out.html"
        words = ["segment", str(sample("example-ct")), request, "-o", str(out), "--report", str(report), "--json"]
        assert main([*words, "--overwrite", "--quiet", *options]) == code
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        if code == 0:
            printed["written"] = [one["name"] for one in slicerio.read_segmentation(str(out))["segments"]]
            printed["report"] = report.read_text(encoding="utf-8")
        return printed

    return run


def used(printed: dict[str, Any]) -> dict[str, str]:
    """What the reasoning stage says it used."""
    (record,) = (one for one in printed["provenance"]["records"] if one["stage"] == "reasoning")
    return dict(record["details"])


def test_a_model_at_hand(segment: Callable[..., dict[str, Any]]) -> None:
    printed = segment("right lung", "--reasoner", f"qwen:{tiny_qwen()}")
    assert printed["written"] == ["right lung"]
    assert printed["segments"][0]["volume_ml"] > 50
    learned = parse_reply(REPLIES["right lung"])
    assert printed["evidence"][0]["text"] == learned.evidence[0].text
    assert printed["evidence"][0]["source"].startswith("axial ")
    assert learned.rationale[0] in printed["report"]
    assert used(printed)["model"] == str(tiny_qwen())
    assert used(printed)["template"].startswith("seer 1 (")
    assert len(used(printed)["prompt sha256"]) == 64


def test_an_adapter_on_it_changes_what_is_read(segment: Callable[..., dict[str, Any]]) -> None:
    plain = segment("skeleton", "--reasoner", f"qwen:{tiny_qwen()}", "--preset", "seer-v1")
    assert plain["answer"] == "skeleton"
    tuned = segment("skeleton", "--reasoner", f"qwen:{tiny_qwen()}@{tiny_adapter()}", code=6)
    assert tuned["error"]["code"] == "target-unsupported"  # the embedded backbone has no spine; the adapter asks for it
    assert "spine" in tuned["error"]["message"]


def test_a_model_behind_a_server(server: str, segment: Callable[..., dict[str, Any]]) -> None:
    spec = f"openai:{server}#{tiny_qwen()}"
    printed = segment("trachea", "--reasoner", spec, "--send", "snapshots")
    assert printed["written"] == ["trachea"]
    assert used(printed)["server"] == server.removeprefix("http://").removesuffix("/v1")
    assert parse_reply(REPLIES["trachea"]).rationale[0] in printed["report"]


def test_nothing_goes_to_a_server_unasked(server: str, segment: Callable[..., dict[str, Any]]) -> None:
    spec = f"openai:{server}#{tiny_qwen()}"
    refused = segment("trachea", "--reasoner", spec, code=7)
    assert refused["error"]["code"] == "consent-missing"


def test_what_would_go_can_be_seen(
    server: str, segment: Callable[..., dict[str, Any]], sample: Any, capsys: Any
) -> None:
    words = ["segment", str(sample("example-ct")), "Mr Smith: trachea", "-o", "never-written.seg.nrrd", "--quiet"]
    assert main([*words, "--reasoner", f"openai:{server}#m", "--show-payload"]) == 0
    shown = capsys.readouterr().out
    assert "nothing was sent" in shown
    assert "trachea</raw_prompt>" in shown
    assert "Smith" not in shown
    assert not Path("never-written.seg.nrrd").exists()


def test_the_cascade_asks_the_model_where_the_tables_are_unsure(
    server: str, segment: Callable[..., dict[str, Any]]
) -> None:
    spec = f"cascade:openai:{server}#{tiny_qwen()}"
    plain = segment("outline the left lung", "--reasoner", spec, "--send", "snapshots")
    assert plain["reasoner"] == "cascade: lexical"
    assert plain["written"] == ["left lung"]
    unsure = segment("the airy organ on the right side", "--reasoner", spec, "--send", "snapshots")
    assert unsure["reasoner"] == "cascade: openai"
    assert unsure["written"] == ["right lung"]
    assert {finding["code"] for finding in unsure["findings"]} & {
        "readers-agree",
        "tables-abstained",
        "readers-disagree",
    }


@pytest.mark.parametrize("where", ["at hand", "behind a server"])
def test_key_slice_and_boxes(where: str, server: str, segment: Callable[..., dict[str, Any]]) -> None:
    spec = f"qwen:{tiny_qwen()}" if where == "at hand" else f"openai:{server}#{tiny_qwen()}"
    printed = segment("right lung", "--reasoner", f"medvol:{spec}", "--send", "snapshots")
    assert printed["written"] == ["right lung"]
    assert "@k" in printed["answer"]
    assert printed["segments"][0]["voxels"] > 1000
    assert "not by MedSAM2" in " ".join(finding["message"] for finding in printed["findings"])


def test_rephrasings_are_asked_together(segment: Callable[..., dict[str, Any]]) -> None:
    printed = segment("right lung", "--reasoner", f"qwen:{tiny_qwen()}", "--reasoner-option", "rephrasings=7")
    assert used(printed)["wordings"] == "8"
    assert printed["answer"] == "right lung"
    assert {finding["code"] for finding in printed["findings"]} & {"wordings-agree", "wordings-differ"}


def test_a_request_that_names_nothing_ends_in_a_question(segment: Callable[..., dict[str, Any]]) -> None:
    printed = segment("hello there", "--reasoner", f"qwen:{tiny_qwen()}", code=3)
    assert printed["status"] == "abstained"
    assert printed["question"]
