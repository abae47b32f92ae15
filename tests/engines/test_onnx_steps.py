"""Steps that are like the last one: nothing is made anew, and whatever cuts them does no harm."""

from __future__ import annotations

import dataclasses
import itertools
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.onnx.buffers import KEPT_BYTES, Buffers
from edgemind.engines.onnx.sampling import first_and_measures, largest, measure
from edgemind.engines.worker import Worker
from edgemind.types import Sampling
from tests.engines.branches import GREEDY, PROMPT, before_runs, say, steps
from tests.engines.onnx_models import MATRIX, Kind, write

KINDS = {"concatenating": Kind(kv_heads=2), "in place": MATRIX["genai"]}


@pytest.fixture(params=KINDS)
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return write(tmp_path / "m", KINDS[request.param])


def cut_at(line: int, function: Callable[[], object]) -> bool:
    """Raise KeyboardInterrupt where the engine's so-manieth line begins; whether it came so far."""
    left = itertools.count(line, -1)

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if "/edgemind/engines/" not in frame.f_code.co_filename:
            return None
        if event == "line" and next(left) == 0:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def test_a_signal_may_cut_a_step_anywhere(folder: Path) -> None:
    """A brief step runs where signals arrive: at every line one cuts it, and the answer goes on."""
    engine = OnnxEngine(folder, width=2, threads=1)
    expected = say(engine, PROMPT, 800)
    branch = engine.prefill(PROMPT, GREEDY)
    line, whole = 0, 0
    while whole < 2 and len(branch.tokens) < len(PROMPT) + 780:
        steps(engine, branch, 2)
        if not engine._is_brief([branch]):  # type: ignore[list-item]
            continue  # at the end of a buffer
        whole += not cut_at(line, lambda: engine.step([branch]))
        said = branch.tokens[len(PROMPT) :]
        assert said == expected[: len(said)], f"cut at line {line}"
        assert branch.evaluated < len(branch.tokens)
        line += 1
    assert whole == 2 and line > 40, "every line was tried"
    engine.close()


def test_short_steps_run_where_they_are_called_and_long_ones_do_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OnnxEngine(folder, width=2, threads=1)
    branch = engine.prefill(PROMPT, GREEDY)
    steps(engine, branch, 3)
    threads: list[threading.Thread] = []
    before_runs(engine, monkeypatch, lambda: threads.append(threading.current_thread()))
    engine.step([branch])
    assert engine._cache.repeat is not None
    engine._cache.repeat.seconds = 1.0
    engine.step([branch])
    assert threads[0] is threading.current_thread() is not threads[1]
    engine.close()


def test_the_first_token_takes_no_run_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OnnxEngine(folder, width=4, threads=1)
    expected = say(engine, PROMPT, 6)
    runs: list[int] = []
    before_runs(engine, monkeypatch, lambda: runs.append(1))
    root = engine.prefill(PROMPT, GREEDY)
    children = engine.fork(root, [GREEDY] * 3)
    assert [token.id for token in engine.step(children)] == [expected[0]] * 3
    assert len(runs) == 1
    assert [token.id for token in engine.step(children)] == [expected[1]] * 3
    assert len(runs) == 2
    # A known text is evaluated with all of its tokens at once too.
    engine.extend(children[0], [7, 8, 9])
    engine.step(children[:1])
    assert len(runs) == 3
    assert steps(engine, root, 6) == expected
    engine.close()


def test_steps_of_several_at_different_places(folder: Path) -> None:
    """Rows of different lengths, in another order than they lie, over several enlargements."""
    engine = OnnxEngine(folder, width=3, threads=1)
    prompts = [PROMPT, PROMPT[:7], [*PROMPT, *PROMPT]]
    expected = [say(engine, prompt, 150) for prompt in prompts]
    branches = [engine.prefill(prompt, GREEDY) for prompt in prompts]
    engine.step(branches)
    order = [branches[index] for index in (2, 0, 1)]
    for _ in range(149):
        engine.step(order)
    said = [branch.tokens[len(prompt) :] for branch, prompt in zip(branches, prompts, strict=True)]
    assert said == expected
    engine.close()


