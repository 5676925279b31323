"""What must lie on the disk before a model is loaded: layouts, pinned commits, and everything that is refused.

Nothing heavy is imported for any of it: the folders here are written by hand. A little long: every layout and refusal
is tried on the same few folders.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SEERSegmentLib.errors import ReasonerError, SeerError, UsageError
from SEERSegmentLib.reasoning.qwen import QwenVL
from SEERSegmentLib.reasoning.qwen.headers import TensorInfo, read_header
from SEERSegmentLib.reasoning.qwen.hub import cache_folder
from SEERSegmentLib.reasoning.qwen.weights import find_adapter, find_model

CONFIG: dict[str, Any] = {
    "architectures": ["Qwen3VLForConditionalGeneration"],
    "model_type": "qwen3_vl",
    "text_config": {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "vocab_size": 704,
        "max_position_embeddings": 4096,
    },
    "vision_config": {"hidden_size": 32, "intermediate_size": 64},
}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def write_json(path: Path, plain: Any) -> None:
    path.write_text(json.dumps(plain), encoding="utf-8")


def write_weights(path: Path, **shapes: tuple[int, ...]) -> None:
    """A safetensors file of bfloat16 zeros."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))


def model_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    write_json(folder / "config.json", CONFIG)
    write_json(folder / "generation_config.json", {"eos_token_id": [7, 8]})
    write_json(folder / "tokenizer.json", {})
    write_json(folder / "tokenizer_config.json", {})
    write_json(folder / "preprocessor_config.json", {"patch_size": 16, "processor_class": "Qwen3VLProcessor"})
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    write_weights(folder / "model.safetensors", one=(2, 3))
    return folder


def adapter_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    write_json(folder / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "Qwen/base"})
    write_weights(folder / "adapter_model.safetensors", one=(2, 3))
    (folder / "training_args.bin").write_bytes(b"a pickle that a trainer leaves beside the weights")
    return folder


def refusal(call: Callable[[], Any]) -> SeerError:
    with pytest.raises(SeerError) as caught:
        call()
    return caught.value


def test_a_whole_model(tmp_path: Path) -> None:
    files = find_model(str(model_folder(tmp_path / "model")))
    assert files.weight_files == (tmp_path / "model" / "model.safetensors",)
    assert files.tensors() == {"one": TensorInfo("BF16", (2, 3))}
    assert files.end_tokens == (7, 8)
    assert files.image_settings == {"patch_size": 16}


def test_an_adapter(tmp_path: Path) -> None:
    files = find_adapter(str(adapter_folder(tmp_path / "adapter")))
    assert files.base == "Qwen/base"
    assert files.tensors() == {"one": TensorInfo("BF16", (2, 3))}


def test_shards_with_an_index(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    shards = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    write_json(
        folder / "model.safetensors.index.json", {"weight_map": dict(zip("abc", [*shards, shards[0]], strict=True))}
    )
    write_weights(folder / shards[0], a=(1,), c=(4,))
    missing = refusal(lambda: find_model(str(folder)))
    assert (missing.code, shards[1] in missing.user_message) == ("model-incomplete", True)
    write_weights(folder / shards[1], b=(2, 2))
    assert find_model(str(folder)).tensors().keys() == {"a", "b", "c"}


@pytest.mark.parametrize("place", ["checkpoint-4099", "v1.0/deeper/checkpoint-1"])
def test_a_folder_with_one_model_below_it_stands_for_it(tmp_path: Path, place: str) -> None:
    model_folder(tmp_path / "model" / place)
    adapter_folder(tmp_path / "adapter" / place)
    assert find_model(str(tmp_path / "model")).folder == tmp_path / "model" / place
    assert find_adapter(str(tmp_path / "adapter")).folder == tmp_path / "adapter" / place


def test_of_several_the_user_chooses(tmp_path: Path) -> None:
    for name in ("checkpoint-10", "checkpoint-20"):
        adapter_folder(tmp_path / name)
        model_folder(tmp_path / "models" / name)
    for error in (refusal(lambda: find_adapter(str(tmp_path))), refusal(lambda: find_model(str(tmp_path / "models")))):
        assert error.code == "model-several"
        assert "checkpoint-10" in error.user_message
        assert "checkpoint-20" in error.user_message


def test_a_release_with_both_layouts_gives_each_what_it_asks_for(tmp_path: Path) -> None:
    model_folder(tmp_path / "v1.0")
    adapter_folder(tmp_path / "v1.1")
    assert find_model(str(tmp_path)).folder.name == "v1.0"
    assert find_adapter(str(tmp_path)).folder.name == "v1.1"


def test_an_adapter_given_as_the_model_says_which_base_it_wants(tmp_path: Path) -> None:
    error = refusal(lambda: find_model(str(adapter_folder(tmp_path / "adapter"))))
    assert error.code == "model-is-adapter"
    assert "Qwen/base" in error.user_message


@pytest.mark.parametrize(
    "name",
    ["config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "model.safetensors"],
)
def test_what_is_missing_is_named(tmp_path: Path, name: str) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / name).unlink()
    error = refusal(lambda: find_model(str(folder)))
    assert error.code == "model-incomplete"
    assert name in error.user_message


def test_a_missing_chat_template_is_named(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    error = refusal(lambda: find_model(str(folder)))
    assert error.code == "model-incomplete"
    assert "chat_template" in error.user_message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chat_template.json", {"chat_template": "the template"}),
        ("tokenizer_config.json", {"chat_template": "the template"}),
        (
            "tokenizer_config.json",
            {"chat_template": [{"name": "tools", "template": "no"}, {"name": "default", "template": "the template"}]},
        ),
    ],
    ids=["file of its own", "with the tokenizer", "one of several"],
)
def test_places_of_the_chat_template(tmp_path: Path, name: str, content: dict[str, Any]) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    write_json(folder / name, content)
    assert find_model(str(folder)).chat_template == "the template"


