"""What keeping a budget costs: ledger and meters around each step, against the bare engine's loop.

    python scripts/bench_ledger.py [--model FILE.gguf] [--rounds 30] [--steps 60]

One branch, which is where a step is shortest, in turns within one run: the bare loop; the ledger
with the estimate; the ledger with a guarded RAPL counter (files in a temporary folder, read as
often as real ones; a real `/sys` adds the kernel's own time). Limits in seconds and joules are on,
so the watchdog polls as well. Printed are the median step of each, the medians of the ratios to the
bare loop of the same round, and the bookkeeping's own time, taken around its calls: the ledger's
and the meter's, not the cost model's. The target is 1 %.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from edgemind.budget import Cost, Ledger, Meter, Watchdog
from edgemind.catalog.bundled import bundled_model
from edgemind.engines.base import Engine
from edgemind.engines.llama import LlamaEngine
from edgemind.meters.base import Place
from edgemind.meters.cpu_time import CpuTime
from edgemind.meters.estimate import Estimate
from edgemind.meters.guarded import Guarded
from edgemind.meters.rapl import rapl
from edgemind.types import Budget, Sampling

PROMPT = "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?"
SAMPLING = Sampling(temperature=1.0, seed=1)


def fake_rapl(folder: Path) -> None:
    """Two packages, as a server has them."""
    for package in (0, 1):
        domain = folder / f"sys/class/powercap/intel-rapl:{package}"
        domain.mkdir(parents=True)
        (domain / "name").write_text(f"package-{package}\n")
        (domain / "max_energy_range_uj").write_text("262143328850\n")
        (domain / "energy_uj").write_text("123456789012\n")


def loop(engine: Engine, tokens: list[int], steps: int, meter: Meter | None) -> tuple[float, float]:
    """Median seconds of a step, and of its bookkeeping (0 in the bare loop)."""
    branch = engine.prefill(tokens, SAMPLING)
    cost, reserve = Cost(1e-3, 1e-3, 1), Cost(1e-2, 1e-2, 16)  # predicting them is another matter
    ledger = watchdog = None
    if meter is not None:
        ledger = Ledger(Budget(seconds=1e6, joules=1e9), time.monotonic, meter)
        watchdog = Watchdog(ledger, engine.interrupt, engine.resume)
        watchdog.arm(Cost())
    whole, own = [], []
    for _ in range(steps):
        started = time.perf_counter()
        if ledger is None:
            engine.step([branch])
        else:
            assert ledger.fits(cost, reserve)
            ledger.elapsed()
            between = time.perf_counter()
            engine.step([branch])
            stepped = time.perf_counter()
            ledger.charge(1, 0)
            ledger.elapsed()
            own.append(between - started + time.perf_counter() - stepped)
        whole.append(time.perf_counter() - started)
    if watchdog is not None:
        watchdog.close()
    engine.drop(branch)
    return statistics.median(whole), statistics.median(own) if own else 0.0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fake_rapl(Path(folder))
        sensor = rapl(Place(root=Path(folder)))
        estimate = Estimate(cpu_seconds=CpuTime())
        kinds: dict[str, Callable[[], Meter | None]] = {
            "bare": lambda: None,
            "estimate": lambda: estimate,
            "rapl": lambda: Guarded(sensor, estimate),
        }
        engine = LlamaEngine(arguments.model or bundled_model(), context=1024, width=1)
        try:
            report(engine, kinds, arguments.rounds, arguments.steps)
        finally:
            engine.close()


def report(
    engine: Engine, kinds: dict[str, Callable[[], Meter | None]], rounds: int, steps: int
) -> None:
    """Run in turns, in another order each round, and print."""
    tokens = engine.vocabulary.encode(PROMPT, False)
    names = list(kinds)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    own: dict[str, list[float]] = {name: [] for name in names}
    loop(engine, tokens, steps, None)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            step, bookkeeping = loop(engine, tokens, steps, kinds[name]())
            seconds[name].append(step)
            own[name].append(bookkeeping)
    print(f"{engine.info.name}, {rounds} rounds of {steps} steps, one branch")
    for name in names:
        ratios = [a / b for a, b in zip(seconds[name], seconds["bare"], strict=True)]
        share = [a / b for a, b in zip(own[name], seconds["bare"], strict=True)]
        print(
            f"{name:9} step {1e3 * statistics.median(seconds[name]):.3f} ms, "
            f"to the bare loop {statistics.median(ratios):.4f}, "
            f"bookkeeping {1e6 * statistics.median(own[name]):.1f} µs "
            f"= {statistics.median(share):.2%} of a step"
        )


if __name__ == "__main__":
    main()
