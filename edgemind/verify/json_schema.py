"""JSON in a text, held against a JSON Schema (json-schema.org), with located objections.

In this process, since most texts take a millisecond; `edgemind.verify.json_keywords` keeps the
time. Nothing is fetched: references lead within the schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from edgemind.errors import ConfigError
from edgemind.types import Objection, Verdict
from edgemind.verify.constraints import patience
from edgemind.verify.fences import blocks
from edgemind.verify.json_keywords import make_validator, shown, time_limit
from edgemind.verify.json_places import line_of

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MAX_TEXT: Final = 1_000_000
"""Characters of JSON; a longer text is objected to without a look."""
MAX_OBJECTIONS: Final = 10
_MESSAGE: Final = 200


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A verifier: the text is JSON, or holds it in one ```json block, that is valid under `schema`.

    `schema` is a parsed schema of any draft (2020-12 where it does not say). The score is 0 for
    what is not JSON, else halved by each objection. `ConfigError` for a schema that is none, whose
    patterns are none, or which refers to anything outside itself. What takes longer than the given
    seconds (10 at most) is objected to: nothing shows that it is valid.
    """

    schema: Mapping[str, Any] | bool
    _validator: Validator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_validator", make_validator(self.schema))

    def __call__(self, text: str, seconds: float) -> Verdict:
        """Whether the JSON in `text` is valid."""
        found = [block for block in blocks(text) if block.language == "json"]
        if len(found) > 1:
            return _refused(found[1].line, f"there are {len(found)} json blocks, not one")
        first, source = (found[0].line, found[0].source) if found else (1, text)
        if len(source) > MAX_TEXT:
            return _refused(first, f"the JSON is longer than {MAX_TEXT} characters")
        try:
            value = json.loads(source, parse_constant=_no_constant, parse_float=_finite)
        except json.JSONDecodeError as error:
            reason = error.msg[:1].lower() + error.msg[1:]
            return _refused(
                first + error.lineno - 1, f"not JSON: {reason} (character {error.colno})"
            )
        except ValueError as error:  # a constant or a number that we, or Python, refuse
            return _refused(first, f"not JSON: {str(error)[:_MESSAGE]}")
        except RecursionError:
            return _refused(first, "the JSON is nested too deeply")
        return self._judge(value, source, first, patience(seconds))

    def _judge(self, value: Any, source: str, first: int, seconds: float) -> Verdict:
        from jsonschema.exceptions import best_match
        from referencing.exceptions import Unresolvable

        try:
            with time_limit(seconds):
                errors = [
                    best_match([error]) or error
                    for error in islice(self._validator.iter_errors(value), MAX_OBJECTIONS)
                ]
            objections = [
                Objection(first - 1 + line_of(source, list(error.absolute_path)), _message(error))
                for error in errors
            ]
        except TimeoutError:
            return _refused(first, "takes too long to check against the schema")
        except RecursionError:
            return _refused(first, "the JSON is nested too deeply")
        except OverflowError:
            return _refused(first, "a number in the JSON is too large to check")
        except Unresolvable as error:
            raise ConfigError(f"the schema refers to what it does not hold: {error}") from error
        objections.sort(key=lambda objection: objection.line)
        return Verdict(0.5 ** len(objections), tuple(objections))


def _message(error: ValidationError) -> str:
    """What is wrong at one place, in one line."""
    wanted: Any = error.validator_value
    place, instance = error.json_path[:_MESSAGE], shown(error.instance)
    match error.validator:
        case "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            said = f"is {instance}, not {' or '.join(map(_kind, names))}"
        case "required":
            said = f"lacks {error.message.removesuffix(' is a required property')}"
        case "enum":
            said = f"is {instance}, not one of {', '.join(map(shown, wanted))}"
        case "const":
            said = f"is {instance}, not {shown(wanted)}"
        case None:
            said = "is not allowed"
        case _:
            said = error.message.replace(repr(error.instance), instance)
            return f"{place}: {said}"[: 2 * _MESSAGE]
    return f"{place} {said}"[: 2 * _MESSAGE]


def _kind(name: object) -> str:
    match name:
        case "null":
            return "null"
        case str():
            return f"an {name}" if name[0] in "aeio" else f"a {name}"
    return "anything allowed"


def _refused(line: int, message: str) -> Verdict:
    return Verdict(0.0, (Objection(line, message),))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no value in JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:60]} is too large")
    return value
