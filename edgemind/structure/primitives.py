"""JSON in GBNF, for `edgemind.structure.schema`: rules, literals, ranges of integers."""

from __future__ import annotations

import json

DIGITS = 15
"""Most digits before (and after) a number's point: what a double holds exactly."""

RULES = {
    "gap": '" "?',
    "char": r'[^"\\\x00-\x1F] | "\\" (["\\/bfnrt] | "u" code)',
    # Halves of surrogate pairs are no characters; a pair can be written as the character itself.
    "code": "[0-9a-cA-CefEF] hex hex hex | [dD] [0-7] hex hex",
    "hex": "[0-9a-fA-F]",
    "string": r'"\"" char* "\""',
    "integer": '"-"? natural',
    "natural": '"0" | [1-9] [0-9]{0,14}',
    "number": '"-"? positive',
    "positive": 'natural ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "value": "string | number | boolean | null | list | map",
    "list": '"[" (value ("," gap value)*)? "]"',
    "map": '"{" (string ":" gap value ("," gap string ":" gap value)*)? "}"',
    "year": "[0-9] [0-9] [0-9] [1-9] | [0-9] [0-9] [1-9] [0-9] | [0-9] [1-9] [0-9] [0-9] | "
    "[1-9] [0-9] [0-9] [0-9]",
    "leap": '[0-9] [0-9] ("0" [48] | [2468] [048] | [13579] [26]) | '
    '("0" [48] | [2468] [048] | [13579] [26]) "00"',
    "date": 'year "-" (("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8]) | '
    '("0" [13-9] | "1" [0-2]) "-" ("29" | "30") | ("0" [13578] | "1" [02]) "-31") | '
    'leap "-02-29"',
    "time": '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? '
    '("Z" | [-+] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
    "date-time": 'date "T" time',
    "uuid": 'hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}',
}
FORMATS = ("date", "date-time", "time", "uuid")


def compact(value: object) -> str:
    """A value as JSON text without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def literal(text: str) -> str:
    """A text as a literal of a grammar; JSON text, so without line ends."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def times(least: int, most: int | None) -> str:
    """The operator that repeats what stands before it; `most` None is without end."""
    return "*" if (least, most) == (0, None) else f"{{{least},{'' if most is None else most}}}"


def integers(least: int, most: int) -> str:
    """The integers from `least` to `most` (inclusive), written without leading zeros."""
    choices = []
    if least < 0:
        choices += ['"-" ' + choice for choice in _naturals(max(1, -most), -least)]
    if most >= 0:
        choices += _naturals(max(0, least), most)
    return " | ".join(choices)


def _naturals(least: int, most: int) -> list[str]:
    choices = []
    for digits in range(len(str(least)), len(str(most)) + 1):
        low = max(least, 10 ** (digits - 1) if digits > 1 else 0)
        choices += _digits(str(low), str(min(most, 10**digits - 1)))
    return choices


def _digits(low: str, high: str) -> list[str]:
    """The numbers from `low` to `high`, which have as many digits."""
    rest = len(low) - 1
    if low == "0" * (rest + 1) and high == "9" * (rest + 1):
        return [f"[0-9]{{{rest + 1}}}"] if low else [""]
    if low[0] == high[0]:
        return [f'"{low[0]}" {tail}' for tail in _digits(low[1:], high[1:])]
    first, last, choices = int(low[0]), int(high[0]), []
    if low[1:] != "0" * rest:
        choices += [f'"{first}" {tail}' for tail in _digits(low[1:], "9" * rest)]
        first += 1
    ends = [] if high[1:] == "9" * rest else _digits("0" * rest, high[1:])
    last -= bool(ends)
    if first <= last:
        choices.append(f"[{first}-{last}] [0-9]{{{rest}}}" if rest else f"[{first}-{last}]")
    return choices + [f'"{high[0]}" {tail}' for tail in ends]


def is_of(value: object, types: list[str]) -> bool:
    """Whether a JSON value has one of these types; 2.0 is an integer, True is not."""
    match value:
        case bool():
            return "boolean" in types
        case None:
            return "null" in types
        case int():
            return "integer" in types or "number" in types
        case float():
            return "number" in types or ("integer" in types and value.is_integer())
        case str():
            return "string" in types
        case list():
            return "array" in types
        case _:
            return "object" in types
