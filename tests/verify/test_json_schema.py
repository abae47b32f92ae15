"""JSON against a schema: found, located, said in few words, and never slow."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.errors import ConfigError
from edgemind.types import Verdict
from edgemind.verify import json_keywords
from edgemind.verify.json_places import line_of
from edgemind.verify.json_schema import MAX_OBJECTIONS, MAX_TEXT, JsonSchema

PLENTY = 60.0
CPU_SECONDS = 5
ORDER = {
    "type": "object",
    "required": ["id", "items"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "state": {"enum": ["open", "closed"]},
        "version": {"const": 2},
        "code": {"type": "string", "pattern": "^[A-Z]+$", "maxLength": 4},
        "tags": {"type": "array", "uniqueItems": True, "maxItems": 3},
        "note": {"type": ["string", "null"]},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"price": {"type": "number"}},
                "required": ["price"],
            },
        },
    },
}


def judged(schema: Any, text: str, seconds: float = PLENTY) -> list[tuple[int, str]]:
    verdict = JsonSchema(schema)(text, seconds)
    assert bool(verdict.objections) == (verdict.score < 1)
    return [(objection.line, objection.message) for objection in verdict.objections]


VALID = '{"id": 3, "items": [{"price": 1.5}], "note": null, "tags": [1, true, [1], "1"]}'


@pytest.mark.parametrize(
    "text",
    [
        VALID.replace(', "1"', ""),
        ' \n{"id": 1, "items": []}\n',
        'Sure!\n```json\n{"id": 1,\n"items": []}\n```\nThat is all.\n```\nother\n```',
        '```JSON\n{"id": 1, "items": []}',
    ],
)
def test_valid_texts(text: str) -> None:
    assert JsonSchema(ORDER)(text, PLENTY) == Verdict()


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "not JSON: expecting value (character 1)"),
        ("The order is open.", 1, "not JSON: expecting value (character 1)"),
        ('{"id": 1,\n "items": [}', 2, "not JSON: expecting value (character 12)"),
        ('a\n```json\n{"id": 1,\n}\n```', 4,
         "not JSON: illegal trailing comma before end of object (character 1)"),
        ("```json\n{}\n```\n```json\n{}\n```", 5, "there are 2 json blocks, not one"),
        ('{"id": NaN}', 1, "not JSON: NaN is no value in JSON"),
        ('{"id": 1e999}', 1, "not JSON: the number 1e999 is too large"),
        ("{} {}", 1, "not JSON: extra data (character 4)"),
    ],
)  # fmt: skip
def test_texts_that_are_no_json(text: str, line: int, message: str) -> None:
    [(at, found)] = judged(ORDER, text)
    assert at == line
    if "trailing comma" in message and "property name" in found:
        return  # as Python before 3.13 says it
    assert found == message


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        (['{"id": 1,', '"items": [{"price": 1},', '{"price": "x"}]}'], 3,
         "$.items[1].price is 'x', not a number"),
        (['{"id": 1,', ' "items": [', "{}]}"], 3, "$.items[0] lacks 'price'"),
        (['{"id": 1}'], 1, "$ lacks 'items'"),
        (['{"id": 0,', '"items": []}'], 1, "$.id: 0 is less than the minimum of 1"),
        (['{"id": true,', '"items": []}'], 1, "$.id is true, not an integer"),
        (['{"id": 1, "items": [],', '"state": "new"}'], 2,
         "$.state is 'new', not one of 'open', 'closed'"),
        (['{"id": 1, "items": [],', '"version": 3}'], 2, "$.version is 3, not 2"),
        (['{"id": 1, "items": [],', '"note": 3}'], 2, "$.note is 3, not a string or null"),
        (['{"id": 1, "items": [],', '"odd": 3}'], 2, "$.odd is not allowed"),
        (['{"id": 1, "items": [],', '"code": "abc"}'], 2,
         "$.code: 'abc' does not match '^[A-Z]+$'"),
        (['{"id": 1, "items": [],', '"code": "ABCDE"}'], 2, "$.code: 'ABCDE' is too long"),
        (['{"id": 1, "items": [],', '"tags": [1,', "1.0]}"], 3, "$.tags[1]: 1.0 is there twice"),
        (['{"id": 1, "items": [],', '"tags": [[{"a": 1}],', '[{"a": 1}]]}'], 3,
         """$.tags[1]: [{"a": 1}] is there twice"""),
        (["[", "]"], 1, "$ is [], not an object"),
    ],
)  # fmt: skip
def test_objections(lines: list[str], line: int, message: str) -> None:
    assert judged(ORDER, "\n".join(lines)) == [(line, message)]
    block = "\n".join(["So:", "", "```json", *lines, "```"])
    assert judged(ORDER, block) == [(line + 3, message)]


def test_a_choice_of_schemas_is_looked_into() -> None:
    schema = {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}]}
    assert judged(schema, '{\n"a": 1}') == [(2, "$.a is 1, not a string")]


def test_many_objections_are_few_and_in_order() -> None:
    schema = {"items": {"type": "string"}}
    text = json.dumps(list(range(1000)), indent=0)
    found = judged(schema, text)
    assert [line for line, _ in found] == list(range(2, 2 + MAX_OBJECTIONS))
    assert 0 < JsonSchema(schema)("[1, 2]", PLENTY).score < JsonSchema(schema)("[1]", PLENTY).score


def test_long_values_are_shown_short() -> None:
    value = {"a": "x" * 5000, "b": list(range(5000)), "c": {str(i): i for i in range(100)}}
    schema = {"properties": {name: {"type": "null"} for name in value}}
    found = judged(schema, json.dumps(value))
    assert [message for _, message in found] == [
        f"$.a is '{'x' * 59}…, not null",
        "$.b is a list of 5000, not null",
        "$.c is an object of 100, not null",
    ]
    assert all(
        len(message) <= 400
        for _, message in judged({"const": value}, json.dumps(value)[:-1] + ',"d":0}')
    )


def test_references_inside() -> None:
    schema = {"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}}
    assert judged(schema, '[1, "x"]') == [(1, "$[1] is 'x', not a number")]
    assert judged(True, "1") == []
    assert judged(False, "1") == [(1, "$ is not allowed")]


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"type": "nothing"}, "not a JSON schema: "),
        ({"minimum": "x"}, "not a JSON schema: "),
        ({"properties": []}, "not a JSON schema: "),
        ({"pattern": "("}, "the pattern '\\(' is wrong"),
        ({"items": [{"properties": {"a": {"pattern": "["}}}], "$schema":
          "http://json-schema.org/draft-07/schema#"}, "the pattern"),
        ({"patternProperties": {"(": {}}}, "the pattern"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "cannot have"),
        ({"$ref": "https://example.org/schema"}, "refers to what it does not hold"),
        ({"$ref": "#/$defs/missing"}, "refers to what it does not hold"),
        (3, "not a JSON schema"),
        ("{}", "not a JSON schema"),
        (None, "not a JSON schema"),
    ],
)  # fmt: skip
def test_schemas_that_are_none(schema: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        JsonSchema(schema)("{}", PLENTY)


def test_old_drafts() -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "patternProperties": {"^x": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
        "properties": {"n": {"minimum": 0, "exclusiveMinimum": True}},
    }
    assert judged(schema, '{"x1": 1, "y": "s", "n": 1}') == []
    assert judged(schema, '{"x1": "a",\n"y": 2,\n"n": 0}') == [
        (1, "$.x1 is 'a', not an integer"),
        (2, "$.y is 2, not a string"),
        (3, "$.n: 0 is less than or equal to the minimum of 0"),
    ]


# Hostile texts

EVIL = "^(a|aa)+$"
BACKTRACK = "a" * 5000 + "b"
MANY = {"anyOf": [{"items": {"$ref": "#"}, "type": "array"}] * 2 + [{"type": "null"}]}


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        ({}, "[" * 100_000, "the JSON is nested too deeply"),
        ({}, '{"a":' * 100_000, "the JSON is nested too deeply"),
        ({}, "9" * 100_000, "not JSON: Exceeds the limit"),
        ({"items": {"$ref": "#"}}, "[" * 900 + "1" + "]" * 900, "the JSON is nested too deeply"),
        ({"type": "number"}, "x" * 10_000_000, "the JSON is longer than"),
        ({"pattern": EVIL}, f'"{BACKTRACK}"', "takes too long to check"),
        ({"propertyNames": {"pattern": EVIL}}, f'{{"{BACKTRACK}": 1}}', "takes too long"),
        ({"patternProperties": {EVIL: {}}}, f'{{"{BACKTRACK}": 1}}', "takes too long"),
        ({"additionalProperties": False, "patternProperties": {EVIL: {}}},
         f'{{"{BACKTRACK}": 1}}', "takes too long"),
        (MANY, "[" * 60 + "1" + "]" * 60, "takes too long"),
        ({"$ref": "#"}, "1", "the JSON is nested too deeply"),
        ({"multipleOf": 0.1}, "1" * 400, ""),
    ],
    ids=range(12),
)  # fmt: skip
def test_hostile_texts(schema: Any, text: str, message: str) -> None:
    started = time.process_time()
    found = judged(schema, text, seconds=0.2 if "too long" in message else PLENTY)
    assert time.process_time() - started < CPU_SECONDS
    assert len(found) == 1 if message else len(found) <= 1
    assert all(said.startswith(message) for _, said in found)


def test_many_values_take_little() -> None:
    mixed = json.dumps([[i % 7, str(i), None, {"a": i}][i % 4] for i in range(60_000)])
    assert len(mixed) < MAX_TEXT
    started = time.process_time()
    judged({"uniqueItems": True}, mixed)
    judged({"items": {"type": "boolean"}}, mixed)
    assert time.process_time() - started < CPU_SECONDS


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(VALUES, st.booleans())
def test_places(value: Any, spread: bool) -> None:
    """Each value's line holds the start of its own text."""
    text = json.dumps(value, indent=1 if spread else None, ensure_ascii=False)
    lines = text.split("\n")

    def visit(inner: Any, path: list[str | int]) -> None:
        line = lines[line_of(text, path) - 1]
        start = json.dumps(inner, ensure_ascii=False)[:1]
        assert start in line
        items: Iterable[tuple[str | int, Any]] = ()
        if isinstance(inner, dict):
            items = inner.items()
        elif isinstance(inner, list):
            items = enumerate(inner)
        for key, below in items:
            visit(below, [*path, key])

    visit(value, [])


@given(VALUES)
def test_unique_items_are_told_apart(value: Any) -> None:
    def equal(a: Any, b: Any) -> bool:
        return json_keywords.hashable(a) == json_keywords.hashable(b)

    assert equal(value, json.loads(json.dumps(value)))
    assert not equal(value, [value]) and not equal(value, {"a": value})
    assert equal(1, 1.0) and not equal(1, True) and not equal(0, False) and not equal(None, "None")
    assert equal({"a": 1, "b": 2}, {"b": 2, "a": 1}) and not equal([], {})


def test_paths_that_lead_nowhere() -> None:
    text = '{"a":\n[1,\n2]}'
    assert line_of(text, ["a", 1]) == 3
    assert line_of(text, ["a", 5]) == line_of(text, ["a", "x"]) == line_of(text, ["a"]) == 2
    assert line_of(text, ["b"]) == line_of(text, [0]) == 1
