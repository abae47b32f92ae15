"""What each policy did with each question, kept in a file that outlives a kill.

Reached from `harness`. The file is JSON lines: a header with the settings, then one line for each
question and policy, each written whole and forced to the disk before the next question is asked.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edgemind.errors import ConfigError
from edgemind.evaluate.lines import json_lines, wrong
from edgemind.types import Budget

HEADER = "edgemind_eval"
VERSION = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides what an evaluation finds; results under other settings do not mix.

    `problems` is a digest of the questions and their answers, `count` how many there are; `weights`
    tells model files of one name apart.
    """

    problems: str
    count: int
    model: str
    policies: tuple[str, ...]
    width: int
    seed: int
    max_tokens: int | None = None
    temperature: float | None = None
    budget: Budget = Budget()  # noqa: RUF009 (frozen)
    weights: str = ""
    threads: int | None = None
    gpu_layers: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """One policy's answer to one question (numbered from 0).

    `finish` is the answer's, or "refused" where there was none (the budget too small, the question
    longer than the context); then `error` says why, and nothing was spent.
    """

    question: int
    policy: str
    right: bool
    answer: str | None
    samples: int
    tokens: int
    seconds: float
    joules: float
    finish: str
    energy_source: str = "estimated"
    error: str | None = None


class ResultLog:
    """An open results file. `done` are the results it held when it was opened.

    Raises `ConfigError` where the file holds something else, or results under other settings.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.done: dict[tuple[int, str], Result] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
        try:
            self._cut_unfinished_line()
            self._read(path, settings)
        except BaseException:
            self._file.close()
            raise

    def append(self, result: Result) -> None:
        """Keep a result: when this returns it is on the disk."""
        self._write(dataclasses.asdict(result))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _cut_unfinished_line(self) -> None:
        """Drop what a kill left behind its last whole line."""
        self._file.seek(0)
        content = self._file.read()
        if not content.endswith(b"\n"):
            whole = content.rfind(b"\n") + 1
            # A first line that is not ours is somebody's file, not a header cut short.
            if not whole and not f'{{"{HEADER}": '.encode().startswith(content[: len(HEADER) + 5]):
                return
            self._file.truncate(whole)

    def _read(self, path: Path, settings: Settings) -> None:
        rows = json_lines(path)
        number, header = next(rows, (0, None))
        if header is None:
            self._write({HEADER: VERSION, "settings": dataclasses.asdict(settings)})
            return
        if header.get(HEADER) != VERSION or not isinstance(header.get("settings"), dict):
            raise wrong(path, number, "is no header of `edgemind eval`: give another --out")
        self._compare(path, header["settings"], settings)
        for number, row in rows:
            try:
                result = Result(**row)
            except TypeError:
                raise wrong(path, number, "is no result of `edgemind eval`") from None
            self.done[result.question, result.policy] = result

    @staticmethod
    def _compare(path: Path, held: dict[str, Any], settings: Settings) -> None:
        asked: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(settings)))
        for name, value in asked.items():
            if held.get(name) != value:
                raise ConfigError(
                    f"{path} holds results for {name} {json.dumps(held.get(name))}, not "
                    f"{json.dumps(value)}: give the same options or another --out"
                )

    def _write(self, row: dict[str, Any]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
