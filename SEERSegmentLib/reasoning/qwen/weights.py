"""What must lie in a model's folder and an adapter's, checked before anything heavy is imported.

Two layouts are known, those of SEER's releases: v1.0, whole weights in a folder, in one file or in shards with an
index; v1.1, a LoRA adapter (``adapter_config.json``, ``adapter_model.safetensors``) beside a base model. A folder with
exactly one such folder below it (``checkpoint-4099/``) stands for it. Weights are safetensors and nothing else:
unpickling runs code. Folders that bring Python of their own are refused, whatever they promise.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ReasonerError
from .headers import TensorInfo, read_header
from .hub import find

__all__ = ["ARCHITECTURE", "AdapterFiles", "ModelFiles", "find_adapter", "find_model"]

ARCHITECTURE = "Qwen3VLForConditionalGeneration"

_CONFIG, _ADAPTER_CONFIG = "config.json", "adapter_config.json"
_PICKLES = (".bin", ".pth", ".pt", ".ckpt", ".pkl", ".pickle")

#: How far below a given folder a model is looked for.
_DEPTH = 3


@dataclass(frozen=True)
class ModelFiles:
    """A complete model on disk.

    Attributes
    ----------
    folder : Path
    name, revision : str
        As the user named it, and the hub's commit.
    config, image_settings : dict
        Of the model and of its image processor, as in their files.
    chat_template : str
    weight_files : tuple of Path
    end_tokens : tuple of int
        Tokens that end a reply, from the generation settings.
    """

    folder: Path
    name: str
    revision: str
    config: dict[str, Any]
    image_settings: dict[str, Any]
    chat_template: str
    weight_files: tuple[Path, ...]
    end_tokens: tuple[int, ...]

    def tensors(self) -> dict[str, TensorInfo]:
        """All tensors of all files. Raises ReasonerError ``model-damaged``."""
        return {name: info for path in self.weight_files for name, info in read_header(path).items()}


@dataclass(frozen=True)
class AdapterFiles:
    """A LoRA adapter on disk; ``base`` is the model that it says it was trained on."""

    folder: Path
    name: str
    revision: str
    base: str
    weight_file: Path

    def tensors(self) -> dict[str, TensorInfo]:
        """Its tensors. Raises ReasonerError ``model-damaged``."""
        return read_header(self.weight_file)


def find_model(name: str, revision: str = "", *, download: bool = False) -> ModelFiles:
    """The model that is meant, complete and of a kind that can be run.

    Raises
    ------
    ReasonerError
        ``model-missing``, ``model-several``, ``model-is-adapter``, ``model-incomplete``, ``model-damaged``,
        ``model-not-safetensors``, ``model-remote-code``, ``model-architecture``, ``model-quantized``.
    UsageError, ServiceError
        ``model-unpinned``, ``model-download``.
    """
    found = find(name, revision, download=download)
    folder = _only(found.folder, _CONFIG) or _only(found.folder, _ADAPTER_CONFIG)
    if folder is None:
        raise _incomplete(found.folder, _CONFIG)
    if (folder / _ADAPTER_CONFIG).is_file():  # transformers would silently load its base model instead
        base = _read_json(folder / _ADAPTER_CONFIG).get("base_model_name_or_path") or "its base model"
        raise ReasonerError(
            f"{name} is an adapter, not a model: give {base} as the model and this as its adapter.",
            code="model-is-adapter",
        )
    config = _read_json(folder / _CONFIG)
    _check_kind(config, name)
    _check_sizes(config, folder / _CONFIG)
    tokenizer = _read_tokenizer(folder)
    generation = _read_json(folder / "generation_config.json", optional=True)
    ends = generation.get("eos_token_id", config.get("eos_token_id"))
    return ModelFiles(
        folder,
        name,
        found.revision,
        config,
        _image_settings(folder),
        _chat_template(folder, tokenizer),
        _weight_files(folder),
        tuple(one for one in (ends if isinstance(ends, list) else [ends]) if isinstance(one, int)),
    )


def find_adapter(name: str, revision: str = "", *, download: bool = False) -> AdapterFiles:
    """The adapter that is meant.

    Raises
    ------
    ReasonerError
        ``model-missing``, ``model-several``, ``model-incomplete``, ``model-damaged``, ``model-not-safetensors``,
        ``model-remote-code``, ``adapter-kind``.
    UsageError, ServiceError
        ``model-unpinned``, ``model-download``.
    """
    found = find(name, revision, download=download, what="adapter")
    folder = _only(found.folder, _ADAPTER_CONFIG)
    if folder is None:
        raise _incomplete(found.folder, _ADAPTER_CONFIG)
    config = _read_json(folder / _ADAPTER_CONFIG)
    if config.get("peft_type") != "LORA":
        raise ReasonerError(
            f"The adapter {name} is of the kind {config.get('peft_type')}; only LoRA adapters can be used.",
            code="adapter-kind",
        )
    if config.get("megatron_config"):  # names a module to be imported
        raise _remote_code(name)
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        _refuse_pickles(folder)
        raise _incomplete(folder, weights.name)
    base = config.get("base_model_name_or_path") or ""
    return AdapterFiles(folder, name, found.revision, str(base), weights)


def _only(folder: Path, marker: str) -> Path | None:
    """The folder itself, or the one below it, that holds the file ``marker``; None if there is none."""
    if (folder / marker).is_file():
        return folder
    below = sorted(_below(folder, lambda one: (one / marker).is_file(), _DEPTH))
    if len(below) > 1:
        listed = ", ".join(str(one.relative_to(folder)) for one in below)
        raise ReasonerError(
            f"{folder.name} holds several that could be meant: {listed}. Give the path of one.", code="model-several"
        )
    return below[0] if below else None


def _below(folder: Path, wanted: Callable[[Path], bool], depth: int) -> Iterator[Path]:
    try:
        children = [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != "."]
    except OSError as error:
        raise ReasonerError(f"The folder {folder} can't be read.", code="model-missing", detail=str(error)) from error
    for child in children:
        if wanted(child):
            yield child
        elif depth > 1:
            yield from _below(child, wanted, depth - 1)


def _check_kind(config: Mapping[str, Any], name: str) -> None:
    architectures = config.get("architectures") or [config.get("model_type")]
    if architectures not in ([ARCHITECTURE], ["qwen3_vl"]):
        raise ReasonerError(
            f"{name} is a {', '.join(map(str, architectures))}; this reasoner runs Qwen3-VL ({ARCHITECTURE}) only.",
            code="model-architecture",
        )
    if config.get("quantization_config"):
        raise ReasonerError(
            f"{name} holds quantized weights; give the model it was made from, in 16 or 32 bits.",
            code="model-quantized",
        )
    if config.get("transformers_weights"):  # a file of any name and kind, which would be loaded instead
        raise ReasonerError(
            f"The weights of {name} are not in the usual safetensors files.", code="model-not-safetensors"
        )


#: What is reckoned with before the configuration's own class looks at it.
_SIZES = {
    "text_config": (
        *("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads"),
        *("head_dim", "vocab_size", "max_position_embeddings"),
    ),
    "vision_config": ("hidden_size", "intermediate_size"),
}


def _check_sizes(config: Mapping[str, Any], path: Path) -> None:
    for part, names in _SIZES.items():
        sizes = config.get(part)
        if not isinstance(sizes, dict):
            raise _damaged(path, f"no {part}")
        for name in names:
            size = sizes.get(name)
            if type(size) is not int or size <= 0:
                raise _damaged(path, f"{part}.{name} is {size!r}")


def _weight_files(folder: Path) -> tuple[Path, ...]:
    """In the order in which transformers looks for them."""
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return (single,)
    if not index.is_file():
        _refuse_pickles(folder)
        raise _incomplete(folder, single.name)
    places = _read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(one, str) for one in places.values()):
        raise _damaged(index, "no weight_map")
    shards = sorted(set(places.values()))
    for shard in shards:
        if Path(shard).name != shard or not shard.endswith(".safetensors"):
            raise ReasonerError(
                f"The index of {folder.name} names weights that are not safetensors files beside it.",
                code="model-not-safetensors",
                detail=shard,
            )
        if not (folder / shard).is_file():
            raise _incomplete(folder, shard)
    return tuple(folder / shard for shard in shards)


def _refuse_pickles(folder: Path) -> None:
    if pickled := sorted(one.name for one in folder.iterdir() if one.suffix in _PICKLES):
        raise ReasonerError(
            f"The weights in {folder.name} ({pickled[0]}) are not safetensors and are not read: such files can run"
            " code. Get the safetensors files.",
            code="model-not-safetensors",
        )


def _read_tokenizer(folder: Path) -> dict[str, Any]:
    if not (folder / "tokenizer.json").is_file():
        for part in ("vocab.json", "merges.txt"):
            if not (folder / part).is_file():
                raise _incomplete(folder, "tokenizer.json")
    return _read_json(folder / "tokenizer_config.json")


def _chat_template(folder: Path, tokenizer: Mapping[str, Any]) -> str:
    try:
        if (folder / "chat_template.jinja").is_file():
            return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise _damaged(folder / "chat_template.jinja", str(error)) from error
    template = _read_json(folder / "chat_template.json", optional=True).get("chat_template")
    template = template or tokenizer.get("chat_template")
    if isinstance(template, list):  # several, each with its name
        template = next((one.get("template") for one in template if one.get("name") == "default"), None)
    if not isinstance(template, str) or not template:
        raise _incomplete(folder, "chat_template.json")
    return template


def _image_settings(folder: Path) -> dict[str, Any]:
    settings = _read_json(folder / "preprocessor_config.json", optional=True)
    if not settings:
        settings = _read_json(folder / "processor_config.json", optional=True).get("image_processor") or {}
    if not settings:
        raise _incomplete(folder, "preprocessor_config.json")
    return {key: value for key, value in settings.items() if key not in ("processor_class", "image_processor_type")}


def _read_json(path: Path, *, optional: bool = False) -> dict[str, Any]:
    if optional and not path.is_file():
        return {}
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _incomplete(path.parent, path.name) from error
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(plain, dict):
        raise _damaged(path, "not an object")
    if "auto_map" in plain:
        raise _remote_code(path.parent.name)
    return plain


def _incomplete(folder: Path, name: str) -> ReasonerError:
    return ReasonerError(
        f"The file {name} is missing in {folder.name}; copy or download the folder again, whole.",
        code="model-incomplete",
        detail=str(folder / name),
    )


def _damaged(path: Path, detail: str) -> ReasonerError:
    return ReasonerError(
        f"{path.name} in {path.parent.name} can't be read; copy or download it again.",
        code="model-damaged",
        detail=f"{path}: {detail}",
    )


def _remote_code(name: str) -> ReasonerError:
    return ReasonerError(
        f"{name} wants to run program code of its own, which SEER never does; get a plain Qwen3-VL model.",
        code="model-remote-code",
    )
