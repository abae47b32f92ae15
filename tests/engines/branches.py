"""What the tests of engines share: prompts of the tiny models, and what comes after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from edgemind.engines.base import Branch, CacheMode, Engine
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.onnx import OnnxEngine
from edgemind.types import Sampling

GREEDY = Sampling(temperature=0.0)
DRAWN = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0, seed=11)
PROMPT = [*range(40, 60)]
OTHER = [*range(300, 337)]


def steps(engine: Engine, branch: Branch, count: int) -> list[int]:
    """The next tokens of one branch."""
    return [engine.step([branch])[0].id for _ in range(count)]


def say(
    engine: Engine, tokens: Sequence[int], count: int = 8, sampling: Sampling = GREEDY
) -> list[int]:
    """What comes after a prompt; nothing is left behind."""
    branch = engine.prefill(tokens, sampling)
    said = steps(engine, branch, count)
    engine.drop(branch)
    return said


def before_runs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, function: Callable[[], None]
) -> None:
    """Call `function` before each call into the engine's library that evaluates tokens."""
    assert isinstance(engine, LlamaEngine | OnnxEngine)
    owner: Any = engine if isinstance(engine, LlamaEngine) else engine._runner
    name = "_decode" if isinstance(engine, LlamaEngine) else "execute"
    run = getattr(owner, name)

    def called(*arguments: Any) -> Any:
        function()
        return run(*arguments)

    monkeypatch.setattr(owner, name, called)


def is_idle(engine: Engine) -> bool:
    """Whether no branch is alive and the next verb would run."""
    if isinstance(engine, OnnxEngine):
        return not engine._cache.branches and not engine._run.is_stopped
    assert isinstance(engine, LlamaEngine)
    return not engine._cache.branches and not engine._abort.is_set


def opened(kind: str, tiny: Path, tiny_onnx: dict[str, Path], context: int, width: int) -> Engine:
    """An engine of one of the four kinds that the `engine` fixture has."""
    if kind in tiny_onnx:
        return OnnxEngine(tiny_onnx[kind], context=context, width=width, threads=1)
    mode: CacheMode = "split" if kind == "split" else "unified"
    return LlamaEngine(tiny, context=context, width=width, threads=1, cache=mode)
