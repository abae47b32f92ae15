"""`edgemind usage`: what answers have cost, today and before. Never what they said."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from edgemind.cli.options import clean_errors
from edgemind.cli.record import person_usage
from edgemind.cli.terminal import put, put_json
from edgemind.config import Limits, load_config
from edgemind.errors import ConfigError
from edgemind.evaluate.plots import text_bars
from edgemind.usage.limits import amount
from edgemind.usage.report import Report, Sum, read
from edgemind.wording import printable

PLOTTED_DAYS = 10


def usage_command(
    days: Annotated[
        int, typer.Option(min=0, max=36_500, help="Days to report, today included; 0 for all.")
    ] = 7,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON, with every answer.")] = (
        False
    ),
    csv: Annotated[bool, typer.Option("--csv", help="Print every answer as a line of CSV.")] = (
        False
    ),
) -> None:
    """What answers have cost: time, tokens, seconds and joules, by day and model."""
    with clean_errors():
        if json and csv:
            raise ConfigError("give either --json or --csv")
        config = load_config()
        usage = person_usage()
        path = usage.database.path
        if path is not None and not path.exists():
            usage.database.path = None  # nothing to read is no reason to make a file
        try:
            report = read(usage.database, time.time(), days or None)
        finally:
            usage.close()
        if json:
            put_json(report.to_json())
        elif csv:
            rows = report.to_csv()
            print(printable(rows) if sys.stdout.isatty() else rows, end="")
        elif report.rows:
            put(text(report, config.budget))
        else:
            since = "yet" if not days else f"in the last {days} days"
            hint = "" if config.usage.record else " (usage.record is false in config.toml)"
            print(f"no answer was recorded {since}{hint}", file=sys.stderr)


def text(report: Report, limits: Limits) -> str:
    """The report for a terminal."""
    lines = table("", [report.today, report.whole])
    for unit, spent in (("seconds", report.today.seconds), ("joules", report.today.joules)):
        limit = getattr(limits, f"{unit}_per_day")
        if limit is not None:
            lines.append(
                f"today: {amount(spent, unit)} of {amount(limit, unit)} ({spent / limit:.0%})"
            )
    lines += ["", *table("by model", list(report.by_model))]
    plotted = report.by_day[-PLOTTED_DAYS:]
    if len(plotted) > 1:
        bars = [(each.name[5:], each.joules) for each in plotted]
        lines += ["", text_bars(bars, "joules")]
    if report.predicted:
        found = report.predicted
        lines += [
            "",
            f"predicted (answers: {found.answers}): {found.seconds_inside:.0%} of the times and "
            f"{found.joules_inside:.0%} of the energies lay in the interval of 90 %",
        ]
    return "\n".join(lines)


def table(title: str, sums: list[Sum]) -> list[str]:
    """A line for each sum under a header."""
    names = max(len(title), 14, *(len(each.name) for each in sums))
    lines = [f"{title:<{names}} {'answers':>9} {'tokens':>11} {'seconds':>11} {'joules':>11}"]
    for each in sums:
        source = f"  {each.energy_source}" if each.energy_source else ""
        lines.append(
            f"{each.name:<{names}} {each.answers:>9,} {each.tokens:>11,} {each.seconds:>11,.1f} "
            f"{each.joules:>11,.1f}{source}"
        )
    return lines
