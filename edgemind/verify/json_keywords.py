"""A JSON Schema as a validator that keeps to a time limit and fetches nothing.

Reached from `edgemind.verify.json_schema`. The library's keywords, but each first looks at the
clock, patterns run in the `regex` library with a time-out, and what compares each item with each
other is replaced by something linear.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from edgemind.errors import ConfigError
from edgemind.verify.constraints import compiled

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_SHOWN: Final = 60
_UNTIL: ContextVar[float] = ContextVar("until")

_Keyword = Callable[[Any, Any, Any, Any], Any]
_Errors = Iterator["ValidationError"]


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """While this lasts, a validator of ours raises `TimeoutError` once `seconds` have passed."""
    token = _UNTIL.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def make_validator(schema: Mapping[str, Any] | bool) -> Validator:
    """A validator to use within `time_limit`; `ConfigError` for a schema that is none."""
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
        yield ValidationError(f"{shown(instance)} does not match {shown(pattern)}")


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
            seen.add(hashable(item))
            if len(seen) == before:
                yield ValidationError(f"{shown(item)} is there twice", path=[index])
                return


def hashable(value: Any) -> object:
    """Equal for equal JSON values: 1 is 1.0, but not true."""
    match value:
        case bool() | None:
            return repr(value), None
        case list():
            return "list", tuple(map(hashable, value))
        case dict():
            return "dict", frozenset((name, hashable(inner)) for name, inner in value.items())
    return value


def shown(value: Any) -> str:
    """A value in a message: short, texts in single quotes."""
    match value:
        case str():
            text = repr(value[: 2 * _SHOWN])
        case list() | dict() if len(value) > _SHOWN:
            return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)}"
        case _:
            text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
