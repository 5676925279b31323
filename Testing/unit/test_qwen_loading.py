"""From a folder to a model that answers: layouts, adapters, memory, device and attention, and no network."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the extra model-test")
pytest.importorskip("transformers", reason="needs the extra model-test")
pytest.importorskip("peft", reason="needs the extra model-test")

import torch

from SEERSegmentLib.errors import ReasonerError
from SEERSegmentLib.reasoning.qwen import QwenVL, memory
from Testing.qwen_parts import ask, copy_of, loaded, one_thread, prompt
from Testing.tiny_qwen import ADAPTED, REPLIES, tiny_adapter, tiny_qwen


@pytest.fixture(scope="module", autouse=True)
def threads() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def model() -> QwenVL:
    return QwenVL(str(tiny_qwen()), device="cpu")


class TestLayouts:
    """v1.1, an adapter beside its base; v1.0, whole weights in one file or several; the hub's cache."""

    def test_an_adapter_from_the_disk_changes_the_reply(self, model: QwenVL) -> None:
        adapted = QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu")
        prompts = [prompt("skeleton"), prompt("right lung")]
        assert ask(model, *prompts) == [REPLIES["skeleton"], REPLIES["right lung"]]
        assert ask(adapted, *prompts) == [ADAPTED["skeleton"], REPLIES["right lung"]]
        told = dict(adapted.details())
        assert told["adapter"] == str(tiny_adapter())
        assert (told["device"], told["dtype"], told["attention"]) == ("cpu", "float32", "sdpa")
        assert "peft" in told["software"]

    def test_an_adapter_of_another_base_is_noted(self, tmp_path: Path) -> None:
        folder = copy_of(tiny_adapter(), tmp_path / "adapter")
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        config["base_model_name_or_path"] = "Qwen/Qwen3-VL-4B-Instruct"
        (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
        adapted = QwenVL(str(tiny_qwen()), str(folder), device="cpu")
        assert ask(adapted, prompt("skeleton")) == [ADAPTED["skeleton"]]
        assert dict(adapted.details())["adapter made for"] == "Qwen/Qwen3-VL-4B-Instruct"

    def test_shards(self, tmp_path: Path) -> None:
        from transformers import Qwen3VLForConditionalGeneration

        folder = copy_of(tiny_qwen(), tmp_path / "checkpoint-4099")
        whole = Qwen3VLForConditionalGeneration.from_pretrained(str(folder), dtype=torch.float32)
        (folder / "model.safetensors").unlink()
        whole.save_pretrained(folder, max_shard_size="300KB")
        assert len(list(folder.glob("model-*.safetensors"))) > 2
        assert ask(QwenVL(str(tmp_path), device="cpu"), prompt("trachea")) == [REPLIES["trachea"]]

    def test_the_hub_s_cache_at_a_pinned_commit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = "0123456789abcdef0123456789abcdef01234567"
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        copy_of(tiny_qwen(), tmp_path / "models--Qwen--tiny" / "snapshots" / commit)
        copy_of(tiny_adapter(), tmp_path / "models--Ztrura--SEER" / "snapshots" / commit / "v1.1" / "checkpoint-4099")
        model = QwenVL("Qwen/tiny", "Ztrura/SEER/v1.1", revision=commit, adapter_revision=commit, device="cpu")
        assert ask(model, prompt("skeleton")) == [ADAPTED["skeleton"]]
        assert dict(model.details())["model revision"] == commit

    @pytest.mark.parametrize("change", ["shape", "missing", "extra"])
    def test_an_adapter_that_does_not_fit(self, tmp_path: Path, change: str) -> None:
        from safetensors.torch import load_file, save_file

        folder = copy_of(tiny_adapter(), tmp_path / "adapter")
        weights = load_file(folder / "adapter_model.safetensors")
        name = next(one for one in weights if ".lora_A." in one)
        if change == "shape":
            weights[name] = torch.zeros(8, 65)
        elif change == "missing":
            del weights[name]
        else:
            weights[name.replace("layers.0", "layers.7")] = weights[name].clone()
        save_file(weights, folder / "adapter_model.safetensors")
        model = QwenVL(str(tiny_qwen()), str(folder), device="cpu")
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("skeleton"))
        assert caught.value.code == "adapter-mismatch"
        assert model._loaded is None

    def test_an_adapter_that_leaves_out_a_part_the_model_would_need(self, tmp_path: Path) -> None:
        folder = copy_of(tiny_adapter(), tmp_path / "adapter")
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        config["target_modules"] = "no_such_projection"
        (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(tiny_qwen()), str(folder), device="cpu"), prompt("skeleton"))
        assert caught.value.code == "adapter-mismatch"

    def test_weights_that_lack_a_tensor(self, tmp_path: Path) -> None:
        from safetensors.torch import load_file, save_file

        folder = copy_of(tiny_qwen(), tmp_path / "model")
        weights = load_file(folder / "model.safetensors")
        weights.pop(next(name for name in weights if "layers.1.mlp" in name))
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        model = QwenVL(str(folder), device="cpu")
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("skeleton"))
        assert caught.value.code == "model-damaged"

    @pytest.mark.parametrize(
        ("part", "name", "value"),
        [
            ("text_config", "num_hidden_layers", 3),
            ("text_config", "intermediate_size", 256),
            ("text_config", "hidden_act", "nonsense"),
            ("text_config", "rope_parameters", {"rope_type": "nonsense"}),
            ("vision_config", "depth", 3),
            ("vision_config", "spatial_merge_size", 4),
            ("vision_config", "patch_size", 0),
        ],
    )
    def test_a_configuration_of_another_model(self, tmp_path: Path, part: str, name: str, value: Any) -> None:
        """Found before anything is loaded: weights that are missing would be left at random."""
        folder = copy_of(tiny_qwen(), tmp_path / "model")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config[part][name] = value
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        told: list[str] = []
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(folder), device="cpu"), prompt("skeleton"), on_status=told.append)
        assert caught.value.code == "model-damaged"
        assert (name == "depth") == any("Loading" in text for text in told)

    def test_a_tokenizer_of_another_model(self, tmp_path: Path) -> None:
        folder = copy_of(tiny_qwen(), tmp_path / "model")
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(json.dumps({**config, "image_token_id": 5}), encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(folder), device="cpu"), prompt("skeleton"))
        assert caught.value.code == "model-damaged"

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("chat_template.jinja", "{% if %}"),
            ("tokenizer.json", "{}"),
            ("preprocessor_config.json", '{"size": 5, "x": 1}'),
        ],
    )
    def test_files_that_can_not_be_used(self, tmp_path: Path, name: str, content: str) -> None:
        folder = copy_of(tiny_qwen(), tmp_path / "model")
        (folder / name).write_text(content, encoding="utf-8")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(folder), device="cpu"), prompt("skeleton"))
        assert caught.value.code == "model-damaged"


