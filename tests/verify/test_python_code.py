"""Python in a text: found, compiled, run, tested, and kept from doing any harm."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path

import pytest

from edgemind.errors import ConfigError
from edgemind.guard.bpf import MACHINES
from edgemind.types import Verdict
from edgemind.verify import children
from edgemind.verify.children import Reply
from edgemind.verify.python_code import MAX_CODE, PythonCode, find_code

PLENTY = 60.0
CPU_SECONDS = 5
locked = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in MACHINES, reason="a lock of Linux"
)


def fenced(code: str) -> str:
    """A text with this code from its third line on."""
    return f"Here it is:\n```python\n{code}\n```\nDone."


def judged(code: str, tests: str = "", seconds: float = PLENTY) -> list[tuple[int, str]]:
    """Line and message of each objection to a fenced text."""
    verdict = PythonCode(tests)(fenced(code), seconds)
    assert bool(verdict.objections) == (verdict.score < 1)
    return [(objection.line, objection.message) for objection in verdict.objections]


@pytest.mark.parametrize(
    ("text", "code", "certain"),
    [
        (fenced("x = 1"), "\n\nx = 1\n", True),
        ("```py\na\n```\nand\n```python3\nb\n```", "\na\n\n\n\nb\n", True),
        ("```sh\nls\n```\n```\ndef f(): pass\n```", "\n\n\n\ndef f(): pass\n", False),
        ("```\nsome output\n```", "", False),
        ("```sh\nfor x in *; do echo; done\n```", "", False),
        ("def f():\n    return 1", "def f():\n    return 1", False),
        ("The answer is 42.", "", False),
        ("```python\n>>> 1 + 1\n2\n```", "pass\n", True),
        ("", "", False),
    ],
)
def test_finding(text: str, code: str, certain: bool) -> None:
    assert find_code(text) == (code, certain)


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "for all we know, this is prose",
        "```\nif you see this\n```",
        "```json\n{}\n```",
        "",
        "for x in y: z",  # Python, but it does nothing
    ],
)
def test_texts_without_code_pass_unless_there_are_tests(text: str) -> None:
    assert PythonCode()(text, PLENTY) == Verdict()
    verdict = PythonCode("assert f(1) == 2")(text, PLENTY)
    assert verdict.score == 0
    assert [o.message for o in verdict.objections] == ["there is no Python code in it"]


def test_code_that_runs_passes() -> None:
    code = """
import asyncio, dataclasses, tempfile, threading
from pathlib import Path

@dataclasses.dataclass
class Point:
    x: int = 0

async def main():
    await asyncio.sleep(0)

thread = threading.Thread(target=print)
thread.start()
thread.join()
asyncio.run(main())
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "a").write_text("b")
Path("c").write_text("d")
print("é" * 1_000_000)
if __name__ == "__main__":
    1 / 0
"""
    assert judged(code) == []
    assert PythonCode()(code, PLENTY) == Verdict()


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("def f(x)\n    return x", 3, "SyntaxError: expected ':'"),
        ("def f():\n  return 1\n   x", 5, "SyntaxError: unexpected indent"),
        ("x = 1\ny = x / 0", 4, "ZeroDivisionError: division by zero"),
        ("def f():\n    return g()\n\nf()", 4, "NameError: name 'g' is not defined"),
        ("import sys\nsys.exit(3)", 4, "SystemExit: 3"),
        ("raise BaseException('mine')", 3, "BaseException: mine"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", 5, "E"),
        ("def f():\n    f()\nf()", 4, "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_code_that_does_not_run(code: str, line: int, message: str) -> None:
    assert judged(code) == [(line, message)]


def test_the_whole_text_is_located_too() -> None:
    verdict = PythonCode()("def f():\n    pass\n\nf(1)", PLENTY)
    [objection] = verdict.objections
    assert (objection.line, objection.message.partition(":")[0]) == (4, "TypeError")


@pytest.mark.parametrize(
    "code", ["name = input()", "import no_such_library", "import sys\nsys.exit()"]
)
def test_code_that_cannot_be_judged_passes(code: str) -> None:
    assert judged(code) == []


def test_doctests() -> None:
    code = '''def double(x):
    """Doubles.

    >>> double(1)
    2
    >>> double(2)
    5
    >>> double(None)
    6
    """
    return 2 * x


def fine():
    """
    >>> print("fine")
    fine
    >>> 1 / 0
    Traceback (most recent call last):
    ZeroDivisionError: division by zero
    """'''
    assert judged(code) == [
        (8, "double(2) gives 4, not 5"),
        (10, "double(None) raises TypeError: unsupported operand type(s) for *: 'int' and "
         "'NoneType'"),
    ]  # fmt: skip
    session = f"{fenced(code)}\n```python\n>>> double(4)\n8\n>>> double(5)\n11\n```\n"
    verdict = PythonCode()(session, PLENTY)
    assert verdict.score == pytest.approx(2 / 4)
    assert verdict.objections[-1].line == session[: session.index(">>> double(5)")].count("\n") + 1


TESTS = """
import unittest
LIMIT = 2

