"""How soon the window is there, and whether it ever keeps a person waiting. Offscreen.

    python scripts/bench_desktop.py [--runs 5]

Each run is a process of its own that opens the window as `edgemind desktop` does. Counted from the
process's start: the first paint, and the bundled model ready to be asked. Then, by a timer of 5 ms,
the longest time in which the window's event loop came to nothing else: while the model loads, while
an answer of 16,000 characters of Markdown streams in as fast as Python can make it (a scripted
engine, which leaves the interpreter to the window less often than a real one), while the bundled
model draws 64 samples, and while the colours change with that page open. Medians, and the worst in
brackets. The last column is the window's own work in such a stretch (processor time of its thread),
which a busy machine does not change.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
if TYPE_CHECKING:
    from edgemind.desktop.control import Control

TICK_MS = 5
START_SECONDS, GAP_MS = 1.5, 50.0
"""What the window promises."""
BLOCK = """## Part {n}

A paragraph of **some** length, with `code` in it, that says why the sum of the parts is {n}.

1. first the *one*
2. then the other

```python
def part(number: int) -> int:
    return number * {n}
```

"""
LONG = "".join(BLOCK.format(n=number) for number in range(80))[:16_000]
QUESTION = "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?"
STAGES = ("first paint", "model ready", "gap: loading", "gap: streaming", "gap: 64 samples",
          "gap: colours")  # fmt: skip


class Gaps:
    """The longest time between two ticks beyond what was asked for, and work in it, in ms."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._longest = self._most = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def take(self) -> tuple[float, float]:
        """The longest since this was last asked for."""
        self._tick()
        longest, most = self._longest, self._most
        self._longest = self._most = 0.0
        return longest, most

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self._longest = max(self._longest, (now - self._last) * 1000 - TICK_MS)
        self._most = max(self._most, (worked - self._worked) * 1000)
        self._last, self._worked = now, worked


def child(began: float) -> None:
    """One run: prints its figures as JSON."""
    from edgemind.cli.main import lock

    lock(["desktop"])
    from edgemind.desktop.display import check_qt, leave_the_bus
    from edgemind.desktop.model import Opening

    leave_the_bus(os.environ)
    check_qt()
    from PySide6.QtCore import QEvent, QEventLoop, QObject

    from edgemind.desktop.app import application, open_window

    found: dict[str, tuple[float, float]] = {}

    class Painted(QObject):
        """Notes the first paint of the page."""

        def eventFilter(self, _: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and "first paint" not in found:
                found["first paint"] = time.time() - began, time.process_time()
            return False

    painted = Painted()
    application().installEventFilter(painted)
    app, control = open_window(Opening())
    gaps = Gaps()

    def wait(done: Callable[[], bool]) -> None:
        while not done():
            app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    wait(lambda: control.files.ready)
    found["model ready"] = time.time() - began, time.process_time()
    found["gap: loading"] = gaps.take()
    app.removeEventFilter(painted)

    os.environ["EDGEMIND_STRATEGY"], os.environ["EDGEMIND_WIDTH"] = "majority", "64"
    many(control)
    wait(lambda: not control.busy)
    found["gap: 64 samples"] = gaps.take()
    del os.environ["EDGEMIND_STRATEGY"], os.environ["EDGEMIND_WIDTH"]

    scripted(control)
    gaps.take()
    control.ask_this("Write something long.")
    wait(lambda: not control.busy)
    wait(lambda: control.window.page.views[-1].answer.markdown.startswith(LONG[:-40]))
    found["gap: streaming"] = gaps.take()
    assert LONG.strip() == control.window.page.views[-1].answer.markdown.strip()

    mode = control.preferences.look.theme.mode
    control.preferences.toggle_theme()
    wait(lambda: control.preferences.look.theme.mode != mode)
    view = control.window.page.views[-1].answer
    wait(lambda: view.toPlainText().endswith(view.markdown.rstrip()[-1:]))
    for _ in range(20):
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    found["gap: colours"] = gaps.take()
    control.window.close()
    print(json.dumps(found))


def many(control: Control) -> None:
    """Ask for a vote of 64 samples."""
    from edgemind.conversation.effort import Effort
    from edgemind.types import Budget

    control.effort = Effort("limits", Budget(seconds=60), 64)
    control.ask_this(QUESTION)


def scripted(control: Control) -> None:
    """Another model: one that says the long text, a few characters at a time."""
    from edgemind.conversation.talk import Talk
    from edgemind.engines.scripted import Line, ScriptedEngine
    from edgemind.runtime import Mind

    pieces = tuple(LONG[place : place + 5] for place in range(0, len(LONG), 5))
    engine = ScriptedEngine([Line(pieces, (-0.0001,))], context=1 << 15)
    control.model.talk = Talk(Mind(engine), control.model.feed)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--child", type=float, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        child(arguments.child)
        return
    runs: list[dict[str, list[float]]] = []
    for number in range(arguments.runs + 1):
        with tempfile.TemporaryDirectory(prefix="edgemind-bench-") as home:
            places = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
            environment = (
                os.environ | dict.fromkeys(places, home) | {"QT_QPA_PLATFORM": "offscreen"}
            )
            command = [sys.executable, __file__, "--child", str(time.time())]
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, text=True, check=True
            )
        if number:  # the first fills the system's file cache
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    print(f"{len(runs)} starts of the window; median (worst)")
    for stage in STAGES:
        values = [run[stage][0] for run in runs]
        work = max(run[stage][1] for run in runs)
        unit, most = ("ms", GAP_MS) if stage.startswith("gap") else ("s", START_SECONDS)
        form = ".0f" if unit == "ms" else ".2f"
        print(
            f"{stage:<16} {statistics.median(values):8{form}} ({max(values):{form}}) {unit}"
            f", work {work:{form}} {unit}{'' if max(values) < most else f'   above {most:g}'}"
        )


if __name__ == "__main__":
    main()
