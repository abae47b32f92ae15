"""A whole answer over a device's meter: what the receipt says, also where the meter breaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from edgemind.engines.base import Branch
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.meters.choose import BestMeter
from edgemind.meters.estimate import Estimate, Power
from edgemind.runtime import Mind
from edgemind.types import Answer, Budget, Token
from edgemind.wording import receipt
from tests.helpers import PROMPT, SURE, still_watchdog
from tests.meters.devices import DEVICES, Device, RaplDevice

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)


class DeviceEngine(ScriptedEngine):
    """Each step takes a second and draws 10 W of the device, a little less each time."""

    def __init__(self, device: Device, before_step: Callable[[int], None]) -> None:
        super().__init__([Line((*"thinking", *" #### 4"), (SURE,))])
        self.device = device
        self.before_step = before_step

    def step(self, branches: Sequence[Branch]) -> list[Token]:
        steps = len(self.step_widths)
        self.before_step(steps)
        tokens = super().step(branches)
        self.device.pass_time(1.0, 10.0 - 0.001 * steps)
        return tokens


def ask(
    device: Device, on_step: Callable[[int], None] = lambda step: None, **limits: float
) -> Answer:
    clock = device.clock
    estimate = Estimate(Power("test", 0.0, 4.0, 0.5), lambda: 0.0, clock)
    meter = BestMeter(device.place(), estimate)
    with Mind(DeviceEngine(device, on_step), clock=clock, meter=meter) as mind:
        return mind.ask(PROMPT, strategy="direct", budget=Budget(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["rapl", "battery", "pmic", "hwmon"])
def test_the_receipt_says_what_measured(tmp_path: Path, name: str) -> None:
    answer = ask(DEVICES[name](tmp_path))
    assert answer.spent.energy_source == f"measured:{name}"
    assert answer.spent.joules == pytest.approx(10 * answer.spent.seconds, rel=0.15)
    assert f"J (measured:{name})" in receipt(answer)
    assert json.loads(answer.to_json())["spent"]["energy_source"] == f"measured:{name}"


def test_a_meter_that_breaks_is_told(tmp_path: Path) -> None:
    device = RaplDevice(tmp_path)

    def unplug(step: int) -> None:
        if step == 5:
            device.break_it("missing")

    answer = ask(device, unplug)
    assert answer.finish == "stop"
    assert "J (estimated (rapl failed: it disappeared))" in receipt(answer)
    assert answer.spent.joules == pytest.approx(10 * answer.spent.seconds, rel=0.25)


def test_joules_of_a_counter_cut_an_answer(tmp_path: Path) -> None:
    answer = ask(RaplDevice(tmp_path), joules=75.0)
    assert answer.finish == "budget"
    assert answer.text
    assert answer.spent.joules <= 75.0 + 10.0
    assert answer.spent.tokens <= 8
