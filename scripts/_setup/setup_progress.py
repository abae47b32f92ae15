"""What a person sees of a set-up: signs of life, and advice when it fails.

Used by setup_install.py and setup_commands.py.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from typing import TextIO

HEARTBEAT_SECONDS = 15.0

ADVICE = {
    r"No space left on device": (
        "The disk is full: free 3 GB, or point TMPDIR to a folder with more room."
    ),
    r"Killed signal|signal terminated program|std::bad_alloc|virtual memory exhausted": (
        "The compiler ran out of memory: try again with CMAKE_BUILD_PARALLEL_LEVEL=1."
    ),
    r"CMAKE_C(XX)?_COMPILER|[Cc]ompiler.* (not found|is broken|not able to compile)": (
        "The compiler does not work: on Debian or Ubuntu, sudo apt install build-essential."
    ),
    r"Failed to establish a new connection|NameResolutionError|name resolution|Network is "
    r"unreachable|Connection refused|Connection reset|Read timed out|connection broken": (
        "The package index did not answer: check the connection and try again; what was fetched "
        "is kept."
    ),
    r"ensurepip is not available|No module named ensurepip": (
        "On Debian or Ubuntu: sudo apt install python3-venv."
    ),
}


def advice(log: str) -> str:
    """One sentence on what to do, from what the log of a failed command says."""
    for pattern, sentence in ADVICE.items():
        if re.search(pattern, log):
            return sentence
    return "Try again; if it fails in the same place, the log says where."


def last_words(log: str, count: int = 12) -> list[str]:
    """The end of a log, after the first errors that a compiler or pip reported before it."""
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    error = re.compile(r"\b(error|ERROR): (?!subprocess-exited)|CMake Error")
    causes = [line for line in lines[:-count] if error.search(line)]
    return [*causes[:3], *lines[-count:]]


class Progress:
    """Signs of life: one moving line on a terminal, a line now and then elsewhere."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str]) -> None:
        self._stream = stream
        self._moving = stream.isatty() and environment.get("TERM", "dumb") != "dumb"
        self._started = time.monotonic()
        self._shown = self._started
        self._phase = ""
        self._detail = ""

    @property
    def elapsed(self) -> str:
        """Minutes and seconds since the start."""
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes}:{seconds:02}"

    def say(self, text: str) -> None:
        """A whole line that stays."""
        self.clear()
        print(f"edgemind: {text}", file=self._stream, flush=True)

    def clear(self) -> None:
        """Take the moving line away."""
        if self._moving:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def state(self, phase: str, detail: str = "") -> None:
        """What is being done now; a new phase is shown at once."""
        new = phase != self._phase
        self._phase, self._detail = phase, detail
        if new:
            self._show()

    def read(self, line: str) -> None:
        """Learn the state from a line of pip's or a compiler's output."""
        if match := re.match(r"\s*\[\s*(\d+/\d+|\d+%)\] ", line):
            self.state("compiling llama.cpp", match[1])
        elif match := re.match(r"\s*Collecting ([A-Za-z0-9._-]+)", line):
            self.state("fetching packages", match[1])
        elif "Building wheel for llama" in line:
            self.state("preparing to compile llama.cpp")
        elif "Installing collected packages" in line:
            self.state("installing packages")

    def tick(self) -> None:
        """Show the state again where it is time to."""
        pause = 1.0 if self._moving else HEARTBEAT_SECONDS
        if time.monotonic() - self._shown >= pause:
            self._show()

    def _show(self) -> None:
        self._shown = time.monotonic()
        text = f"edgemind: {self.elapsed} {self._phase} {self._detail}".rstrip()
        if self._moving:
            text = text[: shutil.get_terminal_size().columns - 1]
            self._stream.write(f"\r\033[K{text}")
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()
