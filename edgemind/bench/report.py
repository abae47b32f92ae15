"""What was measured, for a person and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edgemind.bench.machine import Beside
from edgemind.bench.measure import Timed
from edgemind.evaluate.plots import text_bars
from edgemind.files import decimal as size

SCHEMA = 1
"""Number of the JSON's form: a new one where a key goes away or means something else."""
REPEATABLE = 0.05
"""A standard deviation beyond this share of the mean is worth a line."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured on what. `model_bytes` are the files', `token_bytes` what a step of one
    branch reads of them. `batch` and `micro_batch` are most tokens of a prompt
    at once, None where the engine fits them to the model."""

    model: str
    path: str
    format: str
    architecture: str
    parameters: int
    quantisation: str
    model_bytes: int
    token_bytes: int
    context: int
    processor: str
    device: str
    threads: int
    batch: int | None
    micro_batch: int | None
    library: str
    cache_bytes: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything. `copy` is the memory's speed in bytes per second, read and written;
    None where the model ran elsewhere than on the processor."""

    subject: Subject
    results: tuple[Timed, ...]
    load_seconds: float
    before_bytes: int
    peak_bytes: int
    copy: float | None
    beside: Beside
    stopped: bool = False

    @property
    def reached(self) -> float | None:
        """Bytes of weights that steps of one branch read in a second; None if not measured."""
        for one in self.results:
            if one.test.steps and one.test.width == 1 and one.seconds:
                return self.subject.token_bytes * one.median
        return None

    def as_values(self) -> dict[str, Any]:
        """As values of JSON; what llama-bench's JSON has too is called as there."""
        return {
            "schema": SCHEMA,
            **asdict(self.subject),
            "load_seconds": self.load_seconds,
            "memory": {"before_bytes": self.before_bytes, "peak_bytes": self.peak_bytes},
            "bandwidth": {"copy": self.copy, "weights": self.reached},
            "conditions": {**asdict(self.beside), "notes": self.beside.notes()},
            "stopped": self.stopped,
            "results": [_values(one) for one in self.results],
        }


def _values(one: Timed) -> dict[str, Any]:
    test = {
        "test": one.test.name,
        "n_prompt": one.test.prompt,
        "n_gen": one.test.steps,
        "width": one.test.width,
    }
    if one.failed:
        return {**test, "failed": one.failed}
    nanoseconds = [round(1e9 * seconds) for seconds in one.seconds]
    return {
        **test,
        "avg_ts": one.mean,
        "stddev_ts": one.deviation,
        "median_ts": one.median,
        "samples_ns": nanoseconds,
        "samples_ts": [*one.rates],
        "first_token_seconds": one.first_token_seconds,
        "joules_per_token": one.joules_per_token,
        "energy_source": one.energy,
    }


def text(report: Report, columns: int = 1000) -> str:
    """Header, table, bars, limits and notes, in so many columns."""
    parts = [
        "\n".join(_wrapped(_header(report), columns)),
        "\n".join(table(report.results, columns)),
        bars(report.results),
        "\n".join(_wrapped(_limits(report), columns)),
    ]
    return "\n\n".join(part for part in parts if part)


def _wrapped(lines: Iterator[str], columns: int) -> Iterator[str]:
    for line in lines:
        yield from textwrap.wrap(line, columns, subsequent_indent="  ", break_on_hyphens=False)


def _header(report: Report) -> Iterator[str]:
    subject = report.subject
    millions = f"{subject.parameters / 1e6:,.1f} M parameters"
    yield (
        f"{subject.model}: {subject.architecture}, {millions}, {subject.quantisation}, "
        f"{size(subject.model_bytes)} ({subject.format})"
    )
    yield f"{subject.processor}, {subject.device}, {subject.library}"
    batch = f"batch {subject.batch}, micro-batch {subject.micro_batch}, " if subject.batch else ""
    yield f"{batch}context {subject.context}, sampling included"
    grown = report.peak_bytes - report.before_bytes
    yield (
        f"loaded in {report.load_seconds:.2f} s; {size(report.peak_bytes)} of memory at most, "
        f"{size(grown)} of it for the model"
    )


def table(results: Sequence[Timed], columns: int = 100) -> Iterator[str]:
    """A line for each test; narrow terminals get the first columns."""
    rows = [("test", "tokens/s", "median", "ms/step", "first token", "J/token")]
    for one in results:
        if one.failed:
            rows.append((one.test.name, f"failed: {one.failed}", "", "", "", ""))
            continue
        first = one.first_token_seconds
        step = 1000 * one.test.width / one.median if one.test.steps else None
        rows.append(
            (
                one.test.name,
                f"{figure(one.mean)} ± {figure(one.deviation)}",
                figure(one.median),
                "–" if step is None else figure(step),
                "–" if first is None else f"{figure(1000 * first)} ms",
                f"{one.joules_per_token:.2g}",
            )
        )
    sound = [row for row in rows if not row[1].startswith("failed")]
    widths = [max(len(row[place]) for row in sound) for place in range(len(rows[0]))]
    while sum(widths) + 2 * (len(widths) - 1) > columns and len(widths) > 2:
        widths.pop()
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        if row[1].startswith("failed"):
            yield f"{cells[0]}  {row[1]}"
            continue
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=False)]
        yield "  ".join(cells).rstrip()


def bars(results: Sequence[Timed]) -> str:
    """Tokens per second of each width, drawn; empty where there are fewer than two."""
    drawn = [
        (f"x{one.test.width}", one.median) for one in results if one.test.steps and one.seconds
    ]
    return text_bars(drawn, "tokens/s, all samples together") if len(drawn) > 1 else ""


def _limits(report: Report) -> Iterator[str]:
    if (reached := report.reached) is not None:
        subject = report.subject
        rate = reached / subject.token_bytes
        most = "at most " if subject.format == "ONNX" else ""
        line = (
            f"memory: {most}{size(subject.token_bytes)} of weights a token × {figure(rate)} "
            f"tokens/s = {reached / 1e9:.3g} GB/s"
        )
        if report.copy is not None:
            line += f"; a copy reads and writes {report.copy / 1e9:.3g} GB/s here"
        if (
            report.copy
            and subject.cache_bytes is not None
            and subject.token_bytes < subject.cache_bytes
        ):
            line += f" (the weights fit into the cache of {size(subject.cache_bytes)})"
        yield line
    for source in dict.fromkeys(one.energy for one in report.results if one.energy):
        counted = "measured, whole device or processor" if source.startswith("measured") else source
        told = "" if counted == source else f" ({source})"
        yield f"energy: {counted}{told}"
    for note in [*_spread(report.results), *report.beside.notes()]:
        yield f"note: {note}"
    if report.stopped:
        yield "note: stopped before the end"


def _spread(results: Sequence[Timed]) -> list[str]:
    wide = [
        one.test.name
        for one in results
        if one.seconds and one.deviation > REPEATABLE * max(one.mean, 1e-9)
    ]
    few = [one for one in results if len(one.seconds) == 1]
    found = []
    if wide:
        found.append(f"repetitions differ by more than 5 %: {', '.join(wide)} (compare medians)")
    if few:
        found.append(f"one repetition only: {', '.join(one.test.name for one in few)}")
    return found


def figure(value: float) -> str:
    """Three to four figures: `12,346`, `123.4`, `1.23`."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 100 else f"{value:.2f}"
