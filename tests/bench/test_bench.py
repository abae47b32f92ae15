"""Measuring: statistics and words from made-up figures, exact counts on the scripted engine, and
one tiny run of each real engine."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from edgemind.bench import machine, running
from edgemind.bench.machine import Beside, Watch, copy_bytes_per_second
from edgemind.bench.measure import (
    Timed,
    Workload,
    chosen_tests,
    measure,
    needed_context,
    prompt_tokens,
)
from edgemind.bench.plot import check_plot, save
from edgemind.bench.report import Report, Subject, bars, figure, table, text
from edgemind.bench.running import Wanted, bench
from edgemind.bench.weights import bytes_per_token
from edgemind.card import read_card
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import ConfigError
from tests.helpers import Clock, FakeMeter, TimedEngine

CALM = Beside(0.0, 4, False, "mains", None, "")
SUBJECT = Subject(
    model="m",
    path="/m.gguf",
    format="GGUF 3",
    architecture="llama",
    parameters=4_500_000,
    quantisation="Q8_0",
    model_bytes=5_000_000,
    token_bytes=4_000_000,
    context=528,
    processor="a processor",
    device="cpu:2",
    threads=2,
    batch=512,
    micro_batch=128,
    library="llama-cpp-python 0.3.36",
    cache_bytes=None,
)


def report(*results: Timed, beside: Beside = CALM, subject: Subject = SUBJECT) -> Report:
    return Report(subject, results, 0.5, 30_000_000, 80_000_000, 20e9, beside)


def engine(clock: Clock, **options: object) -> TimedEngine:
    return TimedEngine([Line(("a",), (-0.1,), ends=False)], clock, **options)


def test_llama_benchs_names() -> None:
    tests = chosen_tests([0, 512], 128, [1, 8])
    assert [test.name for test in tests] == ["pp512", "tg128", "tg128x8"]
    assert [test.tokens for test in tests] == [512, 128, 1024]
    assert chosen_tests([16], 0, [1]) == [Workload(prompt=16)]
    with pytest.raises(ConfigError, match="nothing to measure"):
        chosen_tests([0], 0, [1])


def test_statistics_are_llama_benchs() -> None:
    """Rates of each repetition first, then their mean and the sample's deviation."""
    one = Timed(Workload(steps=10), seconds=(1.0, 2.0, 4.0), joules=6.0, energy="estimated")
    assert one.rates == (10, 5, 2.5)
    assert one.mean == pytest.approx(17.5 / 3)
    assert one.deviation == pytest.approx(
        math.sqrt(sum((x - 17.5 / 3) ** 2 for x in one.rates) / 2)
    )
    assert (one.median, one.joules_per_token) == (5, 0.2)
    assert one.first_token_seconds is None
    assert Timed(Workload(prompt=4), (1.0,), (2.0,)).deviation == 0


def test_steps_are_counted_exactly() -> None:
    clock = Clock()
    scripted = engine(clock, seconds=(0.5,))
    meter = FakeMeter(clock, watts=3.0)
    [one] = measure(scripted, [Workload(steps=6, width=4)], meter, repetitions=2, clock=clock)
    assert scripted.step_widths == [4] * (4 + 2 * 6)  # the warm-up's four
    assert one.seconds == (3.0, 3.0) and one.mean == 8.0
    assert one.joules == pytest.approx(18.0) and one.energy == "measured:fake"
    assert one.joules_per_token == pytest.approx(18.0 / 48)
    assert scripted.branches == []


def test_prompts_and_their_first_token() -> None:
    clock = Clock()
    scripted = engine(clock, seconds=(0.25,))
    [one] = measure(scripted, [Workload(prompt=9)], FakeMeter(clock), repetitions=3, clock=clock)
    assert scripted.evaluated_tokens == 4 * (9 + 1)  # all of the prompt, and its last in the step
    assert one.first_token == (0.25,) * 3 and one.first_token_seconds == 0.25
    assert scripted.branches == []


