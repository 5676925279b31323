"""The table of preferences, the parts they name, the history, the log, and what the presenter may import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.episodes import default_folder
from SEERSegmentLib.presenter.board import MAX_LOG
from SEERSegmentLib.presenter.choices import (
    REASONER_KINDS,
    backbone_choice,
    is_hub_name,
    reasoner_choice,
    server_choice,
)
from SEERSegmentLib.presenter.history import MAX_HISTORY, remembered
from SEERSegmentLib.presenter.preferences import (
    DEFAULTS,
    TABLE,
    PreferenceTable,
    default_episode_folder,
    episode_folder,
)
from SEERSegmentLib.presenter.seams import Inputs
from SEERSegmentLib.registry import BACKBONES, REASONERS, make_reasoner
from SEERSegmentLib.worker.messages import PartChoice
from Testing.presenter_world import Store, World

#: One value of each preference that is not its default.
OTHERS: dict[str, Any] = {
    "reasonerKind": "remote",
    "tablesFirst": True,
    "localModel": "/models/Größe",
    "localRevision": "f" * 40,
    "localAdapter": "/models/adapter",
    "adapterRevision": "0" * 40,
    "download": True,
    "remoteUrl": "http://localhost:8000/v1",
    "remoteModel": "big",
    "remoteKey": "sk-123",
    "rememberKey": True,
    "identifiers": "refuse",
    "template": "official-v1.0",
    "officialCheckout": "/SEER",
    "templateFile": "/words.json",
    "rephrasings": 16,
    "medvolModel": "remote",
    "medvolScale": "pixels",
    "medvolNumbering": "source",
    "backbone": "reference",
    "referenceLabels": "labels.nii.gz",
    "preset": "seer-v1",
    "device": "cuda:1",
    "overlap": "empty-only",
    "phrasings": 3,
    "seed": 12,
    "idleMinutes": 1,
    "episodeFolder": "~/episodes",
    "history": ["the liver", "die Niere, rechts"],
    "consents": {"http://localhost": ["snapshots", "volume"]},
    "lightPackagesAsked": True,
}


def test_every_preference_has_a_default_that_it_may_have_and_says_what_it_is() -> None:
    assert len(TABLE) == len(DEFAULTS) == len(OTHERS)
    for row in TABLE:
        assert row.read(row.default) == row.default
        assert row.doc.endswith(".")


def test_every_preference_survives_a_restart_that_makes_all_values_text() -> None:
    store = Store()
    before = PreferenceTable(store)
    before.set("rememberKey", True)
    for name, value in OTHERS.items():
        before.set(name, value)
        assert before.get(name) == value
    assert all(type(value) is str for value in store.values())
    after = PreferenceTable(store)
    assert {name: after.get(name) for name in DEFAULTS} == OTHERS


def test_defaults_are_given_as_copies() -> None:
    table = PreferenceTable(Store())
    table.get("history").append("the liver")
    table.get("consents")["far"] = ["volume"]
    assert {name: table.get(name) for name in DEFAULTS} == dict(DEFAULTS)
    assert DEFAULTS["history"] == []


@given(
    st.sampled_from(sorted(DEFAULTS)),
    st.one_of(
        st.text(),
        st.integers(),
        st.just(10**400),
        st.floats(),
        st.booleans(),
        st.binary(),
        st.lists(st.integers()),
        st.dictionaries(st.integers(), st.text()),
        st.sampled_from(["[1]", '{"a": 1}', '{"a": ["b"], "c": [1]}', "[" * 100_000, "9" * 5000, "1e400", "nan"]),
    ),
)
def test_a_damaged_value_falls_back_to_its_default_with_a_line(name: str, value: Any) -> None:
    lines: list[str] = []
    store = Store({name: value})
    got = PreferenceTable(store, lines.append).get(name)
    assert type(got) is type(DEFAULTS[name])
    if lines:
        assert got == DEFAULTS[name]
        assert all(name in line for line in lines)


@pytest.mark.parametrize(
    ("name", "value"), [("phrasings", "umpteen"), ("phrasings", 0), ("preset", "seer-v9"), ("history", "the liver")]
)
def test_a_value_that_it_cannot_have_is_logged_without_being_repeated(name: str, value: Any) -> None:
    lines: list[str] = []
    assert PreferenceTable(Store({name: value}), lines.append).get(name) == DEFAULTS[name]
    assert len(lines) == 1
    assert str(value) not in lines[0].replace("0 to", "")
    with pytest.raises(ValueError, match="not "):
        PreferenceTable(Store()).set(name, value)


def test_an_unknown_preference_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        PreferenceTable(Store()).get("colour")
    with pytest.raises(KeyError):
        PreferenceTable(Store()).set("colour", "red")


def test_a_key_is_written_only_when_asked_to() -> None:
    store = Store()
    table = PreferenceTable(store)
    table.set("remoteKey", "sk-123")
    assert table.get("remoteKey") == "sk-123"
    assert "sk-123" not in repr(dict(store))
    assert PreferenceTable(store).get("remoteKey") == ""
    table.set("rememberKey", True)
    assert PreferenceTable(store).get("remoteKey") == "sk-123"
    table.set("remoteKey", "sk-456")
    assert PreferenceTable(store).get("remoteKey") == "sk-456"
    again = PreferenceTable(store)
    again.set("rememberKey", False)
    assert "sk-" not in repr(dict(store))
    assert again.get("remoteKey") == "sk-456"  # until the application ends
    again.set("remoteKey", "")
    again.set("rememberKey", True)
    assert PreferenceTable(store).get("remoteKey") == ""


def test_a_key_that_lies_in_the_settings_is_not_used_unless_it_is_to_be_remembered() -> None:
    assert PreferenceTable(Store(remoteKey="sk-123")).get("remoteKey") == ""


def _preferences(**values: Any) -> PreferenceTable:
    table = PreferenceTable(Store())
    for name, value in values.items():
        table.set(name, value)
    return table


URL = {"remoteUrl": " http://localhost/v1 ", "remoteModel": "", "remoteKey": " sk-1 "}
FOLDER = {"localModel": "/m", "device": "cpu"}
AT_URL = {"url": "http://localhost/v1", "key": "sk-1", "identifiers": "mask"}
OWN_WORDS = {"template": "seer"}
MEDVOL = {"scale": "relative-1000", "numbering": "shown"}
COMMIT = "0123456789" * 4


@pytest.mark.parametrize(
    ("values", "choice"),
    [
        ({}, PartChoice("lexical")),
        ({"reasonerKind": "third-party", **URL}, PartChoice("third-party")),
        ({"reasonerKind": "local", **FOLDER}, PartChoice("qwen", {"model": "/m", "device": "cpu", **OWN_WORDS})),
        ({"reasonerKind": "remote", **URL}, PartChoice("openai", {**AT_URL, **OWN_WORDS})),
        (
            {"reasonerKind": "remote", "identifiers": "send", "rephrasings": 4, **URL},
            PartChoice("openai", {**AT_URL, "identifiers": "send", "rephrasings": "4", **OWN_WORDS}),
        ),
        (
            {"reasonerKind": "remote", "tablesFirst": True, **URL},
            PartChoice("cascade", {"vlm": "openai", **AT_URL, **OWN_WORDS}),
        ),
        (
            {"reasonerKind": "local", "tablesFirst": True, "localAdapter": "/a", **FOLDER},
            PartChoice("cascade", {"vlm": "qwen", "model": "/m", "adapter": "/a", "device": "cpu", **OWN_WORDS}),
        ),
        (
            {"reasonerKind": "medvol", "tablesFirst": True, "rephrasings": 4, **FOLDER},
            PartChoice("medvol", {"vlm": "qwen", "model": "/m", "device": "cpu", **MEDVOL}),
        ),
        (
            {"reasonerKind": "medvol", "medvolModel": "remote", "medvolScale": "pixels", **URL},
            PartChoice("medvol", {"vlm": "openai", **AT_URL, **MEDVOL, "scale": "pixels"}),
        ),
        (
            {"reasonerKind": "local", "template": "official", "officialCheckout": "/SEER", **FOLDER},
            PartChoice("qwen", {"model": "/m", "device": "cpu", "template": "official", "checkout": "/SEER"}),
        ),
        (
            {"reasonerKind": "local", "template": "custom", "templateFile": "/w.json", **FOLDER},
            PartChoice("qwen", {"model": "/m", "device": "cpu", "template": "custom", "checkout": "/w.json"}),
        ),
    ],
    ids=lambda value: "-".join(map(str, value.values()))[:40] if isinstance(value, dict) else value.name,
)
def test_preferences_name_the_reasoner_of_a_run(values: dict[str, Any], choice: PartChoice) -> None:
    made = reasoner_choice(_preferences(**values))
    assert made == choice
    assert all(type(value) is str for value in made.options.values())


def test_a_commit_is_given_only_for_what_the_hub_has() -> None:
    hub = _preferences(
        reasonerKind="local",
        localModel="Qwen/Qwen3-VL-4B-Instruct",
        localRevision=COMMIT,
        localAdapter="Ztrura/SEER/v1.1",
        adapterRevision=COMMIT[::-1],
        download=True,
    )
    options = reasoner_choice(hub).options
    assert (options["revision"], options["adapter_revision"], options["download"]) == (COMMIT, COMMIT[::-1], "yes")
    hub.set("localModel", "/models/qwen")
    hub.set("localAdapter", "")
    assert reasoner_choice(hub).options.keys() == {"model", "device", "template"}


@pytest.mark.parametrize(
    ("text", "is_name"),
    [
        ("Qwen/Qwen3-VL-4B-Instruct", True),
        ("Ztrura/SEER/v1.1", True),
        ("", False),
        ("/models/qwen", False),
        ("~/models", False),
        ("C:\\models\\qwen", False),
        ("../models", False),
        ("models", False),
        ("./a/b", False),
    ],
)
def test_a_name_of_the_hub_is_told_from_a_folder(
    text: str, is_name: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_hub_name(text) is is_name
    if is_name:
        (tmp_path / text).mkdir(parents=True)
        assert not is_hub_name(text)


def test_a_connection_is_tested_with_no_more_than_it_takes() -> None:
    values = {"reasonerKind": "medvol", "identifiers": "send", "rephrasings": 3, **URL}
    assert server_choice(_preferences(**values)) == PartChoice("openai", {"url": "http://localhost/v1", "key": "sk-1"})


def test_options_are_those_that_the_reasoners_take() -> None:
    """What the settings make is taken as it is by the parts themselves: they refuse what they don't know."""
    local = {"reasonerKind": "local", "localAdapter": "o/a", "adapterRevision": COMMIT, "download": True, **FOLDER}
    for values in (
        {**local, "rephrasings": 2},
        {**local, "tablesFirst": True},
        {**local, "reasonerKind": "medvol"},
        {"reasonerKind": "remote", **URL},
        {"reasonerKind": "medvol", "medvolModel": "remote", **URL},
    ):
        choice = reasoner_choice(_preferences(**values))
        assert make_reasoner(choice.name, **choice.options).info.name == choice.name


