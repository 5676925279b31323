"""Every message survives the wire, and nothing else gets through it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SEERSegmentLib.errors import ServiceError
from SEERSegmentLib.values import Abstention, Evidence, Modality, Provenance, Reasoning, Stage, StageRecord
from SEERSegmentLib.worker import messages, wire
from SEERSegmentLib.worker.messages import (
    AbstentionReport,
    ArrayFile,
    CancelOrder,
    LogReport,
    PartChoice,
    ProbeOrder,
    ProgressReport,
    ReadyReport,
    RunOrder,
    VolumeFile,
)

KINDS = [*wire.ORDERS.values(), *wire.REPORTS.values()]

IDENTITY = ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
RUN = RunOrder(
    "job-1",
    VolumeFile(ArrayFile("v.npy", "<i2", (4, 5, 6)), IDENTITY, Modality.CT, "DICOM", metadata={"$": "odd name"}),
    "the liver",
    PartChoice("openai", {"key": "sk-very-secret"}),
    PartChoice("classical"),
)


# What a Mapping field holds is a dict once it has been read; another kind of Mapping would differ in its repr alone.
st.register_type_strategy(Mapping, st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))


def decode(line: bytes) -> Any:
    kind = json.loads(line)["$"]
    return wire.decode_order(line) if kind in wire.ORDERS else wire.decode_report(line)


def plain(message: Any) -> Any:
    return json.loads(wire.encode(message))


def as_line(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_every_message_is_an_order_or_a_report() -> None:
    parts = {"ArrayFile", "VolumeFile", "CroppedMask", "ViewPicture", "SegmentPiece", "PartChoice"}
    nested = {"PhrasingReport", "PartReport", "SegmentComparison"}
    public = {name for name in messages.__all__ if is_dataclass(getattr(messages, name))}
    assert public - parts - nested == wire.ORDERS.keys() | wire.REPORTS.keys()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=20)
def test_every_message_survives(kind: type, data: st.DataObject) -> None:
    message = data.draw(st.from_type(kind))
    line = wire.encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert line.isascii()
    # by repr, since a NaN is not equal to itself; it names every field of every value within
    assert repr(decode(line)) == repr(message)
    assert wire.encode(decode(line)) == line


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308])
def test_floats_that_json_has_no_word_for_survive(number: float) -> None:
    record = StageRecord(Stage.SEGMENT, "classical", seconds=number)
    report = ProgressReport("job-1", Stage.CHECK, number)
    assert repr(decode(wire.encode(report))) == repr(report)
    reasoning = Reasoning((Evidence("a", "b", (number, 1.0)),), (), "liver", "lexical")
    again = decode(wire.encode(replace(report, fraction=None, value=reasoning)))
    assert repr(again.value) == repr(reasoning)
    assert json.loads(wire.encode(report), parse_constant=pytest.fail)
    blocked = Abstention("blocked", "", "", provenance=Provenance("SEER", (record,)))
    assert repr(decode(wire.encode(AbstentionReport("job-1", blocked)))) == repr(AbstentionReport("job-1", blocked))


@pytest.mark.parametrize("text", ["\n", "\r\u2028\u2029\x00", "\ud800", "ä Ω 肝臓 🩻", '{"$": "CancelOrder"}'])
def test_text_of_any_kind_stays_on_its_line(text: str) -> None:
    line = wire.encode(LogReport(text))
    assert line.count(b"\n") == 1
    assert wire.decode_report(line) == LogReport(text)


def test_numbers_of_numpy_travel_as_plain_ones() -> None:
    report = ProgressReport("job-1", Stage.READ, np.float32(0.5))  # type: ignore[arg-type]
    assert wire.decode_report(wire.encode(report)) == ProgressReport("job-1", Stage.READ, 0.5)
    file = ArrayFile("v.npy", "<i2", (np.int64(1), np.int64(2)))  # type: ignore[arg-type]
    assert (
        type(decode(wire.encode(replace(RUN, volume=replace(RUN.volume, voxels=file)))).volume.voxels.shape[0]) is int
    )


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RUN, text=5),  # type: ignore[arg-type]
        replace(RUN, run_anyway=1),  # type: ignore[arg-type]
        replace(RUN, text=Modality.CT),
        replace(RUN, crop=((0, 1), (0, 1))),  # type: ignore[arg-type]
        replace(RUN, reasoner=PartChoice("x", {"a": 1})),  # type: ignore[dict-item]
        replace(RUN, volume=ArrayFile("v", "<i2", (1,))),  # type: ignore[arg-type]
        ReadyReport(True, "1", 5),
        ReadyReport(1, "1", 5.0),  # type: ignore[arg-type]
        ArrayFile("v", "<i2", (1,)),
        "text",
    ],
    ids=str,
)
def test_what_is_not_a_message_is_not_sent(wrong: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        wire.encode(wrong)
    assert caught.value.code == "wire-malformed"
    assert "secret" not in str(caught.value)


GARBAGE = [
    b"",
    b"hello",
    b"{}",
    b"[]",
    b"null",
    b"5",
    b'"CancelOrder"',
    b'{"$":"CancelOrder"}',
    b'{"$":["CancelOrder"],"job":"a"}',
    b'{"$":"CancelOrder","job":5}',
    b'{"$":"CancelOrder","job":null}',
    b'{"$":"CancelOrder","job":"a","more":1}',
    b'{"$":"CancelOrder","job":"a","job":"b"}',
    b'{"$":"ReadyReport","protocol":2,"version":"1","pid":1}',
    b'{"$":"os.system","job":"a"}',
    b'{"$":"ArrayFile","name":"a","dtype":"<i2","shape":[1]}',
    b'{"$":"CancelOrder","job":"a"}{"$":"CancelOrder","job":"a"}',
    '{"$":"CancelOrder","job":"ä"}'.encode(),
    b'{"$":"CancelOrder","job":"\xff"}',
    b'{"$":"CancelOrder","job":' + b"[" * 200_000,
    b'{"$":"CancelOrder","job":' + b"9" * 100_000 + b"}",
    b'{"$":"CancelOrder","job":NaN}',
    b'\xef\xbb\xbf{"$":"CancelOrder","job":"a"}',
    b'{"$":"CancelOrder","job":"' + b"a" * wire.MAX_LINE + b'"}',
]


@pytest.mark.parametrize("line", GARBAGE, ids=lambda line: repr(line[:40]))
def test_garbage_is_refused_by_its_code(line: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        wire.decode_order(line)
    assert caught.value.code == "wire-malformed"
    assert wire.protocol_of(line) in (None, 2)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(line: bytes) -> None:
    with pytest.raises(ServiceError):
        wire.decode_order(line)
    assert isinstance(wire.job_of(line), str)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("$"), inner, max_size=3),
    max_leaves=8,
)


@given(path=st.sampled_from(sorted(plain(RUN).keys() - {"$"})), value=JSON)
def test_a_field_of_another_kind_is_refused_or_was_of_this_kind(path: str, value: Any) -> None:
    """Whatever stands in a field, either the message is refused or it says just that."""
    changed = {**plain(RUN), path: value}
    try:
        order = wire.decode_order(as_line(changed))
    except ServiceError:
        return
    assert plain(order) == changed


def test_numbers_out_of_bounds_are_refused() -> None:
    good = plain(ProgressReport("job-1", Stage.READ, 0.5))
    for odd in ("1e999", "-1e999", '{"$float":"1"}', '{"$float":"nan","x":1}', '{"$float":["nan"]}', "true", '"0.5"'):
        line = json.dumps({**good, "fraction": "?"}).replace('"?"', odd).encode()
        with pytest.raises(ServiceError):
            wire.decode_report(line)


def test_an_enum_takes_its_own_values_only() -> None:
    for value in ("READ", "nonsense", 0, ["reading the volume"]):
        with pytest.raises(ServiceError):
            wire.decode_report(as_line({**plain(ProgressReport("job-1", Stage.READ)), "stage": value}))


def test_what_is_said_of_a_wrong_line_never_quotes_it() -> None:
    order = plain(ProbeOrder("job-1", PartChoice("openai", {"key": "sk-very-secret"})))
    order["reasoner"]["options"]["other"] = 7
    order["reasoner"]["options"]["sk-very-secret"] = 7
    with pytest.raises(ServiceError) as caught:
        wire.decode_order(as_line(order))
    assert "secret" not in f"{caught.value} {caught.value.detail}"
    assert "ProbeOrder.reasoner.options" in caught.value.detail


def test_a_line_that_is_wrong_still_names_its_job_and_protocol() -> None:
    assert wire.job_of(b'{"$":"RunReport","job":"job-7","views":1}') == "job-7"
    assert wire.job_of(b'{"$":"RunReport","job":7}') == ""
    assert wire.job_of(b"[1]") == ""
    assert wire.protocol_of(b'{"$":"ReadyReport","protocol":3,"from":"the future"}') == 3
    assert wire.protocol_of(wire.encode(ReadyReport(2, "0.1.0", 3))) == 2
    assert wire.protocol_of(wire.encode(CancelOrder("a"))) is None


def test_a_value_is_looked_at_a_bounded_number_of_times() -> None:
    """A long list of the last alternative of a union is not read once per alternative."""
    from SEERSegmentLib.values import Finding, Severity

    seen = 0

    class Counting(str):
        def __str__(self) -> str:
            nonlocal seen
            seen += 1
            return str.__str__(self)

    findings = tuple(Finding(Counting("code"), Severity.INFO, "message") for _ in range(500))
    wire.encode(ProgressReport("job-1", Stage.GROUND, 1.0, "", findings))
    assert seen == 500