def test_long_tests_are_repeated_less_often() -> None:
    clock = Clock()
    scripted = engine(clock, seconds=(1.0,))
    tests = [Workload(steps=4), Workload(steps=20)]
    found = [*measure(scripted, tests, FakeMeter(clock), most_seconds=10.0, clock=clock)]
    assert [len(one.seconds) for one in found] == [2, 1]


def test_what_does_not_fit_fails_by_itself() -> None:
    clock = Clock()
    scripted = engine(clock, cells=30)
    tests = [Workload(prompt=60), Workload(steps=4)]
    first, second = measure(scripted, tests, FakeMeter(clock), repetitions=1, clock=clock)
    assert "cache is full" in first.failed and not first.seconds
    assert len(second.seconds) == 1 and scripted.branches == []
    shown = [*table([first, second])]
    assert shown[1].startswith("pp60") and "failed: the cache is full" in shown[1]
    assert json.loads(json.dumps(report(first).as_values()))["results"][0]["failed"]


def test_what_an_engine_cannot_hold_is_not_tried() -> None:
    clock = Clock()
    scripted = engine(clock, width=2, context=32)
    tests = [Workload(prompt=31), Workload(steps=4, width=3), Workload(steps=4, width=2)]
    found = [*measure(scripted, tests, FakeMeter(clock), repetitions=1, clock=clock)]
    assert [one.failed for one in found] == [
        "the model's context holds 32 tokens",
        "memory holds 2 samples at once",
        "",
    ]


def test_prompts_of_a_length() -> None:
    scripted = ScriptedEngine(["x"])
    assert [len(prompt_tokens(scripted, count)) for count in (1, 73, 500)] == [1, 73, 500]
    assert needed_context((64, 512), 128) == 528 and needed_context((), 1000) == 4016


RESULTS = (
    Timed(Workload(prompt=64), (0.1, 0.11), (0.12, 0.13), 1.0, "estimated"),
    Timed(Workload(steps=8), (0.004, 0.004), joules=0.1, energy="estimated"),
    Timed(Workload(steps=8, width=4), (0.008, 0.016), joules=0.2, energy="estimated"),
)


def test_the_report_for_a_person() -> None:
    shown = text(report(*RESULTS))
    lines = shown.splitlines()
    assert lines[0] == "m: llama, 4.5 M parameters, Q8_0, 5.0 MB (GGUF 3)"
    assert "80 MB of memory at most, 50 MB of it for the model" in shown
    rows = {line.split()[0]: line.split() for line in lines if line.startswith(("pp", "tg"))}
    assert rows["tg8"] == ["tg8", "2,000", "±", "0.00", "2,000", "0.50", "–", "0.0063"]
    assert rows["pp64"][-4:] == ["–", "125.0", "ms", "0.0078"]
    assert "4.0 MB of weights a token × 2,000 tokens/s = 8 GB/s" in shown
    assert "20 GB/s here" in shown and "energy: estimated" in shown
    assert "note: repetitions differ by more than 5 %: pp64, tg8x4" in shown
    assert "x1" in bars(RESULTS) and "x4" in bars(RESULTS) and bars(RESULTS[:2]) == ""


@pytest.mark.parametrize("columns", [30, 44, 60, 100])
def test_narrow_terminals_get_the_first_columns(columns: int) -> None:
    lines = [*table(RESULTS, columns)]
    assert max(map(len, lines)) <= columns
    assert lines[0].split()[:2] == ["test", "tokens/s"]
    assert ("J/token" in lines[0]) == (columns >= 60)
    whole = text(report(*RESULTS), columns).splitlines()
    assert max(len(line) for line in whole if "│" not in line) <= max(columns, 31)


def test_what_spoils_figures_is_said() -> None:
    spoilt = Beside(1.5, 2, True, "battery", 80.0, "powersave")
    shown = text(report(RESULTS[1], beside=spoilt))
    for words in ("other programs took 1.5 of 2", "slowed down", "on battery", "powersave"):
        assert words in shown
    assert CALM.notes() == [] and Beside(None, 2, False, "mains", None, "").notes() == []


