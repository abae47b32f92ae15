"""`edgemind eval`: policies side by side on questions with known answers."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from edgemind.budget import check_budget
from edgemind.catalog.bundled import bundled_model
from edgemind.catalog.fingerprint import fingerprint
from edgemind.choosing import model_path
from edgemind.cli import options
from edgemind.cli.opening import load
from edgemind.cli.options import clean_errors
from edgemind.cli.progress import progress
from edgemind.cli.terminal import put
from edgemind.defaults import WIDTH
from edgemind.errors import ConfigError
from edgemind.evaluate import plots
from edgemind.evaluate.datasets import Problem, read_problems
from edgemind.evaluate.harness import chosen_policies, digest, evaluate
from edgemind.evaluate.replay import (
    SHUFFLES,
    beta_policies,
    read_recordings,
    replay,
    standard_policies,
)
from edgemind.evaluate.report import (
    Report,
    Unit,
    beside,
    points,
    policies_text,
    replay_text,
    replayed_points,
    report,
    report_text,
)
from edgemind.evaluate.results import Result, ResultLog, Settings
from edgemind.prompt import check_sampling
from edgemind.types import Budget, Sampling

MAX_TOKENS = 256


def evaluate_command(
    file: Annotated[Path, typer.Argument(help="JSON lines: questions and answers.")],
    policies: Annotated[
        str | None,
        typer.Option(help="With commas between: direct,majority,auto. All if not given."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many lines.")] = None,
    width: options.Width = WIDTH,
    seed: Annotated[int, typer.Option(min=0, max=(1 << 32) - 1, help="Seed of everything.")] = 1,
    seconds: options.Seconds = None,
    joules: options.Joules = None,
    tokens: options.Tokens = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of one sample.")] = MAX_TOKENS,
    temperature: options.Temperature = None,
    model: options.Model = None,
    threads: options.Threads = None,
    gpu_layers: options.GpuLayers = 0,
    variant: options.Variant = None,
    provider: options.Provider = "cpu",
    out: Annotated[
        Path | None,
        typer.Option(help="Keep each result here at once; the same command goes on where it was."),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the report here.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw to PLOT.png and PLOT.svg (needs matplotlib).")
    ] = None,
    cost: Annotated[Unit, typer.Option(help="What plots and the oracle reckon in.")] = Unit.tokens,
    by: Annotated[str | None, typer.Option(help="Also a table for each value of a field.")] = None,
    replayed: Annotated[
        bool,
        typer.Option("--replay", help="FILE holds recorded samples: replay stopping rules."),
    ] = False,
    shuffles: Annotated[int, typer.Option(min=1, help="Orders of each recording.")] = SHUFFLES,
    half: Annotated[
        int | None, typer.Option(min=0, max=1, help="Only recordings of this half, by their id.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> None:
    """Ask every question under several policies; print accuracy, cost and their differences."""
    with clean_errors():
        if plot is not None:
            plots.need_matplotlib()
        if json is not None and json.is_dir():
            raise ConfigError(f"{json} cannot be written: it is a folder")
        if replayed:
            _replay(file, limit, shuffles, seed, half, json, plot)
            return
        settings = Settings(
            problems="",
            count=0,
            model="",
            policies=chosen_policies(policies),
            width=width,
            seed=seed,
            max_tokens=max_tokens,
            temperature=check_sampling(Sampling(temperature=temperature)).temperature,
            budget=check_budget(Budget(seconds, joules, tokens)),
        )
        problems = read_problems(file, limit, by)
        with load(
            model, threads=threads, gpu_layers=gpu_layers, variant=variant, provider=provider
        ) as mind:
            options.show_notices(mind)
            settings = replace(
                settings,
                problems=digest(problems),
                count=len(problems),
                model=mind.model,
                weights=fingerprint(model_path(model) if model else bundled_model()),
                threads=threads,
                gpu_layers=gpu_layers,
            )
            kept = ResultLog(out, settings) if out is not None else nullcontext(None)
            with kept as log:
                held = len(log.done) if log else 0
                try:
                    with progress(len(problems) * len(settings.policies), quiet, held) as tell:
                        results = []
                        for each in evaluate(mind, problems, settings, log):
                            results.append(each)
                            tell(each.right)
                except KeyboardInterrupt:
                    if out is not None:
                        put(f"stopped: the same command goes on from {out}", sys.stderr)
                    raise
        _show(results, problems, settings, cost, json, plot, file.name)


def _show(
    results: list[Result],
    problems: Sequence[Problem],
    settings: Settings,
    unit: Unit,
    json: Path | None,
    plot: Path | None,
    name: str,
) -> None:
    """Print the report and write its files."""
    found = report(results, settings.policies, unit)
    title = f"{name}: {len(problems)} questions, {settings.model}, width {settings.width}"
    put(f"{title}\n\n{report_text(found)}")
    groups: dict[str, Report] = {}
    for group in sorted({problem.group for problem in problems} - {""}):
        part = [each for each in results if problems[each.question].group == group]
        groups[group] = report(part, settings.policies, unit)
        put(f"\n{group}: {groups[group].policies[0].questions} of the questions\n")
        put(policies_text(groups[group]))
    _plots(points(found, unit), unit, title, plot)
    _write_json(
        json,
        {
            "settings": asdict(settings),
            **found.as_json(),
            "groups": {group: each.as_json() for group, each in groups.items()},
        },
    )


def _replay(
    file: Path,
    limit: int | None,
    shuffles: int,
    seed: int,
    half: int | None,
    json: Path | None,
    plot: Path | None,
) -> None:
    """Stopping rules over recorded samples, and the Beta threshold that does as well."""
    recordings = read_recordings(file)
    if half is not None:
        recordings = [recording for recording in recordings if recording.half == half]
    recordings = recordings[:limit]
    if not recordings:
        raise ConfigError(f"{file} holds no recordings")
    standard = standard_policies()
    longest = max(len(recording.answers) for recording in recordings)
    found = replay(recordings, [*standard, *beta_policies(longest)], shuffles=shuffles, seed=seed)
    own, betas = found[: len(standard)], found[len(standard) :]
    title = f"{file.name}: {len(recordings)} questions, {shuffles} shuffles, seed {seed}"
    put(f"{title}\n\n{replay_text(own)}\n")
    put(beside(own[-1], betas))
    bars = "bars: 95 % of the difference from majority"
    _plots(replayed_points(own), "samples", title, plot, bars)
    values = {
        "questions": len(recordings),
        "shuffles": shuffles,
        "seed": seed,
        "half": half,
        "rules": [asdict(each) for each in own],
        "betas": [asdict(each) for each in betas],
    }
    _write_json(json, values)


def _plots(
    drawn: list[plots.Point], unit: str, title: str, path: Path | None, bars: str = "bars: 95 %"
) -> None:
    put(f"\n{plots.text_plot(drawn, unit)}")
    if path is not None:
        files = plots.save(drawn, unit, title, path, bars)
        put("drawn to " + " and ".join(str(each) for each in files))


def _write_json(path: Path | None, values: dict[str, Any]) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json_module.dumps(values, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
