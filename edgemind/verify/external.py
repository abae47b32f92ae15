"""The user's own verifiers: a Python function, or any program that reads a text on stdin.

A function runs in this process, as long as it likes: nothing can stop it. A program runs with the
person's rights and environment, since it is theirs; it is ended when its time is up, or when the
answer that it judges is stopped.
"""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from edgemind.errors import ConfigError, EdgemindError
from edgemind.types import Objection, Verdict
from edgemind.verify.base import USUAL_SECONDS, Stopped, never
from edgemind.verify.processes import run

MAX_OBJECTIONS: Final = 20
MAX_MESSAGE: Final = 300
_PASSES, _OBJECTS = 0, 1
_NUMBERED: Final = re.compile(r"\s*(\d{1,9})\s*:\s*(.*)")


@dataclass(frozen=True, slots=True)
class Callback:
    """A verifier from a function of the text that gives a bool, a score from 0 to 1 or a `Verdict`.

    Raises `EdgemindError`, naming the function, where it raises or gives anything else: it cannot
    be told whether the text or the function is at fault, and a mistake must not pass for a verdict.
    """

    function: Callable[[str], bool | float | Verdict]

    def __call__(self, text: str, seconds: float) -> Verdict:
        """What the function says about `text`; `seconds` do not bind it."""
        try:
            result = self.function(text)
        # Whatever a stranger's function may raise, turned into one error that names it.
        except Exception as error:
            raise EdgemindError(
                f"the verifier {self._name} failed: {type(error).__name__}: {error}"
            ) from error
        match result:
            case Verdict(score=score) if _is_score(score):
                return result
            case True:
                return Verdict()
            case False:
                return Verdict(0.0, (Objection(0, f"{self._name} does not accept it"),))
            case int() | float() if _is_score(result):
                return Verdict(float(result))
        raise EdgemindError(
            f"the verifier {self._name} gave {str(result)[:MAX_MESSAGE]}, "
            "neither a bool nor a score from 0 to 1 nor a Verdict"
        )

    @property
    def _name(self) -> str:
        function = self.function
        name = getattr(function, "__qualname__", None) or type(function).__qualname__
        return f"{getattr(function, '__module__', None) or '?'}.{name}"


@dataclass(frozen=True, slots=True)
class Command:
    """A verifier from a program (`--verify CMD`) that reads the text on stdin.

    Exit code 0 passes, 1 objects: each line on stdout is an objection, `N: ` before it the line
    that it is about (0, or none: the whole text). Or stdout is one JSON object `{"score": 0.5,
    "objections": [{"line": 3, "message": "…"}]}`, both keys optional, with either exit code. 64 KiB
    of it are read.

    A missing program is a `ConfigError` at once. Any other exit code, a signal, or JSON of another
    form is a `ConfigError` when it happens: a verifier that broke says nothing about the text, and
    what it printed must not reach a model as advice. A program that was given the usual time (10
    seconds) and did not end is an objection; where the budget left it less, nothing is judged.
    """

    argv: tuple[str, ...]

    def __post_init__(self) -> None:
        given: object = self.argv  # a single text would pass for a sequence of characters
        if not isinstance(given, tuple) or not given:
            raise ConfigError("a verifier's command is a tuple of a program and its arguments")
        if shutil.which(self.argv[0]) is None:
            raise ConfigError(f"the verifier {self.argv[0]!r} is no program that can be run")

    @classmethod
    def parse(cls, line: str) -> Command:
        """A command from one line, quoted as in a shell (but no shell runs it)."""
        try:
            return cls(tuple(shlex.split(line)))
        except ValueError as error:
            raise ConfigError(f"the verifier {line!r} cannot be read: {error}") from error

    def __call__(self, text: str, seconds: float) -> Verdict:
        """What the program says about `text`."""
        return self.judge_unless_stopped(text, seconds, never)

    def judge_unless_stopped(self, text: str, seconds: float, stopped: Stopped) -> Verdict:
        """The same; the program is killed and nothing is judged once `stopped()`."""
        if seconds <= 0:
            return Verdict()
        allowed = min(seconds, USUAL_SECONDS)
        try:
            ended = run(self.argv, text.encode("utf-8", "replace"), allowed, stopped=stopped)
        except OSError as error:
            raise ConfigError(f"the verifier {self._name} cannot be run: {error}") from error
        if ended.code is None:
            if ended.stopped or seconds < USUAL_SECONDS:
                return Verdict()
            late = f"{self._name} did not end within {USUAL_SECONDS:g} seconds"
            return Verdict(0.0, (Objection(0, late),))
        if ended.code not in (_PASSES, _OBJECTS):
            last = ended.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise ConfigError(
                f"the verifier {self._name} ended with code {ended.code} (0 passes, 1 objects): "
                f"{last[:MAX_MESSAGE]}"
            )
        said = ended.stdout.decode("utf-8", "replace").strip()
        if said.startswith("{"):
            return self._from_json(said, ended.code)
        if ended.code == _PASSES:
            return Verdict()
        objections = tuple(_objections(said)) or (Objection(0, f"{self._name} objects"),)
        return Verdict(0.0, objections)

    @property
    def _name(self) -> str:
        return shlex.join(self.argv)[:MAX_MESSAGE]

    def _from_json(self, said: str, code: int) -> Verdict:
        try:
            value = json.loads(said)
            objections = tuple(_objection(item) for item in value.get("objections", ()))
            score = value.get("score", 0.0 if objections or code == _OBJECTS else 1.0)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ConfigError(
                f"the verifier {self._name} printed JSON that is no verdict: {error}"
            ) from error
        if not _is_score(score):
            raise ConfigError(f"the verifier {self._name} gave the score {score}, not 0 to 1")
        return Verdict(float(score), objections[:MAX_OBJECTIONS])


def _objections(said: str) -> Iterator[Objection]:
    for line in [line for line in said.split("\n") if line.strip()][:MAX_OBJECTIONS]:
        match = _NUMBERED.fullmatch(line)
        number, message = (int(match[1]), match[2]) if match else (0, line)
        yield Objection(number, message.strip()[:MAX_MESSAGE])


def _objection(item: Any) -> Objection:
    """From `{"line": 3, "message": "…"}`; the line may be missing. Raises as those of it would."""
    return Objection(max(0, int(item.get("line", 0))), str(item["message"])[:MAX_MESSAGE])


def _is_score(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0 <= value <= 1
    )
