"""Another process: its output bounded, its time limited, nothing of it left behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from edgemind.verify.processes import MAX_OUTPUT, run

PLENTY = 60.0


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", script)


def test_text_in_and_out(tmp_path: Path) -> None:
    script = "import os, sys; print(len(sys.stdin.read()), os.getcwd(), os.environ.get('A'))"
    big = b"x" * 10_000_000
    ended = run(python(script), big, PLENTY, folder=tmp_path, environment={"A": "b"})
    assert ended.code == 0
    assert ended.stdout.decode().split() == [str(len(big)), str(tmp_path.resolve()), "b"]


def test_codes_and_both_outputs() -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    ended = run(python(script), b"", PLENTY)
    assert (ended.code, ended.stdout, ended.stderr) == (3, b"out\n", b"err\n")


def test_a_flood_is_read_but_not_kept() -> None:
    script = "import sys; [f.write('x' * 5_000_000) for f in (sys.stdout, sys.stderr)]"
    ended = run(python(script), b"unread" * 1_000_000, PLENTY)
    assert ended.code == 0
    assert (len(ended.stdout), len(ended.stderr)) == (MAX_OUTPUT, MAX_OUTPUT)


def test_a_flood_without_end_is_cut() -> None:
    started = time.monotonic()
    ended = run(python("while True: print('x' * 1000)"), b"", 0.5)
    assert ended.code is None
    assert len(ended.stdout) == MAX_OUTPUT
    assert time.monotonic() - started < PLENTY


@pytest.mark.parametrize("closing", ["", "os.close(1); os.close(2);"])
def test_the_whole_group_goes_when_time_is_up(closing: str, tmp_path: Path) -> None:
    script = f"import os, time; os.fork(); os.fork(); {closing} time.sleep(600)"
    before = time.monotonic()
    ended = run(python(script), b"", 0.3, folder=tmp_path)
    assert ended.code is None
    assert time.monotonic() - before < PLENTY
    assert processes_in(tmp_path) == []


def test_what_a_process_leaves_behind_goes_with_it(tmp_path: Path) -> None:
    script = "import os, time; os.fork() or time.sleep(600); print('done', flush=True)"
    ended = run(python(script), b"", PLENTY, folder=tmp_path)
    assert (ended.code, ended.stdout) == (0, b"done\n")
    assert processes_in(tmp_path) == []


@pytest.mark.parametrize("closing", ["", "os.close(1); os.close(2);"])
def test_what_nobody_waits_for_any_more_is_ended(closing: str, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    script = f"import os, time; os.fork(); {closing} open('begun', 'w'); time.sleep(600)"
    before = time.monotonic()
    ended = run(python(script), b"", PLENTY, folder=tmp_path, stopped=begun.exists)
    assert (ended.code, ended.stopped) == (None, True)
    assert begun.exists(), "it ran, and did not merely fail to start"
    assert time.monotonic() - before < PLENTY
    assert processes_in(tmp_path) == []


def test_what_ended_by_itself_was_not_stopped() -> None:
    ended = run(python("print('done')"), b"", PLENTY, stopped=lambda: False)
    assert (ended.code, ended.stdout, ended.stopped) == (0, b"done\n", False)
    assert not run(python("import time; time.sleep(600)"), b"", 0.1).stopped


def processes_in(folder: Path) -> list[int]:
    """The processes that work in `folder`, once those just killed had a moment to go."""
    for _ in range(200):
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").readlink() == folder.resolve():
                    found.append(int(entry.name))
            except OSError:
                continue
        if not found:
            break
        os.sched_yield()
        time.sleep(0.01)
    return found


def test_what_is_no_program() -> None:
    with pytest.raises(OSError, match="no-such-program"):
        run(("/no-such-program",), b"", PLENTY)