def test_image_settings_within_those_of_the_processor(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "preprocessor_config.json").unlink()
    write_json(folder / "processor_config.json", {"image_processor": {"patch_size": 14}})
    assert find_model(str(folder)).image_settings == {"patch_size": 14}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "model.pt", "weights.ckpt"])
def test_pickled_weights_are_not_read(tmp_path: Path, name: str) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "model.safetensors").rename(folder / name)
    error = refusal(lambda: find_model(str(folder)))
    assert error.code == "model-not-safetensors"
    assert name in error.user_message


def test_a_pickled_adapter_is_not_read(tmp_path: Path) -> None:
    folder = adapter_folder(tmp_path / "adapter")
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")
    assert refusal(lambda: find_adapter(str(folder))).code == "model-not-safetensors"


@pytest.mark.parametrize("shard", ["pytorch_model-00001.bin", "../elsewhere.safetensors", "/abroad.safetensors"])
def test_an_index_names_nothing_but_safetensors_beside_it(tmp_path: Path, shard: str) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    write_json(folder / "model.safetensors.index.json", {"weight_map": {"a": shard}})
    assert refusal(lambda: find_model(str(folder))).code == "model-not-safetensors"


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "preprocessor_config.json"])
def test_code_of_its_own_is_refused(tmp_path: Path, name: str) -> None:
    folder = model_folder(tmp_path / "model")
    plain = json.loads((folder / name).read_text(encoding="utf-8"))
    write_json(folder / name, {**plain, "auto_map": {"AutoModel": "modeling_mine.Mine"}})
    assert refusal(lambda: find_model(str(folder))).code == "model-remote-code"


def test_an_adapter_that_names_a_module_to_import_is_refused(tmp_path: Path) -> None:
    folder = adapter_folder(tmp_path / "adapter")
    write_json(folder / "adapter_config.json", {"peft_type": "LORA", "megatron_config": {}, "megatron_core": "mine"})
    assert find_adapter(str(folder)).base == ""
    write_json(folder / "adapter_config.json", {"peft_type": "LORA", "megatron_config": {"a": 1}})
    assert refusal(lambda: find_adapter(str(folder))).code == "model-remote-code"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"architectures": ["Qwen2_5_VLForConditionalGeneration"]}, "model-architecture"),
        ({"architectures": ["Qwen3VLMoeForConditionalGeneration"]}, "model-architecture"),
        ({}, "model-architecture"),
        ({"model_type": "qwen3_vl", "quantization_config": {"quant_method": "fp8"}}, "model-quantized"),
        ({"model_type": "qwen3_vl", "transformers_weights": "other.bin"}, "model-not-safetensors"),
    ],
    ids=["another model", "mixture of experts", "nothing said", "quantized", "weights of another name"],
)
def test_other_kinds_are_refused(tmp_path: Path, config: dict[str, Any], code: str) -> None:
    folder = model_folder(tmp_path / "model")
    write_json(folder / "config.json", config)
    assert refusal(lambda: find_model(str(folder))).code == code


@pytest.mark.parametrize("part", ["text_config", "vision_config"])
@pytest.mark.parametrize("size", ["many", -1, 0, 1.5, None, True], ids=repr)
def test_sizes_that_can_not_be(tmp_path: Path, part: str, size: Any) -> None:
    folder = model_folder(tmp_path / "model")
    write_json(folder / "config.json", {**CONFIG, part: {**CONFIG[part], "hidden_size": size}})
    assert refusal(lambda: find_model(str(folder))).code == "model-damaged"
    write_json(folder / "config.json", {**CONFIG, part: "lost"})
    assert refusal(lambda: find_model(str(folder))).code == "model-damaged"


def test_other_kinds_of_adapters_are_refused(tmp_path: Path) -> None:
    folder = adapter_folder(tmp_path / "adapter")
    write_json(folder / "adapter_config.json", {"peft_type": "XLORA", "adapters": {"0": "some/where"}})
    assert refusal(lambda: find_adapter(str(folder))).code == "adapter-kind"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "\udcff", "[" * 100_000], ids=["empty", "open", "list", "bytes", "deep"]
)
def test_settings_that_can_not_be_read(tmp_path: Path, content: str) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert refusal(lambda: find_model(str(folder))).code == "model-damaged"


