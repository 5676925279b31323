"""Where the local model runs, in which numbers, and what it is reckoned to need."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from SEERSegmentLib.errors import ReasonerError, UsageError
from SEERSegmentLib.reasoning.qwen import QwenVL, memory
from SEERSegmentLib.reasoning.qwen.device import attentions_to_try, choose_device, dtypes_to_try
from SEERSegmentLib.reasoning.qwen.headers import TensorInfo
from SEERSegmentLib.reasoning.qwen.memory import Load, check_fits, free_memory, prompt_bytes, weight_bytes

#: The sizes of Qwen3-VL-4B-Instruct.
REAL = {
    "text_config": {
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": 151936,
    },
    "vision_config": {"hidden_size": 1024, "intermediate_size": 4096},
}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("device", "gpu"),
        ("device", "cuda:first"),
        ("device", ""),
        ("dtype", "bf16"),
        ("dtype", "int8"),
        ("attention", "flash"),
    ],
)
def test_choices_that_can_not_be_meant(option: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        QwenVL("somewhere", **{option: value})  # type: ignore[arg-type]
    assert caught.value.code == "part-options"
    assert option in caught.value.user_message


@pytest.mark.parametrize(
    ("wanted", "cuda", "mps", "found"),
    [
        ("auto", 1, True, "cuda:0"),
        ("auto", 0, True, "mps"),
        ("auto", 0, False, "cpu"),
        ("cuda", 2, False, "cuda:0"),
        ("cuda:1", 2, False, "cuda:1"),
        ("cpu", 2, True, "cpu"),
        ("mps", 0, True, "mps"),
        ("cuda", 0, False, None),
        ("cuda:2", 2, False, None),
        ("mps", 1, False, None),
    ],
)
def test_devices(monkeypatch: pytest.MonkeyPatch, wanted: str, cuda: int, mps: bool, found: str | None) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra model-test")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    if found is not None:
        assert choose_device(wanted) == found
        return
    with pytest.raises(ReasonerError) as caught:
        choose_device(wanted)
    assert caught.value.code == "device-unavailable"
    assert wanted in caught.value.user_message


@pytest.mark.parametrize(
    ("device", "capability", "macos", "dtypes"),
    [
        ("cpu", (0, 0), False, ("float32", "bfloat16")),
        ("cuda:0", (7, 5), False, ("float16",)),
        ("cuda:0", (8, 0), False, ("bfloat16",)),
        ("cuda:0", (12, 0), False, ("bfloat16",)),
        ("mps", (0, 0), True, ("bfloat16",)),
        ("mps", (0, 0), False, ("float16",)),
    ],
)
def test_numbers(
    monkeypatch: pytest.MonkeyPatch, device: str, capability: tuple[int, int], macos: bool, dtypes: tuple[str, ...]
) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra model-test")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda *_: macos)
    assert dtypes_to_try("auto", device) == dtypes
    assert dtypes_to_try("float32", device) == ("float32",)


@pytest.mark.parametrize(
    ("wanted", "device", "dtype", "installed", "tried", "noted"),
    [
        ("auto", "cuda:0", "bfloat16", True, ("flash_attention_2", "sdpa", "eager"), ""),
        ("auto", "cuda:0", "bfloat16", False, ("sdpa", "eager"), ""),
        ("auto", "cuda:0", "float32", True, ("sdpa", "eager"), ""),
        ("auto", "cpu", "float32", True, ("sdpa", "eager"), ""),
        ("flash_attention_2", "cuda:0", "bfloat16", False, ("sdpa", "eager"), "not installed"),
        ("flash_attention_2", "cuda:0", "float32", True, ("sdpa", "eager"), "16 bits"),
        ("flash_attention_2", "mps", "float16", True, ("sdpa", "eager"), "no cuda device"),
        ("sdpa", "cuda:0", "bfloat16", True, ("sdpa", "eager"), ""),
        ("eager", "cuda:0", "bfloat16", True, ("eager",), ""),
    ],
)
def test_attention(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    device: str,
    dtype: str,
    installed: bool,
    tried: tuple[str, ...],
    noted: str,
) -> None:
    """A choice by name that can't be met is told; "auto" has nothing to explain."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if installed else None)
    found, notes = attentions_to_try(wanted, device, dtype)
    assert found == tried
    assert bool(notes) == bool(noted)
    assert noted in " ".join(notes)


def test_weights_are_counted_in_the_numbers_they_will_have() -> None:
    tensors = [TensorInfo("BF16", (10, 20)), TensorInfo("F32", (5,)), TensorInfo("I64", (3,))]
    assert weight_bytes(tensors, 4) == 205 * 4 + 3 * 8
    assert weight_bytes(tensors, 2) == 205 * 2 + 3 * 8


def test_keys_and_values_of_the_real_model() -> None:
    """2 · 36 layers · 8 key heads · 128 · 2 bytes = 147,456 bytes for each token more, whatever else is needed."""
    shorter, longer = (prompt_bytes(REAL, Load((2000,), 2000, 6272, reply), 2, eager=False) for reply in (100, 200))
    assert longer - shorter == 100 * 147_456


def test_a_batch_needs_room_for_each_prompt() -> None:
    alone = prompt_bytes(REAL, Load((2000,), 2000, 6272, 256), 2, eager=False)
    eight = prompt_bytes(REAL, Load((2000,) * 8, 1980, 6272, 256), 2, eager=False)
    assert eight - alone == pytest.approx(7 * 2256 * 147_456 + 1980 * 147_456, rel=0.01)


def test_attention_with_all_its_scores_needs_more() -> None:
    load = Load((5000,), 5000, 0, 256)
    assert prompt_bytes(REAL, load, 2, eager=True) - prompt_bytes(REAL, load, 2, eager=False) == 32 * 5000**2 * 6


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_what_does_not_fit_is_said_in_gigabytes(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: 8_000_000_000)
    check_fits(8_000_000_000, device, "The model")
    with pytest.raises(ReasonerError) as caught:
        check_fits(11_100_000_000, device, "The model")
    assert caught.value.code == "memory-too-small"
    assert "11.1 GB" in caught.value.user_message
    assert "8.0 GB" in caught.value.user_message


def test_where_nothing_is_known_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _: None)
    check_fits(10**15, "cpu", "The model")


@pytest.mark.parametrize("without", ["nothing", "psutil"])
def test_free_memory_of_this_computer(monkeypatch: pytest.MonkeyPatch, without: str) -> None:
    """With psutil and, the same within what changes meanwhile, without it."""
    psutil = pytest.importorskip("psutil")
    known = psutil.virtual_memory()
    if without == "psutil":
        monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr(memory, "_GROUP", Path("nowhere"))
    free = free_memory("cpu")
    assert free is not None
    assert free == pytest.approx(known.available, abs=0.25 * known.total)


@pytest.mark.parametrize(
    ("limit", "used", "reclaimable", "free"),
    [("8000", "5000", "1000", 4000), ("max", "5000", "1000", None), ("8000", "8000", "0", 0)],
)
def test_a_container_s_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, used: str, reclaimable: str, free: int | None
) -> None:
    (tmp_path / "memory.max").write_text(limit + "\n", encoding="ascii")
    (tmp_path / "memory.current").write_text(used + "\n", encoding="ascii")
    (tmp_path / "memory.stat").write_text(f"anon 1\ninactive_file {reclaimable}\nactive_file 7\n", encoding="ascii")
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    found = free_memory("cpu")
    assert found == free if free is not None else found is None or found > 10**6
