"""What an answer has to look like: made from a schema or a grammar, used by prompts and samples.

The model is held to it token by token (`Sampling.grammar`). An answer that is cut in the middle is
finished here, without the model: with the shortest text that makes it whole.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.errors import ConfigError
from edgemind.files import read_limited
from edgemind.structure.grammar import Grammar
from edgemind.structure.schema import MAX_SCHEMA, json_schema, schema_grammar
from edgemind.thoughts import ThoughtTags

Schema = dict[str, Any] | type
"""A JSON schema, or a class with `model_json_schema()` as Pydantic's models are."""

# What may hold a rule's name that is none, and the names.
_WORDS = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\n]*|[A-Za-z0-9-]+')
_BLANKS = r"[ \t\r\n]{0,4}"


@dataclass(frozen=True, slots=True)
class Structure:
    """A form that answers keep to. `is_json` says that it came from a schema."""

    grammar: Grammar
    is_json: bool

    def whole(self, text: str) -> str:
        """A cut answer with the shortest end that makes it whole.

        What does not fit at its end (what came after half a character) is left out.
        """
        return self.grammar.whole(text)

    def cue(self, text: str) -> str:
        """What leads a cut JSON answer to its next value, where one is still required.

        It ends what is open, a string that runs on and on, and writes the next key. Empty where a
        value is about to begin already.
        """
        if not self.is_json or text.rstrip()[-1:] in ("", ":", ",", "[", "{"):
            return ""
        rest, mark = self.grammar.completion(text) or "", '":'
        return rest[: rest.find(mark) + len(mark)] if mark in rest else ""

    def key(self, text: str) -> str | None:
        """The key under which a JSON answer votes; None where `text` is none.

        Keys sorted, blanks out, 1.0 as 1: what means the same has the same key.
        """
        if not self.is_json:
            return None
        try:
            value = json.loads(text, parse_float=_number)
        except ValueError:
            return None
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def grammar_after(self, tags: ThoughtTags | None, opened: bool) -> str:
        """The grammar of all that a model writes: a thought marked by `tags`, then the answer.

        A thought is anything up to the tag that closes it; `opened` says that the prompt ends
        inside one. Without `tags` there is the answer alone.
        """
        if tags is None:
            return self.grammar.text
        answer = _WORDS.sub(lambda m: "answer-root" if m[0] == "root" else m[0], self.grammar.text)
        marked = (
            f"({_literal(tags.answer)} {_BLANKS})? answer-root" if tags.answer else "answer-root"
        )
        lines = [
            f"root ::= {'' if opened else f'{marked} | {_literal(tags.opening)} '}thought-0",
            f"thought-end ::= {_BLANKS} {marked}",
            *_until(tags.closing),
        ]
        return "\n".join([*lines, answer])


def structure_of(schema: Schema | None, grammar: str | None) -> Structure | None:
    """The structure that a schema or a grammar (GBNF) asks for, None where there is neither.

    Raises `ConfigError` where either is wrong, or both are given.
    """
    if schema is None:
        return None if grammar is None else Structure(Grammar(grammar), False)
    if grammar is not None:
        raise ConfigError("there are a schema and a grammar: an answer can only keep to one")
    return Structure(Grammar(schema_grammar(schema)), True)


def read_schema(path: Path) -> dict[str, Any]:
    """A JSON schema from a file, checked; `ConfigError` where it is unreadable or wrong."""
    data = read_limited(path, 4 * MAX_SCHEMA, "the schema")
    try:
        schema = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"the schema {path} is not JSON: {error}") from None
    structure_of(schema, None)
    return json_schema(schema)


def _number(text: str) -> float | int:
    number = float(text)
    return int(number) if abs(number) < 2**53 and number.is_integer() else number


def _literal(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    return f"\\U{ord(character):08X}"


def _until(tag: str) -> list[str]:
    """Rules `thought-0` to `thought-N`: any text up to the first `tag`, then `thought-end`.

    Rule i stands for "the last i characters are the tag's first" (the automaton of Knuth, Morris
    and Pratt 1977), so there is one way to read any text.
    """
    lines = []
    for matched in range(len(tag)):
        choices, known = [], ""
        for character in dict.fromkeys(tag):
            seen = tag[:matched] + character
            after = next(
                n for n in range(len(seen), -1, -1) if tag.startswith(seen[len(seen) - n :])
            )
            if after:
                known += _escaped(character)
                name = f"thought-{after}" if after < len(tag) else "thought-end"
                choices.append(f"{_literal(character)} {name}")
        choices.append(f"[^{known}] thought-0")
        lines.append(f"thought-{matched} ::= {' | '.join(choices)}")
    return lines
