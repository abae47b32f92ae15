"""What the router knows of one model: four logistic models, bars, its votes, where they are from.

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
from edgemind.types import Reason, Stopping

VERSION = 3


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

    `hard`: P(one pass is wrong | prompt). `correct`: P(right | draft). `gain`: P(the draft is wrong
    and a vote right | draft). `agreed`: P(right | vote). A draft whose gain is under `least_gain`
    is taken as it is: what stays wrong after a vote is not worth one. A vote draws `most` samples
    at most, None where as many as were asked for. A sample whose window of
    log-probabilities sinks under `floor` is given up; None gives none up. `stopping` ends a vote;
    None leaves that to the rules for models in general. `data` names the problems it was fitted
    on (their SHA-256), `problems` how many, `error` the expected calibration error of `correct`
    and `auroc` its discrimination, both on problems that it was not fitted to.
    """

    hard: Logistic
    correct: Logistic
    gain: Logistic
    agreed: Logistic
    least_gain: float
    floor: float | None = None
    stopping: Stopping | None = None
    most: int | None = None
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
            hard, correct, gain, agreed = (
                _logistic(fields.pop(name), KNOWN[name])
                for name in ("hard", "correct", "gain", "agreed")
            )
            stopping = _stopping(fields.pop("stopping"))
            made = Calibration(hard, correct, gain, agreed, stopping=stopping, **fields)
            numbers = (made.least_gain, 0.0 if made.floor is None else made.floor)
            if not all(math.isfinite(number) for number in numbers):
                raise ValueError("a bar is not a number")
            if made.most is not None and not (type(made.most) is int and made.most >= 2):
                raise ValueError("a vote takes two samples at least")
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


def _stopping(fields: dict[str, Any] | None) -> Stopping | None:
    if fields is None:
        return None
    price, urns = float(fields["price"]), []
    for row in fields["urns"]:
        weight, right, discount, strength = (float(number) for number in row)
        # Urns outside of these bounds have no logarithm.
        if not (weight > 0 and 0 <= right < 1 and 0 <= discount < 1 and 0 < strength < math.inf):
            raise ValueError(f"{row} is no urn")
        urns.append((weight, right, discount, strength))
    if not urns or not 0 < price < 1:
        raise ValueError("a vote has no price, or no urns")
    return Stopping(price, tuple(urns))


_DRAFT = Logistic(
    -1.36,
    {
        # Those at 0 add nothing to the others here; a model's own calibration may find otherwise.
        "answer_logprob": 0.0,
        "answer_margin": 0.15,
        "lowest_window": 0.77,
        "weakest": 0.0,
        "early_doubt": -0.49,
        "late_doubt": -0.58,
        "mean_logprob": 0.0,
        "length": 0.0,
        "cut": -3.0,  # not fitted: few drafts were cut there
        "objections": -4.31,
    },
)
DEFAULT = Calibration(
    hard=Logistic(
        -8.45,
        {"length": 1.49, "numbers": 4.18, "digits": 1.35, "operators": -0.15, "constraints": 0.30},
    ),
    correct=_DRAFT,
    # Of a model that was not asked: a vote may mend every wrong draft.
    gain=Logistic(-_DRAFT.bias, {name: -weight for name, weight in _DRAFT.weights.items()}),
    agreed=Logistic(
        0.15,
        {"share": -0.28, "weight": 4.00, "distinct": -1.71, "drawn": 0.60, "mean_logprob": 6.96,
         "objections": -7.49},
    ),
    least_gain=0.4,
)  # fmt: skip
KNOWN = {
    "hard": frozenset(
        "length numbers digits operators constraints question open_ended code mathematics "
        "foreign".split()
    ),
    "correct": frozenset(_DRAFT.weights),
    "gain": frozenset(_DRAFT.weights),
    "agreed": frozenset(DEFAULT.agreed.weights),
}
