"""JSON in a text, held against a JSON Schema (json-schema.org), with located objections.

In this process, since most texts take a millisecond: every keyword first looks at the clock,
patterns run in the `regex` library with a time-out, and what compares each item with each other
is replaced by something linear. Nothing is fetched: references lead within the schema.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from edgemind.errors import ConfigError
from edgemind.types import Objection, Verdict
from edgemind.verify.constraints import compiled, patience
from edgemind.verify.fences import blocks
from edgemind.verify.json_places import line_of

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MAX_TEXT: Final = 1_000_000
"""Characters of JSON; a longer text is objected to without a look."""
MAX_OBJECTIONS: Final = 10
_SHOWN: Final = 60
_MESSAGE: Final = 200
_UNTIL: ContextVar[float] = ContextVar("until")

_Keyword = Callable[[Any, Any, Any, Any], Any]
_Errors = Iterator["ValidationError"]


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
        object.__setattr__(self, "_validator", _validator(self.schema))

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

        token = _UNTIL.set(time.monotonic() + seconds)
        try:
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
        finally:
            _UNTIL.reset(token)
        objections.sort(key=lambda objection: objection.line)
        return Verdict(0.5 ** len(objections), tuple(objections))


def _validator(schema: Mapping[str, Any] | bool) -> Validator:
    import jsonschema
    from referencing import Registry

    if not isinstance(schema, bool | Mapping):
        raise ConfigError(f"not a JSON schema: it is a {type(schema).__name__}, not an object")
    library: Any = jsonschema.validators
    kind: Any = library.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        # No formats: patterns are those of our library, and looked at below.
        kind.check_schema(schema, jsonschema.FormatChecker(()))
    except jsonschema.SchemaError as error:
        raise ConfigError(f"not a JSON schema: {error.json_path}: {error.message}"[:400]) from error
    except RecursionError:
        raise ConfigError("the JSON schema is nested too deeply") from None
    keys = _check_patterns(schema)
    if {"patternProperties", "unevaluatedProperties"} <= keys:
        # The library matches these patterns itself, where no time-out reaches.
        raise ConfigError("a schema with patternProperties cannot have unevaluatedProperties here")
    ours: dict[str, _Keyword] = {
        "additionalProperties": _additional_properties,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "properties": _properties,
        "uniqueItems": _unique_items,
    }
    keywords = {
        name: _watched(ours.get(name, keyword)) for name, keyword in kind.VALIDATORS.items()
    }
    extended = library.extend(kind, keywords)
    # An empty registry: what is not in the schema is not looked up anywhere.
    made: Validator = extended(schema, registry=Registry())
    return made


def _check_patterns(schema: Any) -> set[str]:
    """All keys in the schema, once the patterns among them are known to be some."""
    keys: set[str] = set()
    rest = [schema]
    while rest:
        match rest.pop():
            case Mapping() as inner:
                keys.update(inner)
                if isinstance(pattern := inner.get("pattern"), str):
                    compiled(pattern)
                if isinstance(patterns := inner.get("patternProperties"), Mapping):
                    for pattern in patterns:
                        compiled(pattern)
                rest.extend(inner.values())
            case list() as items:
                rest.extend(items)
    return keys


# Keywords


def _watched(keyword: _Keyword) -> _Keyword:
    """`keyword`, which raises `TimeoutError` when the time is up."""

    def watched(validator: Any, value: Any, instance: Any, schema: Any) -> _Errors:
        _left()
        yield from keyword(validator, value, instance, schema) or ()

    return watched


def _left() -> float:
    left = _UNTIL.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _found(pattern: str, text: str) -> bool:
    return compiled(pattern).search(text, timeout=_left(), concurrent=True) is not None


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> _Errors:
    from jsonschema.exceptions import ValidationError

    if validator.is_type(instance, "string") and not _found(pattern, instance):
        yield ValidationError(f"{_shown(instance)} does not match {_shown(pattern)}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> _Errors:
    if validator.is_type(instance, "object"):
        for pattern, inner in patterns.items():
            for name, value in instance.items():
                if _found(pattern, name):
                    yield from _below(validator, value, inner, name)


def _properties(validator: Any, known: Any, instance: Any, schema: Any) -> _Errors:
    if validator.is_type(instance, "object"):
        for name, inner in known.items():
            if name in instance:
                yield from _below(validator, instance[name], inner, name)


def _additional_properties(validator: Any, inner: Any, instance: Any, schema: Any) -> _Errors:
    if validator.is_type(instance, "object"):
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, value in instance.items():
            if name not in known and not any(_found(pattern, name) for pattern in patterns):
                yield from _below(validator, value, inner, name)


def _below(validator: Any, value: Any, schema: Any, name: str) -> _Errors:
    """What is wrong with a property; the library leaves its name out where nothing is allowed."""
    from jsonschema.exceptions import ValidationError

    if schema is False:
        no_keyword: Any = None
        yield ValidationError(
            "is not allowed",
            no_keyword,
            [name],
            instance=value,
            schema=schema,
            validator_value=schema,
        )
    else:
        yield from validator.descend(value, schema, path=name)


def _unique_items(validator: Any, wanted: Any, instance: Any, schema: Any) -> _Errors:
    from jsonschema.exceptions import ValidationError

    if wanted and validator.is_type(instance, "array"):
        seen: set[object] = set()
        for index, item in enumerate(instance):
            before = len(seen)
            seen.add(_hashable(item))
            if len(seen) == before:
                yield ValidationError(f"{_shown(item)} is there twice", path=[index])
                return


def _hashable(value: Any) -> object:
    """Equal for equal JSON values: 1 is 1.0, but not true."""
    match value:
        case bool() | None:
            return repr(value), None
        case list():
            return "list", tuple(map(_hashable, value))
        case dict():
            return "dict", frozenset((name, _hashable(inner)) for name, inner in value.items())
    return value


# Words


def _message(error: ValidationError) -> str:
    """What is wrong at one place, in one line."""
    wanted: Any = error.validator_value
    place, instance = error.json_path, _shown(error.instance)
    match error.validator:
        case "type":
            names = [wanted] if isinstance(wanted, str) else wanted
            said = f"is {instance}, not {' or '.join(map(_kind, names))}"
        case "required":
            said = f"lacks {error.message.removesuffix(' is a required property')}"
        case "enum":
            said = f"is {instance}, not one of {', '.join(map(_shown, wanted))}"
        case "const":
            said = f"is {instance}, not {_shown(wanted)}"
        case None:
            said = "is not allowed"
        case _:
            said = error.message.replace(repr(error.instance), instance)
            said = said if said.startswith(("lacks ", "is ")) else f": {said}"
    return f"{place[:_MESSAGE]} {said}".replace(" : ", ": ", 1)[: 2 * _MESSAGE]


def _kind(name: object) -> str:
    match name:
        case "null":
            return "null"
        case str():
            return f"an {name}" if name[0] in "aeio" else f"a {name}"
    return "anything allowed"


def _shown(value: Any) -> str:
    """A value in a message: short, texts in single quotes."""
    match value:
        case str():
            text = repr(value[: 2 * _SHOWN])
        case list() | dict() if len(value) > _SHOWN:
            return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _refused(line: int, message: str) -> Verdict:
    return Verdict(0.0, (Objection(line, message),))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no value in JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:_SHOWN]} is too large")
    return value
