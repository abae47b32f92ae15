"""Which files of a model's folder are the model: the layouts that exporters write.

| exporter | files |
|---|---|
| optimum, onnx-community | `model*.onnx`, `decoder_model_merged*.onnx`; here or in `onnx/` |
| older optimum | `decoder_model*.onnx` and `decoder_with_past_model*.onnx` |
| onnxruntime-genai | `genai_config.json` names the file |

`*` is a variant: nothing (32-bit floats), `_fp16`, `_int8`, `_q4` …
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from edgemind.errors import ConfigError, ModelError, ModelInvalid, ModelNotFound, ModelUnsupported
from edgemind.formats.onnx_template import home_of

SMALL_FIRST = ("q4", "int8", "quantized", "uint8", "q4f16", "f32", "fp16", "bnb4")
"""What suits a processor: few bytes to read for each token, and kernels for them."""
HALF_FIRST = ("fp16", "q4f16", "q4", "f32", "int8", "quantized", "uint8", "bnb4")
"""What suits a graphics processor."""
DECODERS = ("model", "decoder_model_merged", "decoder_model")
WITH_PAST = "decoder_with_past_model"
MAX_JSON_BYTES = 64 << 20


@dataclass(frozen=True)
class ModelFiles:
    """The chosen files: `decoder`, and `with_past` where an export has two graphs.

    `home` holds the configuration files.
    """

    home: Path
    decoder: Path
    with_past: Path | None = None

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """config.json; empty where there is none."""
        return read_json(self.home / "config.json")

    @cached_property
    def generation(self) -> Mapping[str, Any]:
        """generation_config.json; empty where there is none."""
        return read_json(self.home / "generation_config.json")

    @cached_property
    def genai(self) -> Mapping[str, Any]:
        """genai_config.json; empty where there is none."""
        return read_json(self.home / "genai_config.json")

    @property
    def paths(self) -> tuple[Path, ...]:
        """All graphs."""
        return (self.decoder, self.with_past) if self.with_past else (self.decoder,)


def read_json(path: Path) -> dict[str, Any]:
    """A file's JSON object; empty where there is no file, `ModelInvalid` where it is none."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ModelInvalid(f"{path} is too large for a configuration")
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ModelInvalid(f"{path} is not JSON: fetch the model again") from None
    if not isinstance(value, dict):
        raise ModelInvalid(f"{path} does not hold a JSON object")
    return value


def find_files(
    path: Path, variant: str | None = None, prefer: Sequence[str] = SMALL_FIRST
) -> ModelFiles:
    """The model in a folder, or the .onnx file that is named itself.

    `variant` ("q4", "fp16", "f32" …) chooses among several; without it the first of `prefer` that
    is there. Raises `ModelNotFound`, `ModelUnsupported`, and `ConfigError` for a variant that
    does not exist.
    """
    if path.suffix == ".onnx" and not path.is_dir():
        if not path.is_file():
            raise ModelNotFound(f"no model file at {path}")
        return _checked(_paired(home_of(path), path))
    if not path.is_dir():
        raise ModelNotFound(f"no model folder at {path}")
    genai = read_json(path / "genai_config.json")
    if genai:
        return _checked(ModelFiles(path, _named_by_genai(path, genai)))
    found = _variants(path)
    if not found:
        raise ModelNotFound(
            f"{path} holds no ONNX model: there should be a model.onnx in it or in its onnx/"
        )
    if variant is not None:
        wanted = "f32" if variant in ("", "fp32") else variant
        if wanted not in found:
            raise ConfigError(
                f"{path} has no variant {variant!r}; it has {', '.join(sorted(found))}"
            )
        return _checked(_paired(path, found[wanted]))
    rest = sorted(found)
    best = next((name for name in prefer if name in found), rest[0])
    if best not in prefer and len(rest) > 1:
        raise ConfigError(f"{path} holds several models; choose a variant of {', '.join(rest)}")
    return _checked(_paired(path, found[best]))


def _variants(folder: Path) -> dict[str, Path]:
    """Variant → file; of equal ones a single graph before a pair, the folder before `onnx/`."""
    found: dict[str, Path] = {}
    others: list[Path] = []
    for place in (folder, folder / "onnx"):
        files = sorted(place.glob("*.onnx"))
        for stem in DECODERS:
            for file in files:
                variant = _variant(file.stem, stem)
                if variant is not None:
                    found.setdefault(variant, file)
        others += [file for file in files if not file.stem.startswith(("decoder", "encoder"))]
    if not found and len(others) == 1:
        found["f32"] = others[0]
    return found


def _variant(name: str, stem: str) -> str | None:
    """The variant that a file's name gives after `stem`; None where it is another graph."""
    if name == stem:
        return "f32"
    rest = name.removeprefix(f"{stem}_")
    return rest if rest != name and not rest.startswith(("merged", "with_past")) else None


def _paired(home: Path, decoder: Path) -> ModelFiles:
    """The decoder with the graph for later tokens beside it, where the export is such a pair."""
    variant = _variant(decoder.stem, "decoder_model")
    if variant is None:
        return ModelFiles(home, decoder)
    ending = "" if variant == "f32" else f"_{variant}"
    later = decoder.with_name(f"{WITH_PAST}{ending}.onnx")
    return ModelFiles(home, decoder, later if later.is_file() else None)


def _named_by_genai(folder: Path, genai: Mapping[str, Any]) -> Path:
    model = genai.get("model")
    decoder = model.get("decoder") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(decoder, dict):
        raise ModelInvalid(f"{folder / 'genai_config.json'} names no decoder")
    for part in ("encoder", "vision", "speech", "embedding"):
        if isinstance(model.get(part), dict) and model[part].get("filename"):
            raise ModelUnsupported(f"{folder} has a separate {part} model: only text decoders run")
    if "pipeline" in decoder:
        raise ModelUnsupported(
            f"{folder} is cut into a pipeline of graphs, which does not run here"
        )
    name = decoder.get("filename")
    if not isinstance(name, str) or Path(name).name != name:
        raise ModelInvalid(f"{folder / 'genai_config.json'} names no file of its folder: {name}")
    return folder / name


def _checked(files: ModelFiles) -> ModelFiles:
    """`files`, or `ModelUnsupported` with what speaks against them."""
    for place in {files.decoder.parent, files.home}:
        if any(place.glob("encoder_model*.onnx")) or files.config.get("is_encoder_decoder") is True:
            raise ModelUnsupported(
                f"{files.home} is an encoder-decoder model: only decoder-only models run"
            )
        if any(place.glob("vision_encoder*.onnx")):
            raise ModelUnsupported(f"{files.home} is a vision model: only text decoders run")
    return files
