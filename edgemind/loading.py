"""Opening a model: the bundled one, a GGUF file or an ONNX folder, tried first if it is unknown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgemind.catalog.bundled import bundled_model, is_bundled
from edgemind.catalog.fingerprint import fingerprint
from edgemind.choosing import model_path
from edgemind.config import load_config
from edgemind.costs.store import Shelf
from edgemind.engines.base import CacheMode, Engine
from edgemind.engines.opening import check_options, model_files, open_engine
from edgemind.errors import ConfigError, PrivacyError, plain
from edgemind.folders import cache_folder, data_folder
from edgemind.guard.lock import current_lock, lock_network
from edgemind.guard.telemetry import switch_off
from edgemind.router.router import Router
from edgemind.router.store import load_calibration
from edgemind.runtime import Mind
from edgemind.usage.account import FILE, Usage

if TYPE_CHECKING:
    from edgemind.catalog.trusted import TrustedFiles
    from edgemind.rendering import Renderer


def load(
    model: str | Path | None = None,
    *,
    context: int = 4096,
    width: int = 16,
    gpu_layers: int = 0,
    threads: int | None = None,
    cache: CacheMode = "unified",
    usage: Usage | bool = False,
    trust: bool = False,
    variant: str | None = None,
    provider: str = "cpu",
    lock: bool | None = None,
) -> Mind:
    """Open a model: a GGUF file, a folder with an ONNX model, or None for the bundled one.

    A text may also be a name of the catalogue (`edgemind models list`) or what another program
    calls a model that it keeps (docs/models.md).

    A file that was not opened before is tried first (`edgemind.probe`): its header is read, and a
    locked child loads it, so that one which makes llama.cpp abort or hang is `ModelInvalid` here.
    That takes about as long as loading it; `trust=True` leaves it out, for files of your own.

    `context` is the longest conversation in tokens, `width` the most samples decoded at once,
    `gpu_layers` how many layers go to a GPU (-1: all), `threads` None for all physical
    performance cores. With `usage` what answers cost is recorded: True keeps the person's own
    record and the budgets of their config.toml, as the command line does (docs/budgets.md), a
    `Usage` (`edgemind.usage.account`) another. Of ONNX folders that hold several models `variant`
    (`q4`, `fp16`, `f32` …) takes one; `provider` is where they run (`cpu`, `cuda`, `coreml` …).

    `lock=True` shuts the whole calling process, all its threads and later children, out of every
    network, loopback included, until it ends: nothing can take that back. `PrivacyError` where this
    system cannot. Otherwise your process is left as it is, and `Answer.network` says `open`;
    libraries' telemetry is switched off in `os.environ` either way, and HF_HUB_OFFLINE set unless
    you set it yourself.

    Raises `ModelNotFound`, `ModelInvalid` or `ModelUnsupported`, `ModelError` where the machine's
    free memory cannot hold it, and `ConfigError` for what cannot be.
    """
    for name, value in (("context", context), ("width", width), ("threads", threads)):
        if value is not None and value < 1:
            raise ConfigError(f"{name} has to be at least 1, not {value}")
    locked = lock_network() if lock else current_lock()
    if lock and not locked.on:
        raise PrivacyError(f"the network cannot be locked: {locked.why}")
    switch_off(os.environ, locked=locked.on)
    path = bundled_model() if model is None else model_path(model)
    check_options(path, gpu_layers, variant, provider)
    renderer: Renderer | None = None
    if not trust and not is_bundled(path):
        from edgemind.catalog.known_templates import KNOWN
        from edgemind.rendering import Renderer

        trusted, files = check_files(path, variant, provider)
        renderer = Renderer()
        if trusted.template(files[0]) not in KNOWN:
            renderer.start()  # while the model is loaded
    engine: Engine | None = None
    try:
        kept = Usage(data_folder() / FILE, load_config()) if usage is True else usage or None
        engine, notices = open_engine(
            path,
            context=context,
            width=width,
            gpu_layers=gpu_layers,
            threads=threads,
            cache=cache,
            variant=variant,
            provider=provider,
        )
        if renderer is not None:
            notices += _template_notices(engine)
            renderer = _needed(renderer, engine)
        name, size = engine.info.name, engine.info.bytes
        calibration, passed_over = load_calibration(data_folder(), name, size)
        return Mind(
            engine,
            router=Router(calibration),
            usage=kept,
            weights=fingerprint(path) if kept else "",
            costs=Shelf(cache_folder(), name, size, engine.device),
            notices=(*notices, *passed_over),
            renderer=renderer,
        )
    except BaseException:
        if engine is not None:
            engine.close()
        if renderer is not None:
            renderer.close()
        raise


def check_files(
    path: Path, variant: str | None, provider: str
) -> tuple[TrustedFiles, tuple[Path, ...]]:
    """Try a model's files where they are unknown (`edgemind.probe`); what is trusted, the files."""
    from edgemind.probe import check_model, trusted_files

    trusted = trusted_files(data_folder())
    files = model_files(path, variant, provider)
    for file in files:
        check_model(file, trusted)
    return trusted, files


def _needed(renderer: Renderer, engine: Engine) -> Renderer | None:
    """The renderer, unless the model's template is one that this process may render."""
    from edgemind.catalog.known_templates import KNOWN
    from edgemind.catalog.templates import template_hash

    source = engine.info.template
    if source is not None and template_hash(source) not in KNOWN:
        return renderer
    renderer.close()
    return None


def _template_notices(engine: Engine) -> tuple[str, ...]:
    """A line where a model of this name had another chat template before."""
    from edgemind.catalog.templates import TemplateRecord, template_hash

    template = template_hash(engine.info.template)
    before = TemplateRecord(data_folder() / "templates").change(engine.info.name, template)
    if before is None:
        return ()
    name = plain(engine.info.name)
    return (
        f"the chat template of {name} has changed: sha256 {template[:16]}, before {before[:16]}; "
        "it decides what the model is told (edgemind models verify shows it)",
    )
