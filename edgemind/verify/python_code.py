"""Python in a text: does it compile, do its doctests and the person's tests pass?

`PythonCode` finds the code here and has it run in a child (`edgemind.verify.python_child`, limits
in `edgemind.verify.children`). It judges honest mistakes: code and tests share a process, so code
that is written to deceive its tests can, though it gets no further than its process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from edgemind.errors import ConfigError
from edgemind.types import Objection, Verdict
from edgemind.verify.base import Stopped, never
from edgemind.verify.children import LEAST_SECONDS, SECONDS, Reply, call
from edgemind.verify.fences import Block, blocks

MAX_CODE: Final = 100_000
"""Characters of code that are looked at; longer code is objected to."""
MAX_OBJECTIONS: Final = 10

_LANGUAGES: Final = frozenset(("python", "python3", "py", "py3", "pycon"))
# What a text without fences has in it before it is worth asking a compiler.
_LOOKS_LIKE_CODE: Final = re.compile(
    r"^(?:async def |def |class |import |from [\w.]+ import |for |while |if |with |try:|@|print\()",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class PythonCode:
    """A verifier: Python code in the text compiles, runs, and passes its doctests and `tests`.

    `tests` is Python source that sees all names of the code: plain `assert`s, functions called
    `test_…` and `unittest.TestCase` classes. The score is the share of checks that pass (that the
    code runs at all is one, each docstring, assert and test another). The code is what stands in
    blocks fenced as Python (together), else in unfenced ones or the whole text where that is
    Python. A text without any passes, unless there are tests to pass.

    Stopped after the given seconds (10 at most); with less than 1 second nothing is judged, since
    slow could not be told from endless. Raises `ConfigError` for tests that do not compile.
    """

    tests: str = ""

    def __post_init__(self) -> None:
        try:
            compile(self.tests, "<tests>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ConfigError(f"the tests are not Python: {error}") from error

    def __call__(self, text: str, seconds: float) -> Verdict:
        """The verdict on the code in `text`."""
        return self.judge_unless_stopped(text, seconds, never)

    def judge_unless_stopped(self, text: str, seconds: float, stopped: Stopped) -> Verdict:
        """The same; the child is killed and nothing is judged once `stopped()`."""
        code, certain = find_code(text)
        if not code:
            return self._no_code()
        if len(code) - code.count("\n") > MAX_CODE:
            too_long = f"the code is longer than {MAX_CODE} characters"
            return _refused(0, too_long) if certain else self._no_code()
        if seconds < LEAST_SECONDS:
            return Verdict()
        request = {
            "code": code,
            "sessions": [[block.line, block.source] for block in _sessions(text)],
            "tests": self.tests,
            "certain": certain,
        }
        reply = call("python", request, seconds, stopped)
        return Verdict() if reply.stopped else self._verdict(reply, min(seconds, SECONDS))

    def _no_code(self) -> Verdict:
        return _refused(0, "there is no Python code in it") if self.tests.strip() else Verdict()

    def _verdict(self, reply: Reply, seconds: float) -> Verdict:
        checks, passed, done = 1, 0, False
        line, doing = 1, "the code"
        objections: list[Objection] = []
        for said in reply.said:
            match said:
                case "no code":
                    return self._no_code()
                case {"checks": int(count)}:
                    checks = max(1, count)
                case {"line": int(line), "doing": str(doing)}:
                    pass
                case {"line": int(at), "objection": str(message)}:
                    objections.append(Objection(max(1, at), message))
                case "passed":
                    passed += 1
                case "done":
                    done = True
                case "unjudged":
                    return Verdict()
        if not done:
            objections.append(Objection(max(1, line), _unfinished(reply, doing, seconds)))
        score = min(passed, checks) / checks
        if objections:
            # Objected to, so not perfect, whatever was counted.
            score = min(score, 1 - 1 / (checks + 1))
        return Verdict(score, tuple(objections[:MAX_OBJECTIONS]))


def find_code(text: str) -> tuple[str, bool]:
    """The Python code in `text`, every line where it is there; and whether it says it is Python.

    Lines that are not code are empty, so that a line number in the code is one in the text.
    """
    fenced = list(blocks(text))
    if certain := [block for block in fenced if block.language in _LANGUAGES]:
        code = [block for block in certain if not _is_session(block)]
        # A session alone has examples to check, and code that says nothing.
        return (_in_place(code) if code else "pass\n"), True
    if fenced:
        likely = [
            block
            for block in fenced
            if not block.language and _LOOKS_LIKE_CODE.search(block.source)
        ]
        return _in_place(likely), False
    return (text if _LOOKS_LIKE_CODE.search(text) else ""), False


def _sessions(text: str) -> list[Block]:
    """The blocks that show a session at the prompt `>>>`: examples, not code."""
    return [block for block in blocks(text) if block.language in _LANGUAGES and _is_session(block)]


def _is_session(block: Block) -> bool:
    return block.source.lstrip().startswith(">>> ")


def _in_place(found: list[Block]) -> str:
    lines = 1
    parts: list[str] = []
    for block in found:
        parts.append("\n" * (block.line - lines))
        parts.append(block.source)
        lines = block.line + block.source.count("\n")
    return "".join(parts)


def _unfinished(reply: Reply, doing: str, seconds: float) -> str:
    if reply.code is None:
        return f"{doing}: no end within {seconds:.3g} seconds"
    if reply.code < 0:
        return f"{doing}: the process is killed by signal {-reply.code}"
    return f"{doing}: the process ends itself before its checks are over"


def _refused(line: int, message: str) -> Verdict:
    return Verdict(0.0, (Objection(line, message),))