class TestMemory:
    def test_too_little_is_said_before_anything_is_loaded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(memory, "free_memory", lambda device: 1_000_000)
        told: list[str] = []
        model = QwenVL(str(tiny_qwen()), device="cpu")
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("lungs"), on_status=told.append)
        assert caught.value.code == "memory-too-small"
        assert "GB" in caught.value.user_message
        assert not any("Loading" in text for text in told)

    def test_what_fits_in_half_the_numbers_runs_in_bfloat16(self, monkeypatch: pytest.MonkeyPatch) -> None:
        needed: list[int] = []
        check = memory.check_fits
        monkeypatch.setattr(memory, "check_fits", lambda size, *rest: (needed.append(size), check(size, *rest))[1])
        ask(QwenVL(str(tiny_qwen()), device="cpu"), prompt("lungs"))
        monkeypatch.setattr(memory, "free_memory", lambda device: needed[0] - 1)
        model = QwenVL(str(tiny_qwen()), device="cpu")
        assert ask(model, prompt("lungs"), max_tokens=256)[0].startswith("<evidence>")
        assert dict(model.details())["dtype"] == "bfloat16"
        assert "float32 did not fit" in dict(model.details())["fall-backs"]
        with pytest.raises(ReasonerError, match="GB"):
            ask(QwenVL(str(tiny_qwen()), device="cpu", dtype="float32"), prompt("lungs"))

    def test_a_batch_that_is_too_large_for_what_is_left(self, model: QwenVL, monkeypatch: pytest.MonkeyPatch) -> None:
        ask(model, prompt("lungs"))
        monkeypatch.setattr(memory, "free_memory", lambda device: 3_000_000)
        with pytest.raises(ReasonerError) as caught:
            ask(model, *(prompt(f"lungs {n}") for n in range(60)))
        assert caught.value.code == "memory-too-small"
        monkeypatch.undo()
        assert ask(model, prompt("lungs")) == [REPLIES["lungs"]]

    @pytest.mark.parametrize(
        "error",
        [
            torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
            RuntimeError("MPS backend out of memory"),
            MemoryError(),
        ],
        ids=["cuda", "processor", "mps", "python"],
    )
    @pytest.mark.parametrize("when", ["at work", "loading"])
    def test_running_out_of_it(self, error: BaseException, when: str) -> None:
        model, full = QwenVL(str(tiny_qwen()), device="cpu"), True

        def fail(*_: Any) -> None:
            if full:
                raise error

        if when == "at work":
            ask(model, prompt("lungs"))
            loaded(model).model.language_model.layers[1].register_forward_hook(fail)
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("lungs"), on_status=lambda text: fail() if text.startswith("Loading") else None)
        assert (caught.value.code, caught.value.retryable) == ("memory-exhausted", True)
        assert (model._loaded is None) == (when == "loading")
        full = False
        assert ask(model, prompt("lungs")) == [REPLIES["lungs"]]

    def test_another_failure_stays_what_it_is(self) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu")
        ask(model, prompt("lungs"))

        def fail(*_: Any) -> None:
            raise RuntimeError("a mistake")

        loaded(model).model.language_model.layers[0].register_forward_hook(fail)
        with pytest.raises(RuntimeError, match="a mistake"):
            ask(model, prompt("lungs"))

    def test_numbers_out_of_range(self) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu")
        ask(model, prompt("lungs"))
        loaded(model).model.language_model.layers[1].register_forward_hook(
            lambda *arguments: arguments[2] * float("inf")
        )
        with pytest.raises(ReasonerError) as caught:
            ask(model, prompt("lungs"))
        assert caught.value.code == "model-overflow"


