"""Pictures of the window: drives it over a real X server and saves what it shows.

    python scripts/desktop_pictures.py FOLDER [--scale 1] [--theme light] [--platform xcb]

Without a display it starts Xvfb itself (`apt install xvfb`). The bundled model answers real
questions; pictures are taken at the start, while it thinks (a vote of many samples), after it, and
of the sheets. The person's own files are left alone: it all happens in a temporary home.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
if TYPE_CHECKING:
    from edgemind.desktop.control import Control

QUESTIONS = (
    "What is 20% of 150?",
    "A train leaves at 14:35 and takes 50 minutes. When does it arrive?",
    "Tom has 3 bags with 14 marbles each and gives 5 away. How many are left?",
)
HARD = (
    "Anna has 4 boxes with 15 pencils each, gives 12 away and shares the rest among 6 friends. "
    "How many does each get?"
)
WAIT_SECONDS = 60.0
DISPLAY = ":97"


@contextmanager
def display(scale: float) -> Iterator[None]:
    """A screen of its own, large enough for the window at this scale."""
    program = shutil.which("Xvfb")
    if program is None:
        sys.exit("Xvfb is missing: apt install xvfb, or give --platform offscreen")
    size = f"{round(1300 * scale)}x{round(900 * scale)}x24"
    server = subprocess.Popen(
        [program, DISPLAY, "-screen", "0", size, "-nolisten", "tcp"], stderr=subprocess.DEVNULL
    )
    os.environ["DISPLAY"] = DISPLAY
    try:
        import time

        for _ in range(100):
            if Path(f"/tmp/.X11-unix/X{DISPLAY[1:]}").exists():
                break
            time.sleep(0.05)
        yield
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--theme", choices=("light", "dark"), default="light")
    parser.add_argument("--platform", choices=("xcb", "offscreen"), default="xcb")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="edgemind-pictures-") as home:
        for name, place in (
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CACHE_HOME", "cache"),
        ):
            os.environ[name] = str(Path(home) / place)
        os.environ["EDGEMIND_DESKTOP_THEME"] = arguments.theme
        os.environ["QT_QPA_PLATFORM"] = arguments.platform
        os.environ["QT_SCALE_FACTOR"] = f"{arguments.scale:g}"
        if arguments.platform == "offscreen":
            take(arguments.folder, f"{arguments.theme}-{arguments.scale:g}x")
        else:
            with display(arguments.scale):
                take(arguments.folder, f"{arguments.theme}-{arguments.scale:g}x")


def take(folder: Path, name: str) -> None:
    """Drive the window and save a picture at every stage."""
    from PySide6.QtCore import QEventLoop, QTimer

    from edgemind.desktop.app import application, make
    from edgemind.desktop.display import leave_the_bus
    from edgemind.desktop.model import Opening
    from edgemind.desktop.sheets import HelpSheet
    from edgemind.guard.lock import lock_network

    leave_the_bus(os.environ)
    app = application()
    lock_network()
    control = make(app, Opening())
    window = control.window
    window.show()

    def wait(done: Callable[[], bool], most: float = WAIT_SECONDS) -> None:
        loop = QEventLoop()
        clock = QTimer(interval=10)

        def look() -> None:
            if done():
                loop.quit()

        clock.timeout.connect(look)
        clock.start()
        QTimer.singleShot(round(most * 1000), loop.quit)
        loop.exec()

    def settle() -> None:
        wait(lambda: False, 0.25)

    def save(stage: str) -> None:
        path = folder / f"{stage}-{name}.png"
        app.processEvents()  # what was changed is laid out first
        window.grab().save(str(path))
        print(path)

    control.start()
    wait(lambda: control.files.ready)
    settle()
    save("start")
    for question in QUESTIONS:
        control.ask_this(question)
        wait(lambda: not control.busy)
        control.chats.new()
    settle()
    window.composer.effort.choose("thorough")
    think(control, wait, save)
    settle()
    save("after")
    page = window.page
    page.views[-1].card.head.setChecked(True)
    settle()
    page.verticalScrollBar().setValue(0)
    settle()
    save("unfolded")
    page.views[-1].card.head.setChecked(False)
    page.views[-1].why.setChecked(True)
    settle()
    save("why")
    page.views[-1].why.setChecked(False)
    control.preferences.show_settings()
    help_sheet = HelpSheet(window)
    for stage, sheet in (("settings", control.preferences.sheet), ("keys", help_sheet)):
        assert sheet is not None
        sheet.open()
        settle()
        sheet.grab().save(str(folder / f"{stage}-{name}.png"))
        sheet.reject()
    markdown(control)
    settle()
    save("markdown")
    control.files.show_models()
    wait(lambda: not window.picker.isHidden(), 5)
    settle()
    window.picker.grab().save(str(folder / f"models-{name}.png"))
    window.picker.hide()
    window.close()


def think(control: Control, wait: Callable[..., None], save: Callable[[str], None]) -> None:
    """A question that takes a vote of many samples; a picture in its middle."""
    from edgemind.conversation.effort import Effort
    from edgemind.types import Budget

    os.environ["EDGEMIND_STRATEGY"] = "majority"
    effort = Effort("20s 200J", Budget(seconds=20, joules=200), 24)
    control.effort = effort
    control.window.composer.effort.show_effort(effort)
    control.ask_this(HARD)
    wait(lambda: sum(one.ended for one in control._thinking.samples.values()) >= 9)
    save("thinking")
    wait(lambda: not control.busy)
    del os.environ["EDGEMIND_STRATEGY"]


MARKDOWN = """## What the shop takes

A **pen** costs `0.80`, so twelve are *9.60*; with the notebooks:

1. 12 pens: 9.60
2. 5 notebooks: 8.75
   - each is 1.75

> All prices with tax.

```python
def change(paid: float, *items: float) -> float:
    return paid - sum(items)
```

| item | price |
|---|---|
| pens | 9.60 |
| notebooks | 8.75 |

The change is **31.65**.
"""


def markdown(control: Control) -> None:
    """A page with all that Markdown has."""
    from edgemind.transcript import Turn

    control.window.page.show_turns([Turn("Show me how you set things out.", MARKDOWN)])


if __name__ == "__main__":
    main()