def test_preferences_name_the_backbone_of_a_run() -> None:
    assert backbone_choice(_preferences(referenceLabels="labels.nrrd")) == PartChoice("classical")
    reference = _preferences(backbone="reference", referenceLabels="labels.nrrd")
    assert backbone_choice(reference) == PartChoice("reference", {"labelmap": "labels.nrrd"})


def test_views_that_were_stored_before_there_was_a_choice_of_the_best_stay_valid() -> None:
    for stored in ("multi-view", "seer-v1", "auto"):
        assert PreferenceTable(Store(preset=stored)).get("preset") == stored
    assert PreferenceTable(Store()).get("preset") == "auto"


def test_what_is_chosen_by_default_is_in_the_registry() -> None:
    assert REASONER_KINDS[DEFAULTS["reasonerKind"]] in REASONERS
    assert DEFAULTS["backbone"] in BACKBONES


def test_episodes_go_to_the_chosen_folder_or_to_the_one_of_the_store(tmp_path: Path) -> None:
    assert episode_folder(_preferences(episodeFolder=str(tmp_path))) == str(tmp_path)
    assert episode_folder(_preferences(episodeFolder="~/x")) == str(Path.home() / "x")
    assert episode_folder(_preferences()) == default_episode_folder() == str(default_folder())