@given(st.binary(max_size=300), st.integers(0, 400))
def test_a_damaged_header_is_found(tmp_path_factory: pytest.TempPathFactory, noise: bytes, keep: int) -> None:
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    write_weights(path, one=(2, 3), two=(4,))
    whole = path.read_bytes()
    path.write_bytes(whole[:keep] + noise)
    if path.read_bytes() == whole:
        return
    if len(path.read_bytes()) == len(whole):  # the noise may have hit nothing but the numbers
        with suppress(ReasonerError):
            read_header(path)
    else:
        assert refusal(lambda: read_header(path)).code == "model-damaged"


def test_a_file_that_was_cut_off_is_found(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    error = refusal(find_model(str(folder)).tensors)
    assert error.code == "model-damaged"
    assert "model.safetensors" in error.user_message


class TestHub:
    """Names of the hub, found in this machine's cache at a pinned commit."""

    @pytest.fixture(autouse=True)
    def cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
        return tmp_path / "hub"

    def snapshot(self, cache: Path, repository: str = "Qwen/Qwen3-VL-4B-Instruct") -> Path:
        return cache / f"models--{repository.replace('/', '--')}" / "snapshots" / COMMIT

    def test_a_pinned_commit_is_found(self, cache: Path) -> None:
        model_folder(self.snapshot(cache))
        files = find_model("Qwen/Qwen3-VL-4B-Instruct", COMMIT)
        assert files.folder == self.snapshot(cache)
        assert files.revision == COMMIT

    def test_a_folder_within_the_repository(self, cache: Path) -> None:
        for name in ("checkpoint-1", "checkpoint-2"):
            adapter_folder(self.snapshot(cache, "Ztrura/SEER") / "v1.1" / name)
        assert refusal(lambda: find_adapter("Ztrura/SEER", COMMIT)).code == "model-several"
        assert find_adapter("Ztrura/SEER/v1.1/checkpoint-2", COMMIT).folder.name == "checkpoint-2"

    @pytest.mark.parametrize("revision", ["", "main", "v1.1", COMMIT[:12], COMMIT.upper()])
    def test_what_may_change_is_refused(self, cache: Path, revision: str) -> None:
        model_folder(self.snapshot(cache))
        error = refusal(lambda: find_model("Qwen/Qwen3-VL-4B-Instruct", revision))
        assert isinstance(error, UsageError)
        assert error.code == "model-unpinned"

    def test_the_option_is_named_that_is_missing(self) -> None:
        assert "adapter_revision=" in refusal(lambda: find_adapter("Ztrura/SEER")).user_message

    def test_what_is_not_in_the_cache_is_not_fetched(self) -> None:
        assert refusal(lambda: find_model("Qwen/Qwen3-VL-4B-Instruct", COMMIT)).code == "model-missing"

    @pytest.mark.parametrize(
        "name", ["", "no-such-folder", "/no/such/folder", "~no-such-user/model", "a/../b", "a/b/../../c", "./a", "a//b"]
    )
    def test_what_is_no_name_is_a_missing_folder(self, name: str) -> None:
        assert refusal(lambda: find_model(name, COMMIT)).code == "model-missing"

    def test_a_folder_comes_before_a_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        model_folder(tmp_path / "Qwen" / "mine")
        assert find_model("Qwen/mine").revision == ""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({"HOME": "/home/me"}, "/home/me/.cache/huggingface/hub"),
    ],
    ids=["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "home"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of this kind")
def test_the_cache_is_where_the_hub_s_client_has_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


class TestReadiness:
    """What ``seer doctor`` and the panel ask, before anything is loaded."""

    def test_ready(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
        model, adapter = model_folder(tmp_path / "model"), adapter_folder(tmp_path / "adapter")
        assert QwenVL(str(model), str(adapter)).readiness().ready

    @pytest.mark.parametrize("lacking", ["torch", "transformers", "peft"])
    def test_a_missing_package_names_the_extra(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
    ) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == lacking else object())
        model, adapter = model_folder(tmp_path / "model"), adapter_folder(tmp_path / "adapter")
        readiness = QwenVL(str(model), str(adapter)).readiness()
        assert not readiness.ready
        assert "seer-segment[local]" in readiness.what_to_do
        assert QwenVL(str(model)).readiness().ready == (lacking == "peft")

    def test_files_that_are_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
        readiness = QwenVL(str(tmp_path)).readiness()
        assert not readiness.ready
        assert "config.json" in readiness.what_to_do

    def test_what_may_be_downloaded_is_ready(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
        assert QwenVL("Qwen/Qwen3-VL-4B-Instruct", revision=COMMIT, download=True).readiness().ready


def test_nothing_heavy_is_loaded_to_find_out(tmp_path: Path) -> None:
    model = model_folder(tmp_path / "model")
    code = (
        "import sys; from SEERSegmentLib.reasoning.qwen import QwenVL\n"
        f"model = QwenVL({str(model)!r}); model.readiness(); model.details()\n"
        "print(sorted({'torch', 'transformers', 'peft', 'huggingface_hub', 'PIL', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
