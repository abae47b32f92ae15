"""Which engine runs a model: a folder or an .onnx file is ONNX, any other file GGUF."""

from __future__ import annotations

from pathlib import Path

from edgemind.engines.base import CacheMode, Engine
from edgemind.errors import ConfigError, ModelInvalid


def is_onnx(path: Path) -> bool:
    """Whether a path names an ONNX model. A folder with GGUF files in it names none of them."""
    return path.suffix == ".onnx" or (path.is_dir() and not any(path.glob("*.gguf")))


def check_options(path: Path, gpu_layers: int, variant: str | None, provider: str) -> None:
    """`ConfigError` for an option of the other engine."""
    if is_onnx(path):
        if gpu_layers:
            raise ConfigError("gpu_layers is for GGUF models; ONNX models take a provider")
    elif variant is not None or provider != "cpu":
        raise ConfigError(f"variant and provider are for ONNX models, and {path} is none")


def model_files(path: Path, variant: str | None, provider: str) -> tuple[Path, ...]:
    """The files of a model that a library will open: the graphs of an ONNX folder, or the file.

    Raises `ModelNotFound`, `ModelUnsupported`, `ModelInvalid`, and `ConfigError` for a variant
    that does not exist.
    """
    if not is_onnx(path):
        if path.is_dir():
            raise ModelInvalid(f"{path} is a folder; name the GGUF file in it")
        return (path,)
    from edgemind.engines.onnx.folder import find_files
    from edgemind.engines.onnx.providers import preferred_variants

    return find_files(path, variant, preferred_variants(provider)).paths


def open_engine(
    path: Path,
    *,
    context: int,
    width: int,
    gpu_layers: int,
    threads: int | None,
    cache: CacheMode,
    variant: str | None,
    provider: str,
) -> tuple[Engine, tuple[str, ...]]:
    """The engine for a model, and what is not as it was asked for, a line each.

    Raises what the engine raises, and `ConfigError` for an option of the other one.
    """
    check_options(path, gpu_layers, variant, provider)
    if is_onnx(path):
        from edgemind.engines.onnx import OnnxEngine

        engine = OnnxEngine(
            path, context=context, width=width, threads=threads, variant=variant, provider=provider
        )
        return engine, engine.notices
    from edgemind.engines.llama import LlamaEngine

    return (
        LlamaEngine(
            path, context=context, width=width, gpu_layers=gpu_layers, threads=threads, cache=cache
        ),
        (),
    )
