"""Questions with known answers, from JSON lines of the usual forms.

Reached from `edgemind eval`. A line is one of

- GSM8K: `question`, `answer` that ends in "#### 42"
- a prompt: `prompt`, `answer`; also `history`, a list of [user, assistant] turns before it
- multiple choice: `question`, `choices` (a list of texts), `answer` (a letter, or an index from 0)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.errors import ConfigError
from edgemind.evaluate.lines import json_lines, wrong
from edgemind.types import Answer, Chat, Completion, Message
from edgemind.verify.answers import canonical, equivalent, extract

GOLD = re.compile(r"####[ \t]*([^\n]*?)\s*\Z")
PROBLEMS = Path(__file__).with_name("problems.jsonl")
"""Problems of arithmetic and small puzzles that come with edgemind."""
LETTERS = "ABCDEFGHIJ"
CHOICE_REQUEST = 'Answer with the letter of the right option, as in "The answer is (A)".'


class Unusable(Exception):
    """A line that is none of the forms; says why."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One question: the chat to send, the right answer, the choices if it has any, and a group.

    `group` is the value of the field that results are broken down by, "" without one.
    """

    chat: Chat
    gold: str
    choices: tuple[str, ...] = ()
    group: str = ""

    def right(self, answer: Answer | Completion) -> bool:
        """Whether a model's answer is the right one (equivalent, or the same option)."""
        if not self.choices:
            return answer.answer is not None and equivalent(answer.answer, self.gold)
        letter = extract(answer.text, "choice")
        if letter is not None:
            return canonical(letter) == self.gold
        given = [answer.answer is not None and equivalent(answer.answer, c) for c in self.choices]
        return given.count(True) == 1 and LETTERS[given.index(True)] == self.gold


def read_problems(path: Path, limit: int | None = None, by: str | None = None) -> list[Problem]:
    """The first `limit` problems of a file, grouped by the field `by`.

    Raises `ConfigError` that names the line, or says that the file holds none.
    """
    problems: list[Problem] = []
    for number, row in json_lines(path):
        try:
            problems.append(_problem(row, by))
        except Unusable as error:
            raise wrong(path, number, str(error)) from None
        if len(problems) == limit:
            break
    if not problems:
        raise ConfigError(f"{path} holds no questions")
    return problems


def _problem(row: dict[str, Any], by: str | None) -> Problem:
    if by is not None and by not in row:
        raise Unusable(f'has no "{by}" to group by')
    group = "" if by is None else str(row[by])
    if "choices" in row:
        return _choice(row, group)
    if "prompt" in row:
        chat = (*_history(row.get("history", ())), Message("user", _text(row, "prompt")))
        return Problem(chat, _gold(row), (), group)
    if "question" in row:
        if isinstance(row.get("answer"), str) and "####" in row["answer"]:
            found = GOLD.search(row["answer"])
            row = {**row, "answer": found[1] if found else ""}
        return Problem((Message("user", _text(row, "question")),), _gold(row), (), group)
    raise Unusable('has neither "prompt" nor "question"')


def _choice(row: dict[str, Any], group: str) -> Problem:
    choices, answer = row["choices"], row.get("answer")
    if isinstance(choices, dict):  # as ARC has them: {"text": […], "label": […]}
        choices = choices.get("text")
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise Unusable('has "choices" that are no list of texts')
    if not 2 <= len(choices) <= len(LETTERS):
        raise Unusable(f"has {len(choices)} choices, not 2 to {len(LETTERS)}")
    letters = LETTERS[: len(choices)]
    if isinstance(answer, str) and answer.strip().upper() in (*letters,):
        gold = answer.strip().upper()
    elif isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices):
        gold = letters[answer]
    else:
        raise Unusable(f'has an "answer" that is neither a letter of {letters} nor an index')
    listed = "\n".join(f"({a}) {b.strip()}" for a, b in zip(letters, choices, strict=True))
    prompt = f"{_text(row, 'question')}\n\n{listed}\n\n{CHOICE_REQUEST}"
    return Problem((Message("user", prompt),), gold, tuple(choices), group)


def _history(turns: object) -> Chat:
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        raise Unusable('has a "history" that is no list of [user, assistant] turns')
    chat: list[Message] = []
    for turn in turns:
        if not isinstance(turn, list) or [type(text) for text in turn] != [str, str]:
            raise Unusable('has a "history" with a turn that is not [user, assistant]')
        chat += [Message("user", turn[0]), Message("assistant", turn[1])]
    return tuple(chat)


def _text(row: dict[str, Any], name: str) -> str:
    text = row.get(name)
    if not isinstance(text, str) or not text.strip():
        raise Unusable(f'has a "{name}" that is no text')
    return text


def _gold(row: dict[str, Any]) -> str:
    answer = row.get("answer")
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        answer = repr(answer)
    if not isinstance(answer, str) or not canonical(answer):
        raise Unusable('has no "answer" to compare with')
    return answer.strip()
