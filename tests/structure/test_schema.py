"""JSON schemas as grammars: what keeps to one fits the schema, what cannot be kept is refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from edgemind.errors import ConfigError
from edgemind.structure.grammar import Grammar
from edgemind.structure.schema import MAX_DEPTH, schema_grammar

PERSON: dict[str, Any] = {
    "type": "object",
    "title": "Person",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "nick": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}
TREE: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "number"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "children"],
        }
    },
}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (
            PERSON,
            ['{"name":"Ada", "age":36}', '{"name": "","age":0,"nick":null}'],
            ['{"name":"Ada"}', '{"age":1,"name":"Ada"}', '{"name":"Ada","age":131}', "{}", "[]"],
        ),
        (
            TREE,
            ['{"value":1e3,"children":[]}', '{"value":-1,"children":[{"value":2,"children":[]}]}'],
            ['{"value":01,"children":[]}', '{"value":1}', '{"value":1,"children":[1]}'],
        ),
        ({"type": "string"}, ['""', '"é😀\\n\\u00e9"'], ['"\n"', '"\\ud800"', '"\\x"', '"', "x"]),
        ({"minLength": 2, "maxLength": 3}, ['"ab"', '"é\\n😀"'], ['"a"', '"abcd"']),
        ({"enum": ['a"b', "é\\", {"x": [1]}]}, ['"a\\"b"', '"é\\\\"', '{"x":[1]}'], ['"a"', "1"]),
        ({"enum": [1, "1", True], "type": "integer"}, ["1"], ['"1"', "true"]),
        ({"const": "x"}, ['"x"'], ['"y"']),
        ({"type": ["integer", "null"]}, ["-3", "null"], ["1.0", "true"]),
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 3}, ["1", "2"], ["0", "3"]),
        ({"type": "integer", "minimum": -5}, ["-5", "999"], ["-6"]),
        ({"type": "number", "minimum": 0}, ["0.5"], ["-1"]),
        ({"type": "boolean"}, ["true", "false"], ["null", "True"]),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 2}, ["[]", "[true, false]"],
         ["[true,true,true]", "[1]", "[true,]"]),
        ({"type": "array", "items": {"const": 1}, "minItems": 2}, ["[1,1]", "[1,1,1]"], ["[1]"]),
        ({"type": "array", "maxItems": 0}, ["[]"], ["[1]"]),
        ({"type": "array", "prefixItems": [{"const": 1}, {"type": "null"}]}, ["[1,null]"], ["[1]"]),
        ({"type": "array", "items": [{"const": 1}]}, ["[1]"], ["[]"]),
        ({"additionalProperties": {"const": 1}}, ["{}", '{"a":1,"b":1}'], ['{"a":2}']),
        ({"type": "object", "additionalProperties": False}, ["{}"], ['{"a":1}']),
        ({"type": "object", "required": ["a"]}, ['{"a":[1]}'], ["{}"]),
        ({"properties": {"a": True, "b": {}}}, ["{}", '{"a":1}', '{"b":[]}', '{"a":1,"b":2}'],
         ['{"b":1,"a":1}', '{"c":1}', '{,"b":1}']),
        ({"allOf": [{"type": "null"}]}, ["null"], ["1"]),
        ({"oneOf": [{"type": "null"}, {"const": 2}]}, ["null", "2"], ["1"]),
        ({"type": "string", "format": "date"}, ['"2024-02-29"'], ['"2023-02-29"', '"soon"']),
        ({"type": "string", "format": "email"}, ['"x"'], ["1"]),
        ({"type": "string", "format": "uuid"}, ['"123e4567-e89b-12d3-a456-426614174000"'], ['"1"']),
        ({"description": "anything"}, ["1", '{"a":[null]}', '"x"'], ["", "nul"]),
        ({"$defs": {"a/b~c": {"const": 1}}, "$ref": "#/$defs/a~1b~0c"}, ["1"], ["2"]),
        # Rules of equal names are not the same rule.
        ({"properties": {"space": {"$ref": "#/$defs/space"}}, "required": ["space"],
          "$defs": {"space": {"type": "object", "properties": {"space": {"const": 1}},
                              "required": ["space"]}}}, ['{"space":{"space":1}}'], ['{"space": }']),
    ],
)  # fmt: skip
def test_what_fits_and_what_does_not(
    schema: dict[str, Any], good: list[str], bad: list[str]
) -> None:
    grammar = Grammar(schema_grammar(schema))
    for text in good:
        assert grammar.completion(text) is not None, text
        whole = grammar.whole(text)
        assert whole == text or json.loads(text) != json.loads(whole), "only a number goes on"
    for text in bad:
        assert grammar.completion(text) != "", text
    json.loads(grammar.whole(""))


def chain(length: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"const": n}]} for n in range(length)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{length}": {"type": "null"}}}


def nested(depth: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


CYCLE: dict[str, Any] = {"type": "object"}
CYCLE["properties"] = {"a": CYCLE}


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"type": "strnig"}, "unknown type"),
        ({"type": []}, "unknown type"),
        ({"type": "string", "pattern": "^a$"}, "'pattern', which is not supported"),
        ({"type": "array", "uniqueItems": True}, "'uniqueItems'"),
        ({"type": "number", "minimum": 1}, "minimum"),
        ({"type": "number", "maximum": 1}, "'maximum'"),
        ({"type": "integer", "multipleOf": 2}, "'multipleOf'"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "allows no value"),
        ({"type": "integer", "minimum": "1"}, "cannot be kept"),
        ({"type": "integer", "exclusiveMinimum": True}, "cannot be kept"),
        ({"not": {}}, "'not'"),
        ({"if": {}}, "'if'"),
        ({"allOf": [{}, {}]}, "'allOf' of several"),
        ({"anyOf": []}, "no list"),
        ({"anyOf": [{}], "type": "string"}, "'type'"),
        ({"$ref": "#/$defs/none"}, "not there"),
        ({"$ref": "https://example.org/schema"}, "only #/… can be followed"),
        ({"$ref": 3}, "only #/… can be followed"),
        ({"$ref": "#"}, "never end"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
         "never end"),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "never end"),
        ({"properties": {"a": False}}, "false, which nothing fits"),
        ({"properties": [1]}, "malformed"),
        ({"properties": {"a": 3}}, "is no schema"),
        ({"required": ["a"], "additionalProperties": False}, "nothing fits"),
        ({"enum": []}, "allows no value"),
        ({"enum": "abc"}, "allows no value"),
        ({"enum": ["\ud800"]}, "not JSON"),
        ({"const": 1, "type": "string"}, "allows no value"),
        ({"const": float("nan")}, "not JSON"),
        ({"const": object()}, "not JSON"),
        (CYCLE, "not JSON"),
        ({"minLength": 10**9}, "outside 0 to 1000"),
        ({"minItems": -1}, "outside 0 to 1000"),
        ({"minItems": 3, "maxItems": 2}, "allows nothing"),
        ({"prefixItems": [{}], "minItems": 2}, "more items"),
        ({"type": "string", "format": "date", "maxLength": 3}, "length of a date"),
        (nested(MAX_DEPTH + 1), "nested deeper"),
        (nested(5000), "nested deeper|not JSON"),
        (chain(500), "nested deeper"),
        ({"enum": [f"{n:05}" for n in range(5000)]}, "too many ways"),
        ({"enum": ["x" * 300_000]}, "characters; at most"),
        ({"properties": {f"p{n}": {"maxLength": n} for n in range(900)}}, "too large"),
        ({"minItems": 1000, "items": {"minItems": 1000, "type": "array"}}, "even the shortest"),
        ({"properties": {f"p{n}": {"const": n} for n in range(3000)}}, "more than 5000 rules"),
        ([], "as a dict"),
        ("{}", "as a dict"),
        (int, "as a dict"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused(schema: Any, complaint: str) -> None:
    started = time.perf_counter()
    with pytest.raises(ConfigError, match=complaint):
        Grammar(schema_grammar(schema))
    assert time.perf_counter() - started < 5


def test_a_class_with_a_schema() -> None:
    class Model:
        @classmethod
        def model_json_schema(cls) -> dict[str, Any]:
            return PERSON

    class Broken:
        @classmethod
        def model_json_schema(cls) -> dict[str, Any]:
            raise RuntimeError("no field of this kind")

    assert schema_grammar(Model) == schema_grammar(PERSON)
    with pytest.raises(ConfigError, match="no field of this kind"):
        schema_grammar(Broken)


def test_large_schemas_take_no_time() -> None:
    started = time.perf_counter()
    schema = {"properties": {f"p{n}": {"type": "string"} for n in range(1000)}}
    grammar = Grammar(schema_grammar(schema))
    assert grammar.whole('{"p7":"x","p99') == '{"p7":"x","p99":""}'
    assert time.perf_counter() - started < 5