@given(st.lists(st.text(max_size=5)), st.text(max_size=5))
def test_the_history_is_short_and_newest_first_without_duplicates(history: list[str], text: str) -> None:
    entries = remembered(history, text)
    assert len(entries) == len(set(entries)) <= MAX_HISTORY
    assert all(entry.strip() == entry != "" for entry in entries)
    if text.strip():
        assert entries[0] == text.strip()
    assert remembered(entries) == entries


def test_the_history_is_kept_between_sessions() -> None:
    world = World()
    for text in ("one", "two", "one"):
        world.complete_run(text)
    world.send_run("x" * 5_000)  # a report pasted by mistake is run, but not kept
    assert world.state.history == ("one", "two")
    assert json.loads(world.store["history"]) == ["one", "two"]
    again = World(history=[f"request {n}" for n in range(60)])
    assert again.state.history[0] == "request 0"
    assert len(again.state.history) == MAX_HISTORY


def test_the_log_is_bounded_and_says_a_thing_once() -> None:
    world = World()
    for number in range(MAX_LOG + 10):
        world.presenter.log(f"line {number}\n")
        world.presenter.log(f"line {number}")
    assert world.state.log == tuple(f"line {number}" for number in range(10, MAX_LOG + 10))
    world.presenter.log("x" * 10_000)
    assert len(world.state.log[-1]) == 2_000
    told = len(world.told)
    world.presenter.log(" \n")
    assert len(world.told) == told


def test_the_time_that_the_user_takes_to_answer_is_not_the_run_s() -> None:
    world = World(backbone="far")
    world.know_parts()
    world.presenter.run("the liver", Inputs("volume"))
    world.timers.seconds = 100.0
    world.presenter.answer_consent(True)
    assert world.state.started == 100.0


def test_the_presenter_needs_neither_qt_nor_slicer_nor_a_thread() -> None:
    code = (
        "import sys, json, threading\n"
        "import SEERSegmentLib.presenter.presenter\n"
        "print(json.dumps([sorted({m.split('.')[0] for m in sys.modules}), threading.active_count()]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, threads = json.loads(done.stdout)
    assert threads == 1
    assert not {"qt", "PySide6", "slicer", "vtk", "scipy", "SimpleITK", "requests", "PIL", "pydicom"} & set(modules)
