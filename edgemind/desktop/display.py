"""What the window needs of the system around it, found out before Qt is loaded. No Qt."""

from __future__ import annotations

import configparser
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from edgemind.errors import ConfigError

WAIT_SECONDS = 0.5
BUS = "DBUS_SESSION_BUS_ADDRESS"
NO_BUS = "disabled:"


def check_qt() -> None:
    """`ConfigError` where PySide6 is missing or a library that it needs is."""
    if importlib.util.find_spec("PySide6") is None:
        raise ConfigError("the window needs PySide6: pip install 'edgemind[desktop]'")
    try:
        import PySide6.QtWidgets  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            f"Qt does not load ({error}): on Debian, apt install libegl1 libgl1 "
            "libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libdbus-1-3"
        ) from None


def check_display(environment: Mapping[str, str] = os.environ) -> None:
    """`ConfigError` where there is no screen to open a window on."""
    if sys.platform != "linux" or environment.get("QT_QPA_PLATFORM"):
        return
    if not environment.get("DISPLAY") and not environment.get("WAYLAND_DISPLAY"):
        raise ConfigError(
            "there is no display to open a window on (DISPLAY and WAYLAND_DISPLAY are not set): "
            "edgemind chat works in a terminal"
        )


def leave_the_bus(environment: MutableMapping[str, str]) -> None:
    """Keep Qt from the session's bus: it leads to programs that have a network."""
    environment[BUS] = NO_BUS
    environment.setdefault("NO_AT_BRIDGE", "1")


def system_is_dark(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a Linux desktop is dark, where Qt cannot tell without its bus.

    GNOME's setting by its own program (which reads a file), else GTK's file.
    """
    if sys.platform != "linux":
        return False
    if environment.get("XDG_CURRENT_DESKTOP") and (program := shutil.which("gsettings")):
        asked = [program, "get", "org.gnome.desktop.interface", "color-scheme"]
        try:
            told = subprocess.run(
                asked, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            told = ""
        if "prefer" in told:
            return "dark" in told
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    reader = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        reader.read(Path(home) / "gtk-3.0" / "settings.ini", encoding="utf-8")
        settings = reader["Settings"]
    except (configparser.Error, KeyError, OSError, UnicodeDecodeError):
        return False
    dark = settings.get("gtk-application-prefer-dark-theme", "").lower() in ("1", "true")
    return dark or settings.get("gtk-theme-name", "").lower().endswith("-dark")
