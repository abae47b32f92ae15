"""Prompts and steps, timed through an engine's five verbs.

The notions are llama-bench's: `pp512` evaluates a prompt of 512 tokens, `tg128` generates 128, and
a result is the tokens per second of some repetitions. Besides, `tg128x8` generates so for eight
branches of one prompt at once, each step one batch. Sampling is part of a step, as it is in an
answer; llama-bench leaves it out.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edgemind.budget import Meter
from edgemind.engines.base import Engine
from edgemind.engines.trails import fork_apart
from edgemind.errors import ConfigError, ContextFull
from edgemind.meters.choose import for_answer
from edgemind.types import Sampling

TEXT = "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left? "
"""What prompts are made of; which words they are does not change how long they take."""
WARM_UP_STEPS = 4


@dataclass(frozen=True, slots=True)
class Workload:
    """What is timed: a prompt of so many tokens, or so many steps of so many branches."""

    prompt: int = 0
    steps: int = 0
    width: int = 1

    @property
    def name(self) -> str:
        """As llama-bench would call it."""
        if self.prompt:
            return f"pp{self.prompt}"
        return f"tg{self.steps}" + (f"x{self.width}" if self.width > 1 else "")

    @property
    def tokens(self) -> int:
        """Tokens of one repetition, all branches together."""
        return self.prompt or self.steps * self.width


@dataclass(frozen=True, slots=True)
class Timed:
    """A test's repetitions: the seconds of each, and of each one's first token (prompts only).

    `joules` are those of all repetitions, by the meter that `energy` names. `failed` says why there
    are none.
    """

    test: Workload
    seconds: tuple[float, ...] = ()
    first_token: tuple[float, ...] = ()
    joules: float = 0.0
    energy: str = ""
    failed: str = ""

    @property
    def rates(self) -> tuple[float, ...]:
        """Tokens per second of each repetition."""
        return tuple(self.test.tokens / max(one, 1e-9) for one in self.seconds)

    @property
    def mean(self) -> float:
        """Mean tokens per second, as llama-bench's `avg_ts`."""
        return statistics.fmean(self.rates)

    @property
    def deviation(self) -> float:
        """Their standard deviation (of the sample, as llama-bench's); 0 of one repetition."""
        return statistics.stdev(self.rates) if len(self.seconds) > 1 else 0.0

    @property
    def median(self) -> float:
        """Median tokens per second."""
        return statistics.median(self.rates)

    @property
    def joules_per_token(self) -> float:
        """Mean of all repetitions."""
        return self.joules / (self.test.tokens * len(self.seconds))

    @property
    def first_token_seconds(self) -> float | None:
        """Median seconds from a prompt to its first token."""
        return statistics.median(self.first_token) if self.first_token else None


def chosen_tests(prompts: Sequence[int], steps: int, widths: Sequence[int]) -> list[Workload]:
    """Prompts first, then widths; `ConfigError` where there is nothing to measure."""
    tests = [Workload(prompt=length) for length in prompts if length > 0]
    if steps > 0:
        tests += [Workload(steps=steps, width=width) for width in widths]
    if not tests:
        raise ConfigError("there is nothing to measure: give lengths with -p or -n above 0")
    return tests


def refusal(engine: Engine, test: Workload) -> str:
    """Why an engine cannot run a test at all; empty where it can."""
    longest = 1 + max(test.prompt, test.steps)
    if longest >= engine.context_length:
        return f"the model's context holds {engine.context_length:,} tokens"
    room = min(engine.max_width, engine.room(longest))
    if test.width > room:
        return f"memory holds {room} sample{'s' if room > 1 else ''} at once"
    return ""


def needed_context(prompts: Sequence[int], steps: int) -> int:
    """Tokens that the longest test takes. A shared cache holds a quarter of it for each branch."""
    return max(*prompts, 4 * steps, 64) + 16


def measure(
    engine: Engine,
    tests: Sequence[Workload],
    meter: Meter,
    *,
    repetitions: int = 5,
    most_seconds: float = 10.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[Timed]:
    """Each test's result as it comes, after a warm-up that does not count.

    A test is repeated less often where it would take longer than `most_seconds`, but once at least.
    """
    for test in tests:
        if reason := refusal(engine, test):
            yield Timed(test, failed=reason)
            continue
        try:
            yield _timed(engine, test, meter, repetitions, most_seconds, clock)
        except ContextFull as error:
            yield Timed(test, failed=str(error))


def _timed(
    engine: Engine,
    test: Workload,
    meter: Meter,
    repetitions: int,
    most_seconds: float,
    clock: Callable[[], float],
) -> Timed:
    run = _prompt if test.prompt else _steps
    warm = test if test.prompt else Workload(steps=min(test.steps, WARM_UP_STEPS), width=test.width)
    run(engine, warm, 0, clock)
    counter = for_answer(meter)
    before, started = counter.joules(), clock()
    seconds: list[float] = []
    first: list[float] = []
    for number in range(repetitions):
        took, first_token = run(engine, test, number + 1, clock)
        seconds.append(took)
        if first_token is not None:
            first.append(first_token)
        if clock() - started + took > most_seconds:
            break
    joules = max(0.0, counter.joules() - before)
    return Timed(test, tuple(seconds), tuple(first), joules, counter.source)


def _prompt(
    engine: Engine, test: Workload, seed: int, clock: Callable[[], float]
) -> tuple[float, float | None]:
    """Seconds of a prompt, and until its first token."""
    tokens = prompt_tokens(engine, test.prompt + 1)
    started = clock()
    branch = engine.prefill(tokens, Sampling(seed=seed))
    try:
        took = clock() - started
        engine.step([branch])
        return took, clock() - started
    finally:
        engine.drop(branch)


def _steps(
    engine: Engine, test: Workload, seed: int, clock: Callable[[], float]
) -> tuple[float, float | None]:
    """Seconds of the steps of all branches together."""
    root = engine.prefill(prompt_tokens(engine, 1), Sampling(seed=seed))
    branches = [root]
    try:
        samplings = [Sampling(seed=seed + 1000 * number) for number in range(test.width)]
        branches += fork_apart(engine, root, samplings)
        started = clock()
        for _ in range(test.steps):
            engine.step(branches[1:])
        return clock() - started, None
    finally:
        for branch in branches:
            engine.drop(branch)


def prompt_tokens(engine: Engine, count: int) -> list[int]:
    """So many tokens of a text, as prompts have them."""
    once = engine.vocabulary.encode(TEXT, False)
    if not once:
        raise ConfigError("this model's vocabulary has no word of the prompts that are timed")
    return (once * (count // len(once) + 1))[:count]
