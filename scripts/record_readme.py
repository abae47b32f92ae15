"""Records docs/recording.svg: the real program in a real terminal, as one animated picture.

    python scripts/record_readme.py [--out docs/recording.svg]

Each command of `SCENES` is typed into a terminal of 88 × 25 characters and run there, with the
bundled model, an empty home folder and a fixed seed. What the program writes, and when, the picture
shows; only the typing and the pauses between commands are made up. Record on a quiet machine.

The picture holds every version of every line with the times at which it is seen, as text, moved by
CSS alone: no script, no font from anywhere, dark or light as the reader's system is. Where nothing
moves (reduced motion, a converter) it shows the end. Needs pyte: pip install 'edgemind[dev]'.
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import shlex
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fcntl import ioctl
from html import escape
from pathlib import Path
from termios import TIOCSWINSZ

import pyte

ROOT = Path(__file__).resolve().parents[1]
COLUMNS, ROWS = 88, 25
SCENES = (
    'edgemind ask "What is 17 * 23?" --seconds 2',
    "edgemind ask --seed 2 \\\n"
    '"Nora has 8 boxes with 25 pencils each and gives 8 away. How many pencils are left?"',
    'edgemind ask "What is 17 * 23?" --json | grep -o \'"network": "[a-z:]*"\'',
)
TYPED_SECONDS, PAUSE_SECONDS, END_SECONDS = 0.035, 1.2, 6.0
TYPED_AT_ONCE = 2
FRAME_SECONDS = 0.05
CELL, LINE, SIZE, EDGE = 8.4, 19, 14, 16
STYLE = """
.w{fill:#f6f8fa;stroke:#d1d9e0}text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;
fill:#1f2328;white-space:pre}.d{fill:#59636e}.p{fill:#1a7f37;font-weight:bold}
@media(prefers-color-scheme:dark){.w{fill:#0d1117;stroke:#3d444d}text{fill:#e6edf3}.d{fill:#9198a1}
.p{fill:#3fb950}}@media(prefers-reduced-motion:reduce){*{animation:none!important}}
"""

Run = tuple[str, str]
"""A piece of a line and its class: `` plain, `d` dim, `p` the prompt."""
Row = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands on the screen from `seconds` on."""

    seconds: float
    rows: tuple[Row, ...]


@dataclass(slots=True)
class Recorder:
    """A terminal, its clock and what was seen on it."""

    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(COLUMNS, ROWS))
    seconds: float = 0.0
    frames: list[Frame] = field(default_factory=list)
    stream: pyte.ByteStream = field(init=False)

    def __post_init__(self) -> None:
        self.stream = pyte.ByteStream(self.screen)

    def show(self, data: bytes, lasting: float) -> None:
        """Write to the terminal, and look at it for so long."""
        self.stream.feed(data)
        self.frames.append(Frame(self.seconds, tuple(self._row(at) for at in range(ROWS))))
        self.seconds += lasting

    def _row(self, number: int) -> Row:
        cells = [self.screen.buffer[number][column] for column in range(COLUMNS)]
        runs: list[Run] = []
        for cell in cells:
            # pyte knows no dim text; `play` has it in another colour.
            kind = {"cyan": "d", "green": "p"}.get(cell.fg, "")
            if runs and runs[-1][1] == kind:
                runs[-1] = (runs[-1][0] + cell.data, kind)
            else:
                runs.append((cell.data, kind))
        while runs and not runs[-1][0].rstrip():
            runs.pop()
        if runs:
            runs[-1] = (runs[-1][0].rstrip(), runs[-1][1])
        return tuple(runs)


def record(scenes: Sequence[str]) -> Recorder:
    """Type and run every command."""
    recorder = Recorder()
    prompt = b"\x1b[32m$\x1b[39m "
    with tempfile.TemporaryDirectory(prefix="edgemind-recording-") as home:
        environment = environment_in(Path(home))
        for line in scenes:
            recorder.show(prompt, PAUSE_SECONDS / 2)
            for at in range(0, len(line), TYPED_AT_ONCE):
                typed = line[at : at + TYPED_AT_ONCE]
                shown = typed.replace("\n", "\r\n> ")  # as a shell asks for the rest of a line
                recorder.show(shown.encode(), TYPED_SECONDS * len(typed))
            recorder.show(b"\r\n", 0)
            for lasting, data in play(line, environment):
                recorder.seconds += lasting
                recorder.show(data.replace(b"\x1b[2m", b"\x1b[36m"), 0)
            recorder.seconds += PAUSE_SECONDS
    recorder.show(prompt, END_SECONDS)
    return recorder


def environment_in(home: Path) -> dict[str, str]:
    """An environment with an empty home, in which `edgemind` is this checkout's."""
    program = home / "bin" / "edgemind"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m edgemind "$@"\n')
    program.chmod(0o755)
    return {
        "HOME": str(home),
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
    }


def play(line: str, environment: dict[str, str]) -> Iterator[tuple[float, bytes]]:
    """Run a line in a terminal: what it writes, each with the seconds that it waited for."""
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        ["sh", "-c", line], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    before = time.monotonic()
    gathered = b""
    while True:
        ready, _, _ = select.select([ours], [], [], FRAME_SECONDS)
        try:
            data = os.read(ours, 1 << 16) if ready else b""
        except OSError:  # Linux: the other end is closed
            break
        if not data and process.poll() is not None:
            break
        gathered += data
        now = time.monotonic()
        if gathered and now - before >= FRAME_SECONDS:
            yield now - before, gathered
            before, gathered = now, b""
    yield time.monotonic() - before, gathered
    os.close(ours)
    if code := process.wait():
        raise SystemExit(f"{line} ended with exit code {code}")


def draw(frames: Sequence[Frame], seconds: float) -> str:
    """The picture of these frames, which begins again after so many seconds."""
    height = ROWS * LINE + 2 * EDGE
    width = round(COLUMNS * CELL) + 2 * EDGE
    rules: list[str] = []
    texts: list[str] = []
    for number in range(ROWS):
        for row, begin, end in versions(frames, number, seconds):
            last = end >= seconds
            name = f"k{len(rules)}"
            rules.append(_rule(name, begin / seconds, end / seconds, seconds))
            hidden = "" if last else ' visibility="hidden"'
            texts.append(f'<g id="{name}"{hidden}>{"".join(_texts(row, number))}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        "<title>A recording of edgemind in a terminal</title>"
        f"<style>{STYLE.strip()}\n{''.join(rules)}</style>"
        f'<rect class="w" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>'
        f"{''.join(texts)}</svg>\n"
    )


def versions(
    frames: Sequence[Frame], number: int, seconds: float
) -> Iterator[tuple[Row, float, float]]:
    """What stood in a line, from when and until when; empty lines are left out."""
    row: Row = ()
    begin = 0.0
    for frame in (*frames, Frame(seconds, ((),) * ROWS)):
        if frame.rows[number] != row:
            if row and frame.seconds > begin:
                yield row, begin, frame.seconds
            row, begin = frame.rows[number], frame.seconds


def _rule(name: str, begin: float, end: float, seconds: float) -> str:
    steps = "0%{visibility:hidden}" if begin > 0 else ""
    steps += f"{begin:.2%}{{visibility:visible}}"
    steps += f"{end:.2%}{{visibility:hidden}}" if end < 1 else "to{visibility:visible}"
    return (
        f"@keyframes {name}{{{steps}}}#{name}{{animation:{name} {seconds:.2f}s step-end infinite}}"
    )


def _texts(row: Row, number: int) -> Iterator[str]:
    column = 0
    y = EDGE + number * LINE + SIZE
    for text, kind in row:
        bare = text.strip(" ")
        if bare:
            x = EDGE + (column + len(text) - len(text.lstrip(" "))) * CELL
            style = f' class="{kind}"' if kind else ""
            length = len(bare) * CELL
            yield (
                f'<text x="{x:g}" y="{y}" textLength="{length:.4g}"{style}>{escape(bare)}</text>'
            )
        column += len(text)


def main() -> None:
    """Record, and write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "recording.svg")
    out: Path = parser.parse_args().out
    recorder = record(SCENES)
    out.write_text(draw(recorder.frames, recorder.seconds), encoding="utf-8")
    print(f"{out}: {recorder.seconds:.1f} s, {out.stat().st_size >> 10} KiB")


if __name__ == "__main__":
    main()