def test_the_report_for_programs() -> None:
    values = json.loads(json.dumps(report(*RESULTS).as_values()))
    assert values["schema"] == 1 and values["model"] == "m" and values["threads"] == 2
    assert values["bandwidth"] == {"copy": 20e9, "weights": 8e9}
    assert values["memory"] == {"before_bytes": 30_000_000, "peak_bytes": 80_000_000}
    assert values["conditions"]["notes"] == []
    [prompt, one, four] = values["results"]
    assert [*prompt] == [
        *("test", "n_prompt", "n_gen", "width", "avg_ts", "stddev_ts", "median_ts", "samples_ns"),
        *("samples_ts", "first_token_seconds", "joules_per_token", "energy_source"),
    ]
    assert (one["n_prompt"], one["n_gen"], one["avg_ts"]) == (0, 8, 2000.0)
    assert one["samples_ns"] == [4_000_000] * 2 and four["width"] == 4
    assert report(RESULTS[0]).as_values()["bandwidth"]["weights"] is None


def test_figures() -> None:
    assert [figure(x) for x in (12345.6, 123.45, 1.234)] == ["12,346", "123.5", "1.23"]


def test_the_speed_of_memory() -> None:
    found = copy_bytes_per_second(2, seconds=0.01, size=1 << 20)
    assert 1e7 < found < 1e13


def test_other_programs_are_told_from_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([100.0, 112.0])
    monkeypatch.setattr(machine, "_busy_seconds", lambda: next(moments))
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(machine.time, "monotonic", lambda: next(clock))
    own = iter([5.0, 10.0])
    monkeypatch.setattr(machine, "CpuTime", lambda: lambda: next(own))
    assert Watch().done().others == pytest.approx(0.7)


def test_weights_of_a_token(nano: Path) -> None:
    """The head of this model is its embedding, so all of it is read."""
    card = read_card(nano)
    assert bytes_per_token(card) == sum(size for _, size in card.types)
    onnx = read_card(nano.with_name("edgemind-nano-onnx"))
    assert bytes_per_token(onnx) == onnx.bytes


TINY = Wanted(prompts=(8, 10_000), steps=4, widths=(1, 2), repetitions=2, threads=1)


@pytest.mark.parametrize("folder", [None, "edgemind-nano-onnx"])
def test_both_engines(
    nano: Path, folder: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "copy_bytes_per_second", lambda _: 1e9)
    told: list[tuple[str, int]] = []
    path = None if folder is None else nano.with_name(folder)
    wanted = Wanted(path, TINY.prompts, TINY.steps, TINY.widths, TINY.repetitions, threads=1)
    found, notices = bench(wanted, lambda one, of: told.append((one.test.name, of)))
    assert told == [("pp8", 4), ("pp10000", 4), ("tg4", 4), ("tg4x2", 4)] and notices == ()
    sound = [one for one in found.results if not one.failed]
    assert [one.test.name for one in sound] == ["pp8", "tg4", "tg4x2"]
    assert found.results[1].failed == "the model's context holds 2,048 tokens"
    assert all(len(one.seconds) == 2 and one.mean > 0 for one in sound)
    assert all(one.joules > 0 and one.energy for one in sound)
    assert found.subject.model == "edgemind-nano" and found.subject.device == "cpu:1"
    assert found.subject.library.startswith("onnxruntime" if folder else "llama-cpp-python")
    assert found.peak_bytes >= found.before_bytes > 0 and found.load_seconds > 0
    pytest.importorskip("matplotlib")
    for suffix in (".png", ".svg"):
        save(found, tmp_path / f"plot{suffix}")
        assert (tmp_path / f"plot{suffix}").stat().st_size > 1000


def test_an_interrupt_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "copy_bytes_per_second", lambda _: 1e9)

    def press(_one: Timed, _of: int) -> None:
        raise KeyboardInterrupt

    found, _ = bench(TINY, press)
    assert found.stopped and [one.test.name for one in found.results] == ["pp8"]
    assert "stopped before the end" in text(found)


def test_a_plot_needs_a_name_that_says_how(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.png or \.svg"):
        check_plot(tmp_path / "plot.pdf")