def test_a_worker_runs_brief_calls_at_once_until_it_is_closed() -> None:
    worker = Worker("test")
    assert worker.brief(threading.current_thread) is threading.current_thread()
    # A signal handler in a brief call may close the engine.
    worker.brief(worker.close)
    with pytest.raises(RuntimeError, match="closed"):
        worker.brief(lambda: None)


def test_a_call_that_a_signal_cuts_leaves_nothing_for_the_next() -> None:
    worker, stopped = Worker("test"), threading.Event()
    for line in range(30):
        cut_at(line, lambda: worker.call(lambda: "cut", stopped.set))
        assert worker.call(lambda: "next", stopped.set) == "next", f"cut at line {line}"
    assert stopped.is_set()
    worker.close()


def test_calls_go_on_under_a_storm_of_signals() -> None:
    """Also where one comes between the end of a call and the caller who hears of it."""
    worker, cuts, heard = Worker("test"), 0, []

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    until = time.monotonic() + 0.3
    try:
        while time.monotonic() < until:
            try:
                signal.setitimer(signal.ITIMER_REAL, 2e-5)
                for number in range(20):
                    heard.append((number, worker.call(lambda number=number: number, int)))  # type: ignore[misc]
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                cuts += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert cuts and all(asked == answered for asked, answered in heard)
    worker.close()


@pytest.mark.parametrize("size", [40, 3000, 20_000])
def test_a_greedy_row_is_measured_as_in_a_batch(size: int) -> None:
    rows = np.random.default_rng(size).normal(0, 4, (3, size)).astype(np.float32)
    rows[1, [5, 30]] = 50.0  # equal ones: the first wins, by no margin
    before = rows.copy()
    best = largest(rows, 2)
    expected = measure(rows, best[:, 0], best)
    for row, values in enumerate(rows):
        token, logprob, margin = first_and_measures(values)
        assert token == best[row, 0]
        assert logprob == pytest.approx(expected.logprob[row], abs=1e-12)
        assert margin == expected.margin[row]
    assert np.array_equal(rows, before)
    rows[0, 7] = np.nan
    assert np.isnan(rows[0, first_and_measures(rows[0])[0]])


def test_memory_comes_back_and_a_little_of_it_is_kept() -> None:
    buffers = Buffers()
    arrays = [buffers.take(1 << 20, "float32") for _ in range(4)]
    for number, array in enumerate(arrays):
        array[:] = number
    assert [float(array.mean()) for array in arrays] == [0, 1, 2, 3], "no memory is lent twice"
    where = {array.ctypes.data for array in arrays}
    view = arrays[0][:100].reshape(10, 10)
    del array, arrays
    kept = [raw.ctypes.data for raw in buffers._kept]
    assert len(kept) == KEPT_BYTES >> 22
    assert view.ctypes.data not in kept, "it is still looked at"
    again = buffers.take((1 << 20) - 500, "float32")
    assert again.ctypes.data in where
    assert len(buffers._kept) == len(kept) - 1
    buffers.take(1 << 21, "float16")  # as large: one that waits
    buffers.take(1 << 22, "float32")  # larger than all that wait
    assert {raw.size for raw in buffers._kept} == {1 << 24} or not buffers._kept


def test_samplings_that_change_between_steps(folder: Path) -> None:
    """What is known about a batch's samplings is not used for another batch."""
    engine = OnnxEngine(folder, width=4, threads=1)
    hot = Sampling(temperature=1.2, top_k=30, seed=4)
    root = engine.prefill(PROMPT, GREEDY)
    one, two = engine.fork(root, [GREEDY, hot])
    together = [[token.id for token in engine.step([one, two])] for _ in range(8)]
    alone = []
    for sampling in (GREEDY, hot, dataclasses.replace(hot, confidence=True)):
        [branch] = engine.fork(root, [sampling])
        alone.append(steps(engine, branch, 8))
        assert (engine.step([branch])[0].confidence is not None) == bool(sampling.confidence)
        engine.drop(branch)
    assert [list(row) for row in zip(*together, strict=True)] == alone[:2]
    assert alone[2] == alone[1]
    engine.close()
