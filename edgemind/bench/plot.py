"""The figure of `edgemind bench --plot`: tokens per second of widths and of prompts."""

from __future__ import annotations

from pathlib import Path

from edgemind.bench.report import Report
from edgemind.errors import ConfigError
from edgemind.evaluate.plots import need_matplotlib, new_figure, write_figure

SUFFIXES = (".png", ".svg")


def check_plot(path: Path) -> None:
    """`ConfigError` for a name that says neither PNG nor SVG, and without matplotlib."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path} has to end in .png or .svg")
    need_matplotlib()


def save(report: Report, path: Path) -> None:
    """Draw to `path`: means with their standard deviations."""
    figure = new_figure()
    subject = report.subject
    steps = [one for one in report.results if one.test.steps and one.seconds]
    prompts = [one for one in report.results if one.test.prompt and one.seconds]
    groups = [
        (steps, [one.test.width for one in steps], "samples decoded together", "generating"),
        (prompts, [one.test.prompt for one in prompts], "tokens of the prompt", "prompt"),
    ]
    shown = [group for group in groups if group[0]]
    for number, (results, places, label, title) in enumerate(shown, 1):
        axes = figure.add_subplot(1, len(shown), number)
        rates, spread = [one.mean for one in results], [one.deviation for one in results]
        axes.errorbar(places, rates, spread, fmt="o-", capsize=3, markersize=5)
        axes.set_xlabel(label)
        axes.set_xticks(places)
        axes.set_ylabel("tokens/s (mean ± standard deviation)", fontsize=9)
        axes.set_title(title, fontsize=10)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    name = f"{subject.model}, {subject.quantisation}: {subject.processor}, {subject.device}"
    figure.suptitle(name, fontsize=10)
    write_figure(figure, path)
