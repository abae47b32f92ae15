"""Opens a model, measures it, and puts together what is to be reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.bench.machine import Watch, copy_bytes_per_second, peak_bytes
from edgemind.bench.measure import Timed, chosen_tests, measure, needed_context
from edgemind.bench.report import Report, Subject
from edgemind.bench.weights import bytes_per_token
from edgemind.budget import Meter
from edgemind.card import read_card
from edgemind.catalog.bundled import bundled_model, is_bundled
from edgemind.choosing import model_path
from edgemind.device.processor import last_level_cache_bytes, processor
from edgemind.engines.base import Engine
from edgemind.engines.opening import check_options, is_onnx, open_engine
from edgemind.loading import check_files
from edgemind.meters.base import Place
from edgemind.meters.choose import BestMeter


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to open and what to time; `steps` and lengths as llama-bench's -n and -p."""

    model: str | Path | None = None
    prompts: Sequence[int] = (64, 256, 512)
    steps: int = 128
    widths: Sequence[int] = (1, 2, 4, 8, 16)
    repetitions: int = 5
    most_seconds: float = 10.0
    threads: int | None = None
    gpu_layers: int = 0
    variant: str | None = None
    provider: str = "cpu"


def bench(
    wanted: Wanted,
    tell: Callable[[Timed, int], None] = lambda _timed, _of: None,
    meter: Meter | None = None,
) -> tuple[Report, tuple[str, ...]]:
    """Measure; `tell` hears of each result and of how many there will be.

    A KeyboardInterrupt ends it early, with what was measured so far. Also gives the notices of
    what is not as it was asked for. Raises what opening the model raises.
    """
    tests = chosen_tests(wanted.prompts, wanted.steps, wanted.widths)
    path = bundled_model() if wanted.model is None else model_path(wanted.model)
    check_options(path, wanted.gpu_layers, wanted.variant, wanted.provider)
    if not is_bundled(path):
        check_files(path, wanted.variant, wanted.provider)
    card = read_card(path)
    context = needed_context(wanted.prompts, wanted.steps)
    watch, before, started = Watch(), peak_bytes(), time.perf_counter()
    engine, notices = open_engine(
        path,
        context=context,
        width=max((*wanted.widths, 1)),
        gpu_layers=wanted.gpu_layers,
        threads=wanted.threads,
        cache="unified",
        variant=wanted.variant,
        provider=wanted.provider,
    )
    load_seconds = time.perf_counter() - started
    results: list[Timed] = []
    stopped = False
    try:
        meter = meter or BestMeter(Place(gpu=not engine.device.startswith("cpu")))
        try:
            for one in measure(
                engine,
                tests,
                meter,
                repetitions=wanted.repetitions,
                most_seconds=wanted.most_seconds,
            ):
                results.append(one)
                tell(one, len(tests))
        except KeyboardInterrupt:
            stopped = True
        peak = peak_bytes()
        threads, batch, micro_batch = _how(engine)
        subject = Subject(
            model=engine.info.name,
            path=str(path),
            format=card.format,
            architecture=engine.info.architecture,
            parameters=engine.info.parameters,
            quantisation=card.quantisation,
            model_bytes=card.bytes,
            token_bytes=bytes_per_token(card),
            context=engine.context_length,
            processor=processor(),
            device=engine.device,
            threads=threads,
            batch=batch,
            micro_batch=micro_batch,
            library=_library(path),
            cache_bytes=last_level_cache_bytes(),
        )
    finally:
        engine.close()
    beside = watch.done()
    on_processor = subject.device.startswith("cpu")
    copy = copy_bytes_per_second(threads) if on_processor else None
    report = Report(subject, tuple(results), load_seconds, before, peak, copy, beside, stopped)
    return report, notices


def _how(engine: Engine) -> tuple[int, int | None, int | None]:
    """Threads, and tokens of a batch and of a micro-batch, which engines of one library have."""
    known: Any = engine
    if not hasattr(known, "micro_batch"):
        return int(known.threads), None, None
    from edgemind.engines.llama.opening import BATCH_TOKENS

    return int(known.threads), BATCH_TOKENS, int(known.micro_batch)


def _library(path: Path) -> str:
    """The library that decodes, with its version."""
    from importlib import metadata

    name = "onnxruntime" if is_onnx(path) else "llama-cpp-python"
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return name