class TestChoices:
    @pytest.mark.parametrize("attention", ["eager", "sdpa"])
    @pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
    def test_attention_and_numbers(self, attention: str, dtype: str) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu", attention=attention, dtype=dtype)
        (alone,) = ask(model, prompt("right lung"))
        assert alone.startswith("<evidence>")
        assert alone == REPLIES["right lung"] or dtype == "bfloat16"
        told = dict(model.details())
        assert (told["attention"], told["dtype"]) == (attention, dtype)

    def test_an_attention_that_is_not_there_falls_back(self) -> None:
        model = QwenVL(str(tiny_qwen()), device="cpu", attention="flash_attention_2")
        assert ask(model, prompt("lungs")) == [REPLIES["lungs"]]
        told = dict(model.details())
        assert told["attention"] == "sdpa"
        assert "flash_attention_2 passed over: no cuda device" in told["fall-backs"]

    def test_an_attention_that_fails_falls_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from SEERSegmentLib.reasoning.qwen import loading

        monkeypatch.setattr(loading, "attentions_to_try", lambda *_: (("flash_attention_2", "eager"), ()))
        model = QwenVL(str(tiny_qwen()), device="cpu")
        assert ask(model, prompt("lungs")) == [REPLIES["lungs"]]
        told = dict(model.details())
        assert told["attention"] == "eager"
        assert "flash_attention_2 failed" in told["fall-backs"]

    def test_a_device_that_is_not_there(self) -> None:
        if torch.cuda.device_count() > 7:
            pytest.skip("there is one")
        with pytest.raises(ReasonerError) as caught:
            ask(QwenVL(str(tiny_qwen()), device="cuda:7"), prompt("lungs"))
        assert caught.value.code == "device-unavailable"


def test_it_runs_without_torchvision_and_without_a_network(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And writes nothing to standard output, which in the worker is a protocol."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something wanted a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert "torchvision" not in sys.modules
    model = QwenVL(str(tiny_qwen()), str(tiny_adapter()), device="cpu")
    assert ask(model, prompt("skeleton")) == [ADAPTED["skeleton"]]
    assert "torchvision" not in sys.modules
    assert capfd.readouterr().out == ""
