"""Fit the prior of the stopping rules to recorded samples, and compare rules on what was left out.

    python scripts/fit_stopping.py RECORDED.jsonl [MORE.jsonl ...] [--half 0] [--judge OTHER.jsonl]

Each line of a file has `id`, `gold` and `answers` (a model's sampled answers to one question). The
questions are split in two by a hash of their id, so that a question is in the same half of every
file. The prior is fitted to one half of all files together and printed as
`edgemind/strategies/prior.py`; the other half then judges: accuracy and samples of each rule, and
of the cheapest Beta threshold that loses no more (or nothing). `--judge` takes the other half of
other files: does a prior hold for a model or a data set that it has not seen?
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edgemind.errors import EdgemindError
from edgemind.evaluate.fitting import fit, pattern
from edgemind.evaluate.replay import (
    Policy,
    Recording,
    Replayed,
    beta_policies,
    cheapest,
    read_recordings,
    replay,
)
from edgemind.strategies.stopping import Beta, Certain, Settled, Windowed, Worth
from edgemind.strategies.urns import Prior

PRICES = (0.0002, 0.0003, 0.0005, 0.0007, 0.001, 0.002, 0.003, 0.004, 0.005)
SETTLED = (0.005, 0.01, 0.02, 0.03, 0.05)


def source(prior: Prior) -> str:
    """The prior as rows of Python."""
    rows = (f"({u.weight}, {u.right}, {u.discount}, {u.strength})," for u in prior)
    return "\n".join(f"    {row}" for row in rows)


def row(result: Replayed) -> str:
    """One line of the table: accuracy in per cent, loss in points."""
    return (
        f"| {result.policy} | {100 * result.accuracy.value:.2f} | "
        f"{100 * result.lost.value:+.3f} | {result.samples.value:.3f} |"
    )


def policies(prior: Prior) -> list[Policy]:
    """What is compared, but for the Beta thresholds."""
    certain = Certain()
    return [
        Policy("majority"),
        Policy("certain", (certain,)),
        Policy("beta 0.95", (certain, Beta(0.95))),
        *(Policy(f"window {width}", (certain, Windowed(width))) for width in (2, 3, 4, 5)),
        *(Policy(f"settled {risk:g}", (certain, Settled(risk, prior))) for risk in SETTLED),
        *(Policy(f"worth {price:g}", (certain, Worth(price, prior))) for price in PRICES),
    ]


def compare(name: str, recordings: list[Recording], prior: Prior, shuffles: int) -> None:
    """Print one file's table, and what the Beta stop takes for the same loss."""
    samples = max(len(recording.answers) for recording in recordings)
    own = policies(prior)
    results = replay(recordings, [*own, *beta_policies(samples)], shuffles=shuffles)
    betas = results[len(own) :]
    print(f"\n{name}: {len(recordings)} questions, {shuffles} shuffles")
    print(
        "| rule | accuracy % | lost, points | samples | Beta, no more lost |\n|---|---|---|---|---|"
    )
    for result in results[: len(own)]:
        rival = cheapest(betas, result)
        beside = f"{rival.samples.value:.3f} ({rival.policy})" if rival else "none"
        print(f"{row(result)} {beside} |")
    print("\n| every Beta threshold | accuracy % | lost, points | samples |\n|---|---|---|---|")
    for result in betas:
        print(row(result))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recorded", type=Path, nargs="+")
    parser.add_argument("--half", type=int, choices=(0, 1), default=0, help="the half to fit to")
    parser.add_argument("--shuffles", type=int, default=50)
    parser.add_argument("--judge", type=Path, nargs="+", default=[], metavar="FILE")
    arguments = parser.parse_args()
    try:
        files = {path.stem: read_recordings(path) for path in arguments.recorded}
        judges = {path.stem: read_recordings(path) for path in arguments.judge} or files
    except EdgemindError as error:
        sys.exit(f"fit_stopping: {error}")
    patterns = [
        pattern(recording.answers, recording.gold)
        for recordings in files.values()
        for recording in recordings
        if recording.half == arguments.half
    ]
    if not patterns:
        sys.exit(f"fit_stopping: no question is in half {arguments.half}")
    prior = fit(patterns)
    print(f"{len(patterns)} questions of half {arguments.half}, {len(prior)} urns\n{source(prior)}")
    for name, recordings in judges.items():
        judged = [recording for recording in recordings if recording.half != arguments.half]
        if judged:
            compare(name, judged, prior, arguments.shuffles)


if __name__ == "__main__":
    main()
