"""The prior of the stopping rules, as fitted; made by `scripts/fit_stopping.py`, not by hand.

Reached from `edgemind.strategies.stopping`. Fitted to 1,067 questions with 8 samples each: half 0
(see the script) of MATH-500 answered by DeepSeek-R1-Distill-Qwen-7B, and of GSM8K and MATH-500
answered by Qwen2.5-Math-1.5B, as recorded by github.com/ahmd-mohsin/inference-time-uncertainty
(MIT). What it brings on the other half is in docs/log.md.
"""

from __future__ import annotations

from edgemind.strategies.urns import Prior, Urn

# (weight, right, discount, strength)
ROWS = (
    (0.1225, 0.0, 0.5, 1.0),
    (0.0934, 0.0, 0.8, 5.0),
    (0.0132, 0.05, 0.0, 0.5),
    (0.0714, 0.05, 0.5, 1.0),
    (0.0856, 0.05, 0.8, 5.0),
    (0.0252, 0.2, 0.0, 0.5),
    (0.127, 0.2, 0.0, 5.0),
    (0.0124, 0.2, 0.8, 5.0),
    (0.0137, 0.4, 0.0, 5.0),
    (0.07, 0.4, 0.8, 5.0),
    (0.0977, 0.6, 0.0, 5.0),
    (0.0453, 0.6, 0.5, 1.0),
    (0.0151, 0.8, 0.0, 5.0),
    (0.0705, 0.95, 0.0, 5.0),
    (0.0593, 0.95, 0.5, 1.0),
    (0.0777, 0.95, 0.8, 5.0),
)
RECORDED: Prior = tuple(Urn(*row) for row in ROWS)
