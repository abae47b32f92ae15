"""Fit the router's two logistic models on a model's own greedy answers.

    python scripts/fit_router.py PROBLEMS.jsonl [--model FILE.gguf]

Asks every problem once, greedily, and fits P(wrong | prompt signals) and P(right | draft signals)
by iteratively re-weighted least squares with an L2 penalty. Prints the weights (to be put into
`edgemind/router/router.py`), five-fold cross-validated AUROC, and what each bar for accepting a
draft would cost.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

import edgemind
from edgemind.router.router import CORRECT, HARD, draft_signals
from edgemind.router.signals import prompt_signals
from edgemind.types import Completion, Sampled
from edgemind.verify.answers import equivalent

Matrix = npt.NDArray[np.float64]
PENALTY = 1.0
FOLDS = 5


def fit(values: Matrix, target: Matrix) -> Matrix:
    """Weights of a logistic regression; shape (signals + 1,), the bias first."""
    design = np.hstack([np.ones((len(values), 1)), values])
    weights = np.zeros(design.shape[1])
    ridge = PENALTY * np.eye(design.shape[1])
    ridge[0, 0] = 0
    for _ in range(50):
        probability = 1 / (1 + np.exp(-design @ weights))
        slope = np.maximum(probability * (1 - probability), 1e-6)
        hessian = design.T @ (design * slope[:, None]) + ridge
        step = np.linalg.solve(hessian, design.T @ (target - probability) - ridge @ weights)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def predict(values: Matrix, weights: Matrix) -> Matrix:
    """Probabilities, shape (rows,)."""
    return np.asarray(1 / (1 + np.exp(-(weights[0] + values @ weights[1:]))))


def auroc(scores: Matrix, target: Matrix) -> float:
    """Probability that a positive has a higher score than a negative."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    positives = target.sum()
    negatives = len(target) - positives
    if not positives or not negatives:
        return float("nan")
    return float(
        (ranks[target == 1].sum() - positives * (positives + 1) / 2) / positives / negatives
    )


def cross_validated(values: Matrix, target: Matrix) -> Matrix:
    """Out-of-fold probabilities, shape (rows,)."""
    fold = np.arange(len(target)) % FOLDS
    out = np.empty(len(target))
    for number in range(FOLDS):
        weights = fit(values[fold != number], target[fold != number])
        out[fold == number] = predict(values[fold == number], weights)
    return out


def show(name: str, signals: list[str], weights: Matrix) -> None:
    """Print one model as Python source."""
    print(f"{name} = Logistic(\n    {weights[0]:.3f},\n    {{")
    for signal, weight in zip(signals, weights[1:], strict=True):
        print(f'        "{signal}": {weight:.3f},')
    print("    },\n)")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    lines = arguments.problems.read_text().splitlines()[: arguments.limit]
    problems = [json.loads(line) for line in lines]
    drafts: list[Completion] = []
    with edgemind.load(arguments.model) as mind:
        for problem in problems:
            events = mind.stream(problem["prompt"], strategy="direct")
            drafts += [event.completion for event in events if isinstance(event, Sampled)]
    right = np.array(
        [
            float(draft.answer is not None and equivalent(draft.answer, problem["answer"]))
            for draft, problem in zip(drafts, problems, strict=True)
        ]
    )
    before = [prompt_signals(problem["prompt"]) for problem in problems]
    after = [draft_signals(draft) for draft in drafts]
    hard = np.array([[row[name] for name in HARD.weights] for row in before])
    correct = np.array([[row[name] for name in CORRECT.weights] for row in after])
    print(f"{len(problems)} problems, {100 * right.mean():.1f} % right")
    show("HARD", list(HARD.weights), fit(hard, 1 - right))
    show("CORRECT", list(CORRECT.weights), fit(correct, right))
    probability = cross_validated(correct, right)
    print(f"AUROC of P(hard): {auroc(cross_validated(hard, 1 - right), 1 - right):.3f}")
    print(f"AUROC of P(right): {auroc(probability, right):.3f}")
    print("| accept at | accepted % | of them right % | escalated % | of them right % |")
    print("|---|---|---|---|---|")
    for bar in (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98):
        accepted = probability >= bar
        kept = 100 * right[accepted].mean() if accepted.any() else float("nan")
        sent = 100 * right[~accepted].mean() if (~accepted).any() else float("nan")
        share = 100 * accepted.mean()
        print(f"| {bar} | {share:.0f} | {kept:.1f} | {100 - share:.0f} | {sent:.1f} |")


if __name__ == "__main__":
    main()
