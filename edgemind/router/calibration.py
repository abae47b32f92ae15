"""What the router knows of one model: three logistic models, a bar, a floor, where they are from.

`edgemind calibrate` fits them for a model; `DEFAULT` was fitted on the bundled model's validation
problems and is what any other model starts with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edgemind.errors import ConfigError
from edgemind.types import Reason

VERSION = 1


@dataclass(frozen=True, slots=True)
class Logistic:
    """P = 1 / (1 + exp(-(bias + Σ weight × signal)))."""

    bias: float
    weights: Mapping[str, float]

    def explain(self, signals: Mapping[str, float]) -> tuple[float, tuple[Reason, ...]]:
        """The probability, and each signal's contribution to its logit, largest first."""
        reasons = [
            Reason(name, signals[name], signals[name] * weight)
            for name, weight in self.weights.items()
        ]
        logit = self.bias + sum(reason.contribution for reason in reasons)
        reasons.sort(key=lambda reason: -abs(reason.contribution))
        bounded = max(-30.0, min(30.0, logit))
        return 1 / (1 + math.exp(-bounded)), tuple(reasons)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights and bars of one model.

    `hard`: P(one pass is wrong | prompt). `correct`: P(right | draft). `agreed`: P(right | vote).
    A draft at or above `accept` is taken as it is. A sample whose window of log-probabilities
    sinks under `floor` is given up; None gives none up. `data` names the problems it was fitted
    on (their SHA-256), `problems` how many, `error` the expected calibration error of `correct`
    and `auroc` its discrimination, both on problems that it was not fitted to.
    """

    hard: Logistic
    correct: Logistic
    agreed: Logistic
    accept: float
    floor: float | None = None
    data: str = ""
    problems: int = 0
    error: float = math.nan
    auroc: float = math.nan

    def to_json(self) -> str:
        """As JSON text."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1)

    @staticmethod
    def from_json(text: str, source: str = "the calibration") -> Calibration:
        """What `to_json` wrote; `ConfigError` for anything else."""
        try:
            fields: dict[str, Any] = json.loads(text)
            if fields.pop("version") != VERSION:
                raise ConfigError(f"{source} is of another version: run edgemind calibrate again")
            hard, correct, agreed = (
                _logistic(fields.pop(name), KNOWN[name]) for name in ("hard", "correct", "agreed")
            )
            made = Calibration(hard, correct, agreed, **fields)
            numbers = (made.accept, 0.0 if made.floor is None else made.floor)
            if not all(math.isfinite(number) for number in numbers):
                raise ValueError("a bar is not a number")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigError(
                f"{source} is damaged ({error}): run edgemind calibrate again, or delete it"
            ) from None
        return made


def _logistic(fields: dict[str, Any], known: frozenset[str]) -> Logistic:
    weights = {str(name): float(weight) for name, weight in fields["weights"].items()}
    made = Logistic(float(fields["bias"]), weights)
    if unknown := sorted(set(weights) - known):
        raise ValueError(f"no signal is called {unknown[0]!r}")
    if not all(math.isfinite(number) for number in (made.bias, *weights.values())):
        raise ValueError("a weight is not a number")
    return made


DEFAULT = Calibration(
    hard=Logistic(
        -8.45,
        {"length": 1.49, "numbers": 4.18, "digits": 1.35, "operators": -0.15, "constraints": 0.30},
    ),
    correct=Logistic(
        6.49,
        {
            "answer_logprob": 0.50,
            "answer_margin": 0.15,
            "lowest_window": 7.04,
            "mean_logprob": 4.25,
            "length": -1.53,
            "cut": -3.0,  # not fitted: no draft was cut there
            "objections": -5.06,
        },
    ),
    agreed=Logistic(
        0.15,
        {"share": -0.28, "weight": 4.00, "distinct": -1.71, "drawn": 0.60, "mean_logprob": 6.96,
         "objections": -7.49},
    ),
    accept=0.6,
)  # fmt: skip
KNOWN = {
    "hard": frozenset(
        "length numbers digits operators constraints question open_ended code mathematics "
        "foreign".split()
    ),
    "correct": frozenset(DEFAULT.correct.weights),
    "agreed": frozenset(DEFAULT.agreed.weights),
}
