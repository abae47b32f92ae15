"""Where cost models are kept: one JSON file for each model, device and power source, in the cache.

A file is replaced all at once, so that a reader sees the old one or the new one whatever kills the
writer. One that cannot be read, of another version or with numbers that cannot be, counts as none:
what was learned is a convenience, and the next answers teach it again.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections import deque
from pathlib import Path
from typing import Any

from edgemind.costs.history import Lengths, Outcome, Outcomes, Power
from edgemind.costs.lines import Line, Table
from edgemind.costs.model import CostModel
from edgemind.folders import replace_file

VERSION = 1
MOST_BYTES = 1 << 20
MOST_KEYS = 256


class Shelf:
    """The cost models of one loaded model on one device, by power source.

    A battery's clocks are not those of the mains. `device` says how many threads there are.
    """

    def __init__(self, folder: Path, name: str, model_bytes: int, device: str) -> None:
        self._folder = folder / "costs"
        self._name = name
        self._bytes = model_bytes
        self._device = device
        self._models: dict[str, CostModel] = {}

    def model(self, power: str) -> CostModel:
        """The model for a power source (`mains`, `battery`): as it was kept, else a new one."""
        if power not in self._models:
            self._models[power] = read(self.path(power), self._bytes)
        return self._models[power]

    def save(self) -> bool:
        """Write all models that were asked for; False where one could not be written."""
        written = [write(self.path(power), model) for power, model in self._models.items()]
        return all(written)

    def path(self, power: str) -> Path:
        """The file for a power source."""
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", self._name).strip("-.")[:60] or "model"
        key = f"{self._name}\0{self._bytes}\0{self._device}\0{power}"
        return self._folder / f"{safe}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.json"


def read(path: Path, model_bytes: int) -> CostModel:
    """The cost model in a file, a new one where there is none that can be read."""
    costs = CostModel(model_bytes)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) <= MOST_BYTES:
            _fill(costs, json.loads(data))
            return costs
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ):
        pass
    return CostModel(model_bytes)


def write(path: Path, costs: CostModel) -> bool:
    """Replace the file by this model, all at once; False where that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        replace_file(path, json.dumps(_dump(costs), separators=(",", ":")))
    except OSError:
        return False
    return True


def _sweep(path: Path) -> None:
    """Remove what writers that were killed have left."""
    for left in path.parent.glob(f"{path.name}.*.tmp"):
        number = left.name.split(".")[-2]
        if number.isdigit() and int(number) != os.getpid() and not _runs(int(number)):
            left.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _dump(costs: CostModel) -> dict[str, Any]:
    return {
        "version": VERSION,
        "steps": _dump_table(costs.steps),
        "prefills": _dump_table(costs.prefills),
        "power": {kind: _short(power.watts) for kind, power in costs.power.items()},
        "lengths": {kind: [*lengths.seen] for kind, lengths in costs.lengths.items()},
        "outcomes": {
            kind: [
                [*_short((o.tokens, o.steps, o.speed, o.checking)), o.width, o.cut]
                for o in outcomes.seen
            ]
            for kind, outcomes in costs.outcomes.items()
        },
        "ranks": {quantity: _short(ranks) for quantity, ranks in costs.ranks.items()},
    }


def _dump_table(table: Table) -> dict[str, list[list[float]]]:
    lines = {}
    for key, line in table.lines.items():
        line.begin()
        lines[str(key)] = [_short(point) for point in line.points]
    return lines


def _short(values: tuple[float, ...] | deque[float]) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def _fill(costs: CostModel, kept: Any) -> None:
    """Take over what a file says; raises one of the errors that `read` knows where it is wrong."""
    if kept["version"] != VERSION:
        raise ValueError("another version")
    for table, name in ((costs.steps, "steps"), (costs.prefills, "prefills")):
        for key, points in _items(kept[name]):
            line = Line()
            for context, seconds in points:
                line.points.append((_number(context), _number(seconds, least=1e-9)))
            table.lines[_whole(int(key), 1, 1 << 16)] = line
    for kind, watts in _items(kept["power"]):
        power = costs.power.setdefault(kind, Power())
        power.watts.extend(_number(value) for value in watts)
    for kind, seen in _items(kept["lengths"]):
        lengths = costs.lengths.setdefault(kind, Lengths())
        for tokens, cut in seen:
            lengths.observe(_whole(tokens, 1, 1 << 30), bool(cut))
    for kind, seen in _items(kept["outcomes"]):
        outcomes = costs.outcomes.setdefault(kind, Outcomes())
        for tokens, steps, speed, checking, width, cut in seen:
            outcomes.seen.append(
                Outcome(
                    _number(tokens),
                    _number(steps),
                    _whole(width, 1, 1 << 16),
                    _number(speed, least=1e-6),
                    bool(cut),
                    _number(checking),
                )
            )
    for quantity, ranks in _items(kept["ranks"]):
        costs.ranks[quantity].extend(_number(value, least=-1e9) for value in ranks)


def _items(value: Any) -> list[tuple[str, Any]]:
    items = [(str(key), inner) for key, inner in value.items()]
    if len(items) > MOST_KEYS:
        raise ValueError("too many keys")
    return items


def _number(value: Any, least: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    if not (math.isfinite(value) and least <= value <= 1e12):
        raise ValueError("a number that cannot be")
    return float(value)


def _whole(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError("a number that cannot be")
    return value