assert add(1, 1) == 2
assert add(2, 2) == 5, "a message"
assert add(1, 2) < LIMIT
assert not add(1, 0)

def helper(x): return add(x, x)

def test_functions():
    assert helper(2) == 4
    assert helper(3) == 7

def test_raising():
    add(None, 1)

class TestAdd(unittest.TestCase):
    def setUp(self):
        self.two = 2

    def test_right(self):
        self.assertEqual(add(1, 1), self.two)

    def test_wrong(self):
        self.assertEqual(add(1, 2), self.two)

    @unittest.skip("not now")
    def test_skipped(self):
        1 / 0

class TestPlain:
    def test_it(self):
        assert add(0, 0) in (0,)
"""


def test_given_tests() -> None:
    code = "# adds\n\ndef add(a, b):\n    return a + b"
    verdict = PythonCode(TESTS)(fenced(code), PLENTY)
    assert [(o.line, o.message) for o in verdict.objections] == [
        (5, "add(2, 2) is 4, not 5"),
        (5, "add(1, 2) < LIMIT does not hold: its left side is 3"),
        (5, "`assert not add(1, 0)` does not hold. AssertionError"),
        (5, "helper(3) is 6, not 7"),
        (6, "test_raising raises TypeError: unsupported operand type(s) for +: 'NoneType' and "
         "'int'"),
        (5, "test_wrong does not hold. AssertionError: 3 != 2"),
    ]  # fmt: skip
    assert verdict.score == pytest.approx(5 / 11)
    assert judged("add = sum", "assert add([1]) == 1") == []


def test_tests_after_code_that_does_not_run() -> None:
    verdict = PythonCode("assert f(1) == 1\nassert f(2) == 2")(fenced("f = 1 / 0"), PLENTY)
    assert (verdict.score, len(verdict.objections)) == (0, 1)


@pytest.mark.parametrize("tests", ["assert f(", "x = '\0'", "(" * 1000])
def test_tests_that_are_none(tests: str) -> None:
    with pytest.raises(ConfigError, match="the tests are not Python"):
        PythonCode(tests)


def test_values_that_cannot_be_shown() -> None:
    code = "class A:\n    def __repr__(self): 1 / 0\n    def __eq__(self, o): return False"
    assert judged(code, "assert A() == 1") == [(3, "A() is a A, not 1")]


# What may go wrong on purpose


def test_an_endless_loop_is_found_where_it_is() -> None:
    code = "def f(n):\n    while n:\n        n += 1\n\nf(1)"
    for seconds in (1.0, 4.0, 10.0):  # on a busy machine the first may end before the code starts
        [(line, message)] = judged(code, seconds=seconds)
        if line in (4, 5):
            break
    assert line in (4, 5)
    assert message == "this still runs when the time is up"


def test_an_endless_loop_that_does_not_listen() -> None:
    """In C, with signals ignored: only the parent can end it."""
    code = "import re, signal\nsignal.alarm(0)\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
    text = fenced(f"{code}re.match('(a+)+$', 'a' * 60 + 'b')")
    started = time.monotonic()
    [objection] = PythonCode()(text, 1.0).objections
    assert objection.message == "the code: no end within 1 seconds"
    assert time.monotonic() - started < PLENTY


@locked
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os\nwhile True: os.fork()", "PermissionError"),
        ("import subprocess\nsubprocess.run(['true'])", "PermissionError"),
        ("import socket\nsocket.socket()", "PermissionError"),
        ("import urllib.request as u\nu.urlopen('http://127.0.0.1')", "URLError"),
        ("import os\nos.kill(os.getppid(), 9)", "PermissionError"),
    ],
)
def test_what_is_refused(code: str, message: str) -> None:
    [(_, found)] = judged(code)
    assert found.startswith(message)


@locked
def test_files_elsewhere_are_safe(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("kept")
    for code in (f"open({str(kept)!r}, 'w')", f"import os\nos.remove({str(kept)!r})"):
        [(_, message)] = judged(code)
        assert message.startswith("PermissionError")
    assert kept.read_text() == "kept"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = []\nwhile True: x.append('a' * 10**6)", "MemoryError"),
        ("x = 'a' * (1 << 40)", "MemoryError"),
        ("open('big', 'wb').write(b'x' * (64 << 20))", "OSError: [Errno 27] File too large"),
        ("x = [open('/dev/null') for _ in range(100)]", "OSError: [Errno 24] Too many open files"),
        ("import os\nos._exit(0)", "the code: the process ends itself before"),
        ("import os\nos.abort()", "the code: the process is killed by signal 6"),
        ("import os\nfor fd in range(3, 64):\n  try: os.close(fd)\n  except OSError: pass", "the "),
        ("import os\nfor fd in range(64):\n  try: os.write(fd, b'{]')\n  except OSError: pass",
         "the code: the process ends itself before"),
        ("(" * 50_000, "SyntaxError: too many nested parentheses"),
        ("-" * 90_000 + "1", "it cannot be compiled: "),
        ("xyz = 1\n" * 20_000, "the code is longer"),
        ("x = '\0'", ""),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_is_too_much(code: str, message: str) -> None:
    [(_, found)] = judged(code)
    assert found.startswith(message)


def test_a_flood_of_output_is_not_kept() -> None:
    code = (
        "import sys\nfor _ in range(200): print('x' * 10**6, file=sys.stderr); print('y' * 10**6)"
    )
    assert judged(code) == []


def test_no_time_to_judge() -> None:
    assert PythonCode()(fenced("1 / 0"), 0.5) == Verdict()
    assert PythonCode()(fenced("1 / 0"), 0.0) == Verdict()


def test_a_stopped_child_is_killed_and_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = tmp_path / "begun"
    script = (
        f"import time; print('\"ready\"', flush=True); open({str(begun)!r}, 'w'); time.sleep(600)"
    )
    monkeypatch.setattr(children, "command", lambda name: (sys.executable, "-c", script))
    assert children.call("python", None, PLENTY, begun.exists) == Reply((), None, True)
    begun.unlink()
    text = fenced("while True: pass")
    assert PythonCode().judge_unless_stopped(text, PLENTY, begun.exists) == Verdict()
    assert begun.exists()


@pytest.mark.parametrize(
    "text",
    [
        "word " * 2_000_000,
        "def f():\n" * 1_000_000,
        "```python\n" + "x = 1\n" * 2_000_000,
        "```\n" * 2_000_000,
        "\n" * 10_000_000,
        ">>> " * 2_000_000,
    ],
    ids=range(6),
)
def test_ten_megabytes(text: str) -> None:
    started = time.process_time()
    verdict = PythonCode()(text, PLENTY)
    assert time.process_time() - started < CPU_SECONDS
    assert len(text) > MAX_CODE and len(verdict.objections) <= 1


def test_a_reply_that_was_meddled_with(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ({"checks": 0}, *["passed"] * 9, {"line": -3, "objection": "x"}, [], 7, "done")
    monkeypatch.setattr("edgemind.verify.python_code.call", lambda *_: Reply(said, 0))
    verdict = PythonCode()(fenced("x"), PLENTY)
    assert verdict.score == 0.5
    assert [(o.line, o.message) for o in verdict.objections] == [(1, "x")]


def test_nothing_is_left_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert judged("import os\nopen('a', 'w').close()\nos.chmod('.', 0o500)") == []
    assert os.listdir(tmp_path) == []
