"""What the answers of one model teach of their costs, and when that is written down.

`edgemind.runtime` has one for each model. `edgemind.costs` is what is learned and where it is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from edgemind.conditions import Conditions
from edgemind.costs.model import CostModel
from edgemind.costs.store import Shelf
from edgemind.plan import Plan
from edgemind.run import Run
from edgemind.types import Answer

SAVE_SECONDS = 30.0
"""What was learned of costs is written at most so often, and when the model is closed."""


class Learning:
    """The cost model that answers are planned with, and taught by. Forgotten without a `shelf`."""

    def __init__(
        self,
        model_bytes: int,
        shelf: Shelf | None,
        conditions: Conditions,
        clock: Callable[[], float],
    ) -> None:
        self.costs = CostModel(model_bytes)
        self._shelf = shelf
        self._conditions = conditions
        self._clock = clock
        self._saved = clock()

    def begin(self) -> CostModel:
        """An answer begins: the costs on the power source that there is now."""
        if self._shelf is not None:
            self.costs = self._shelf.model(self._conditions.power_source())
        self._conditions.throttled()  # what happened before this answer is not its concern
        self.costs.begin()
        return self.costs

    def learn(self, answer: Answer, run: Run, plan: Plan) -> None:
        """Teach the cost model how the answer came out, and keep that now and then."""
        costs, spent = self.costs, answer.spent
        costs.observe_power(spent.phases)
        costs.observe_answer(plan.route, plan.asked, run.work(), spent, cut=run.cut is not None)
        if run.cut != "interrupted":
            costs.observe_forecast(plan.forecast, spent)
        if self._clock() - self._saved >= SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write down what was learned."""
        self._saved = self._clock()
        if self._shelf is not None:
            self._shelf.save()
