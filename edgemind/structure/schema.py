"""JSON schemas as grammars: what keeps to the grammar is JSON, and fits the schema.

The converter that llama-cpp-python ships is not used: its strings may hold raw line ends (which is
not JSON), it takes rules of equal names for each other, and it drops what it does not know. Here a
keyword that cannot be kept is refused by name. Some of what a schema would allow is never written:
blanks other than one after `:` and `,`, properties in another order than the schema's, further
properties where some are listed, numbers of more than 15 digits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from edgemind.errors import ConfigError
from edgemind.structure.primitives import (
    DIGITS,
    FORMATS,
    RULES,
    compact,
    integers,
    is_of,
    literal,
    times,
)

MAX_SCHEMA = 1 << 18
"""Most characters of a schema as JSON text."""
MAX_DEPTH = 60
MAX_RULES = 5000
MAX_TIMES = 1000
"""Most repetitions that a bound on a length may ask for."""

_ANNOTATIONS = frozenset(
    "$schema $id $anchor $comment $defs definitions title description default examples example "
    "deprecated readOnly writeOnly discriminator contentMediaType contentEncoding".split()
)
_KEYWORDS = {
    "string": {"minLength", "maxLength", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format"},
    "number": {"minimum", "format"},
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "boolean": set(),
    "null": set(),
}


def json_schema(schema: object) -> dict[str, Any]:
    """A schema as plain JSON: from a mapping, or from a class with `model_json_schema()`.

    That is what Pydantic's models have; Pydantic itself is not imported. Raises `ConfigError`.
    """
    make = getattr(schema, "model_json_schema", None)
    if isinstance(schema, type) and callable(make):
        try:
            schema = make()
        except Exception as error:  # somebody else's code, which says what is wrong in its own way
            raise ConfigError(f"{make.__qualname__} failed: {error}") from error
    if not isinstance(schema, Mapping):
        raise ConfigError(
            "a schema is a JSON schema as a dict, or a class with model_json_schema(), and not "
            f"{schema!r:.60}"
        )
    try:
        text = json.dumps(dict(schema), allow_nan=False, ensure_ascii=False)
        text.encode()  # half a surrogate pair is no text
        plain: dict[str, Any] = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"the schema is not JSON: {error}") from None
    if len(text) > MAX_SCHEMA:
        raise ConfigError(f"the schema has {len(text)} characters; at most {MAX_SCHEMA}")
    return plain


def schema_grammar(schema: object) -> str:
    """The GBNF of the JSON texts that fit a schema (see `json_schema`); `ConfigError` if none can.

    Supported: type, enum, const, anyOf and oneOf (both as "any of"), allOf of one, local $ref,
    properties, required, additionalProperties, items, prefixItems, minItems, maxItems, minLength,
    maxLength, bounds of integers, a minimum of 0 for numbers, and the formats date, time,
    date-time and uuid (others are taken as comments, as the standard has it).
    """
    return _Converter(json_schema(schema)).text()


class _Converter:
    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._rules: dict[str, str] = {}
        self._references: dict[str, str] = {}
        self._depth = 0

    def text(self) -> str:
        """The whole grammar."""
        self._rules["root"] = self._visit(self._schema, "#")
        return "".join(f"{name} ::= {rule}\n" for name, rule in self._rules.items())

    def _rule(self, body: str) -> str:
        """A new rule's name; one for each body, so that equal parts are one rule."""
        name = f"r{len(self._rules)}"
        if len(self._rules) >= MAX_RULES:
            raise ConfigError(f"the schema needs more than {MAX_RULES} rules")
        self._rules[name] = body
        return name

    def _primitive(self, name: str) -> str:
        """The name of a primitive rule, put into the grammar with all that it uses."""
        if name not in self._rules:
            self._rules[name] = RULES[name]
            words = "".join(c if c.isalnum() or c == "-" else " " for c in RULES[name])
            for word in words.split():
                if word in RULES:
                    self._primitive(word)
        return name

    def _visit(self, schema: object, where: str) -> str:
        """What stands for a schema on a rule's right side: a name or a literal."""
        if schema is True or schema == {}:
            return self._primitive("value")
        if not isinstance(schema, dict):
            what = "false, which nothing fits" if schema is False else "no schema"
            raise _wrong(where, f"is {what}")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConfigError(f"the schema is nested deeper than {MAX_DEPTH}")
        found = self._kind(schema, where)
        self._depth -= 1
        return found

    def _kind(self, schema: dict[str, Any], where: str) -> str:
        keywords = set(schema) - _ANNOTATIONS
        if "$ref" in keywords:
            self._only(keywords, {"$ref"}, where)
            return self._reference(schema["$ref"], where)
        for union in ("anyOf", "oneOf", "allOf"):
            if union in keywords:
                self._only(keywords, {union}, where)
                return self._union(union, schema[union], where)
        types = schema.get("type", sorted(_KEYWORDS))
        types = [types] if isinstance(types, str) else types
        if not isinstance(types, list) or not types or not {*map(str, types)} <= {*_KEYWORDS}:
            raise _wrong(where, f"has an unknown type: {types!r}")
        if "const" in keywords or "enum" in keywords:
            self._only(keywords, {"type", "const", "enum"}, where)
            values = [schema["const"]] if "const" in keywords else schema["enum"]
            return self._values(values, types, where)
        if "type" not in keywords:
            types = self._implied(keywords)
            if not types:
                self._only(keywords, set(), where)
                return self._primitive("value")
        self._only(keywords, {"type"}.union(*(_KEYWORDS[name] for name in types)), where)
        return self._any(getattr(self, f"_{name}")(schema, where) for name in types)

    def _only(self, keywords: set[str], known: set[str], where: str) -> None:
        """Refuse every keyword that could not be kept."""
        if unknown := sorted(keywords - known):
            raise _wrong(where, f"uses {unknown[0]!r}, which is not supported here")

    def _implied(self, keywords: set[str]) -> list[str]:
        """The one type that the keywords speak about, where the schema names none."""
        return [name for name, own in _KEYWORDS.items() if keywords & (own - {"format"})][:1]

    def _any(self, names: Iterable[str]) -> str:
        different = list(dict.fromkeys(names))
        return different[0] if len(different) == 1 else self._rule(" | ".join(different))

    def _reference(self, pointer: object, where: str) -> str:
        """The rule of a `$ref`; made once, so that a schema may speak of itself."""
        if not isinstance(pointer, str) or not (pointer == "#" or pointer.startswith("#/")):
            raise _wrong(where, f"refers to {pointer!r}; only #/… can be followed")
        if pointer not in self._references:
            target: Any = self._schema
            for part in pointer.split("/")[1:]:
                key = part.replace("~1", "/").replace("~0", "~")
                index = int(key) if isinstance(target, list) and key.isdecimal() else key
                try:
                    target = target[index]
                except (KeyError, IndexError, TypeError):
                    raise _wrong(where, f"refers to {pointer!r}, which is not there") from None
            name = self._references[pointer] = self._rule("")
            self._rules[name] = self._visit(target, pointer)
        return self._references[pointer]

    def _union(self, keyword: str, schemas: object, where: str) -> str:
        if not isinstance(schemas, list) or not schemas:
            raise _wrong(where, f"has no list of schemas as {keyword}")
        if keyword == "allOf" and len(schemas) > 1:
            raise _wrong(where, "uses 'allOf' of several, which is not supported here")
        return self._any(
            self._visit(inner, f"{where}/{keyword}/{index}") for index, inner in enumerate(schemas)
        )

    def _values(self, values: object, types: list[str], where: str) -> str:
        fitting = [v for v in values if is_of(v, types)] if isinstance(values, list) else []
        if not fitting:
            raise _wrong(where, "allows no value")
        return self._any(literal(compact(value)) for value in fitting)

    def _boolean(self, _schema: dict[str, Any], _where: str) -> str:
        return self._primitive("boolean")

    def _null(self, _schema: dict[str, Any], _where: str) -> str:
        return self._primitive("null")

    def _string(self, schema: dict[str, Any], where: str) -> str:
        least, most = _bounds(schema, "minLength", "maxLength", where)
        bounded = least > 0 or most is not None
        if schema.get("format") in FORMATS:
            if bounded:
                raise _wrong(where, f"bounds the length of a {schema['format']}")
            return self._rule(rf'"\"" {self._primitive(schema["format"])} "\""')
        if not bounded:
            return self._primitive("string")
        return self._rule(rf'"\"" {self._primitive("char")}{times(least, most)} "\""')

    def _number(self, schema: dict[str, Any], where: str) -> str:
        if schema.get("minimum") is None:
            return self._primitive("number")
        if schema["minimum"] != 0:
            raise _wrong(where, "has a minimum other than 0 for a number")
        return self._primitive("positive")

    def _integer(self, schema: dict[str, Any], where: str) -> str:
        low, high = schema.get("minimum"), schema.get("maximum")
        above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
        for bound in (low, high, above, below):
            if bound is not None and (not is_of(bound, ["integer"]) or abs(bound) >= 10**DIGITS):
                raise _wrong(where, f"has a bound that cannot be kept: {bound!r}")
        lows = [int(n) + step for n, step in ((low, 0), (above, 1)) if n is not None]
        highs = [int(n) - step for n, step in ((high, 0), (below, 1)) if n is not None]
        if not lows and not highs:
            return self._primitive("integer")
        least, most = max(lows, default=1 - 10**DIGITS), min(highs, default=10**DIGITS - 1)
        if least > most:
            raise _wrong(where, f"allows no value: {least} to {most}")
        return self._rule(integers(least, most))

    def _object(self, schema: dict[str, Any], where: str) -> str:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        further = schema.get("additionalProperties", True)
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise _wrong(where, "has malformed properties")
        # A required property that is not listed is an additional one.
        missing = {str(name): further for name in required if name not in properties}
        properties = {**properties, **missing}
        if not properties:
            if further is False:
                return '"{}"'
            value = self._visit(further, f"{where}/additionalProperties")
            pair = f'{self._primitive("string")} ":" {self._primitive("gap")} {value}'
            return self._rule(f'"{{" ({pair} ("," gap {pair})*)? "}}"')
        gap = self._primitive("gap")
        first = more = '"}"'
        for name, inner in reversed(properties.items()):
            value = self._visit(inner, f"{where}/properties/{name}")
            pair = f"{literal(compact(name) + ':')} {gap} {value}"
            rules = [f"{pair} {more}", f'"," {gap} {pair} {more}']
            if name not in required:
                rules = [f"{rules[0]} | {first}", f"{rules[1]} | {more}"]
            first, more = self._rule(rules[0]), self._rule(rules[1])
        return self._rule(f'"{{" {first}')

    def _array(self, schema: dict[str, Any], where: str) -> str:
        least, most = _bounds(schema, "minItems", "maxItems", where)
        items, prefix = schema.get("items", True), schema.get("prefixItems")
        if isinstance(items, list):  # how earlier drafts wrote prefixItems
            items, prefix = False, items
        gap = self._primitive("gap")
        if prefix is not None:
            if not isinstance(prefix, list) or items not in (True, False) or least > len(prefix):
                raise _wrong(where, "has more items than its prefixItems")
            names = [
                self._visit(inner, f"{where}/prefixItems/{index}")
                for index, inner in enumerate(prefix[:most])
            ]
            between = f' "," {gap} '
            return self._rule(f'"[" {between.join(names)} "]"')
        if most == 0:
            return '"[]"'
        item = self._visit(items, f"{where}/items")
        further = self._rule(f'"," {gap} {item}')
        some = f"{item} {further}{times(max(0, least - 1), None if most is None else most - 1)}"
        return self._rule(f'"[" {some} "]"' if least else f'"[" ({some})? "]"')


def _wrong(where: str, what: str) -> ConfigError:
    return ConfigError(f"{where} in the schema {what}")


def _bounds(schema: dict[str, Any], low: str, high: str, where: str) -> tuple[int, int | None]:
    least, most = schema.get(low, 0), schema.get(high)
    for bound in (least, most):
        fits = bound is None or (is_of(bound, ["integer"]) and 0 <= bound <= MAX_TIMES)
        if not fits or least is None:
            raise _wrong(where, f"has a {low} or {high} outside 0 to {MAX_TIMES}")
    if most is not None and most < least:
        raise _wrong(where, f"allows nothing: {low} {least}, {high} {most}")
    return int(least), None if most is None else int(most)
