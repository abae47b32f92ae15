"""How the window begins: the lock, what is missing, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edgemind.cli.main import app as commands
from edgemind.desktop import display
from edgemind.guard.evidence import SELF_TEST
from tests.cli.test_network import network
from tests.guard.children import ROOT, calls, linux, traced

WINDOW = """
import json
from edgemind.cli.main import lock
lock(["desktop"])
from edgemind.desktop.app import open_window
from edgemind.desktop.display import leave_the_bus
from edgemind.desktop.model import Opening
import os
leave_the_bus(os.environ)
app, control = open_window(Opening(threads=1))
control.opened.connect(lambda name: control.ask_this("What is 2 + 2?"))
said = []
control.answered.connect(lambda turn: (said.append(turn.answer.network), control.window.close()))
app.exec()
assert said == ["locked:seccomp"]
"""


@linux
def test_the_window_is_locked_and_opens_no_socket(app: Any, tmp_path: Path) -> None:
    """Two filters: the first leaves AF_UNIX to the display (offscreen has none), the second none.

    Each tests itself by a socket that is refused, and nothing else asks for one.
    """
    command = [sys.executable, "-c", WINDOW]
    environment = {
        "QT_QPA_PLATFORM": "offscreen",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere",
    }
    traces = traced(command, tmp_path / "trace", environment=environment)
    assert len(list(calls(traces, "seccomp"))) == 2
    assert network(traces) == [SELF_TEST, SELF_TEST]


def test_without_pyside_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(display.importlib.util, "find_spec", lambda name: None)
    done = CliRunner().invoke(commands, ["desktop"])
    assert done.exit_code == 2
    assert done.stderr == "edgemind: the window needs PySide6: pip install 'edgemind[desktop]'\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(commands, ["desktop"])
    assert done.exit_code == 2
    [line] = done.stderr.splitlines()
    assert "no display" in line and "edgemind chat" in line


@linux
def test_what_qt_cannot_do_is_one_line(app: Any, home: Path) -> None:
    done = window({"QT_QPA_PLATFORM": "nonsense"})
    told, _ = done.communicate(timeout=60)
    assert done.returncode == 2
    lines = told.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith("edgemind: no window could be opened: ")


@linux
def test_a_request_to_end_closes_it(app: Any, home: Path) -> None:
    process = window({"QT_QPA_PLATFORM": "offscreen"})
    try:
        for _ in range(400):
            if "llama" in Path(f"/proc/{process.pid}/maps").read_text():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, told) == (0, b"")


def window(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """`edgemind desktop` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "edgemind", "desktop", "--threads", "1"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_the_bus_is_left() -> None:
    environment = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"}
    display.leave_the_bus(environment)
    assert environment["DBUS_SESSION_BUS_ADDRESS"] == "disabled:"


@pytest.mark.parametrize(
    ("text", "dark"),
    [
        ("[Settings]\ngtk-application-prefer-dark-theme=1\n", True),
        ("[Settings]\ngtk-theme-name=Adwaita-dark\n", True),
        ("[Settings]\ngtk-theme-name=Adwaita\n", False),
        ("nonsense", False),
        ("", False),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="Qt knows it elsewhere")
def test_a_dark_desktop_is_known(text: str, dark: bool, tmp_path: Path) -> None:
    (tmp_path / "gtk-3.0").mkdir()
    (tmp_path / "gtk-3.0" / "settings.ini").write_text(text)
    assert display.system_is_dark({"XDG_CONFIG_HOME": str(tmp_path)}) is dark


def test_nothing_of_qt_is_loaded_before_it_is_needed() -> None:
    script = (
        "import json, sys; import edgemind.cli.desktop, edgemind.desktop.start;"
        "print(json.dumps([name for name in sys.modules if name.startswith('PySide6')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
