"""Numbers, dates and times of day, as people write them. Reached from `edgemind.verify.values`.

Numbers are exact (`fractions.Fraction`); no float takes part. Every size is bounded before
arithmetic starts: a number may have `MAX_DIGITS` digits and an exponent of `MAX_EXPONENT`,
larger ones are no numbers to us (their text still votes).
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from edgemind.verify.notation import vocabulary

MAX_DIGITS: Final = 120
MAX_EXPONENT: Final = 60
_MAX_DECIMALS: Final = 30
_MAX_CHARS: Final = 2 * MAX_DIGITS + 60
_MAX_UNIT_WORDS: Final = 4
_FIRST_YEAR: Final = 1000
_NOON: Final = 12

DECIMAL: Final = r"(?:(?:[0-9]{1,3}(?:,[0-9]{3}){1,40}(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+)"
MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
DATE: Final = (
    r"(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}(?P<sep>[/.-])[0-9]{1,2}(?P=sep)[0-9]{4}|"
    rf"{MONTH}\.? [0-9]{{1,2}}(?:st|nd|rd|th)?,? [0-9]{{4}}|"
    rf"[0-9]{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}\.?,? [0-9]{{4}})"
)
TIME: Final = (
    r"(?:[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?(?: ?[ap](?:\.m\.|m\b))?|"
    r"[0-9]{1,2} ?[ap](?:\.m\.|m\b))"
)

_CURRENCIES: Final = "$\u20ac\u00a3\u00a5\u20b9"
_EXPONENT: Final = r"(?:[eE](?P<e>[+-]?[0-9]{1,4})| ?[*x] ?10\^\(?(?P<ten>[+-]?[0-9]{1,4})\)?)?"
_HEAD: Final = re.compile(
    r"(?P<s1>[+-]? ?)(?:(?:US ?)?[$\u20ac\u00a3\u00a5\u20b9]{1,2} ?|(?:USD|EUR|GBP) )?(?P<s2>[+-]?)"
)
_MIXED: Final = re.compile(
    r"(?P<whole>[0-9]+)(?: and (?:a )?| ?(?=\()| )\(?(?P<n>[0-9]+) ?/ ?(?P<d>[0-9]+)\)?"
)
_FRACTION: Final = re.compile(
    rf"(?P<open>\()?(?P<n>[+-]?{DECIMAL}) ?/ ?(?P<d>{DECIMAL})(?(open)\))"
)
_PLAIN: Final = re.compile(rf"(?P<n>{DECIMAL})(?:{_EXPONENT})")
_BRACKETED: Final = re.compile(rf"\((?P<n>[+-]?{DECIMAL})\)")
_PERCENT: Final = re.compile(r"(?:%|per ?cent\b|percentage points?\b)", re.IGNORECASE)
_UNIT: Final = re.compile(
    r"/? ?[^\W\d_]+(?:\(s\))?(?:\^\(?-?[1-9]\)?|[23]\b)?"
    r"(?:[ /*-]{1,3}[^\W\d_]+(?:\(s\))?(?:\^\(?-?[1-9]\)?|[23]\b)?)*"
)
_LETTERS: Final = re.compile(r"[^\W\d_]+")
# One letter after a number is a variable ("5 x") unless it is one of these, after a blank.
_SHORT_UNITS: Final = vocabulary("m g s h l L V W J N K C F")
# Words that go on with the sum, and names that are part of a formula: no units.
_NO_UNITS: Final = vocabulary(
    "and or but plus minus times divided to is not than less more half quarter third thirds if "
    "then so because since therefore wait hmm maybe can could would should will was are were let "
    "pi sqrt root sin cos tan cot sec csc log ln exp infty theta alpha beta cup cap mod frac in "
    "e i"
)
_SCALES: Final = MappingProxyType(
    {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
)
_ONES: Final = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    "fifteen|sixteen|seventeen|eighteen|nineteen"
)
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"


def _spelling() -> dict[str, int]:
    ones = {word: value for value, word in enumerate(re.split(r"\|", _ONES))}
    tens = {word: 10 * value for value, word in enumerate(re.split(r"\|", _TENS), 2)}
    digits = list(ones)[1:10]
    both = {f"{ten}-{one}": tens[ten] + ones[one] for ten in tens for one in digits}
    return ones | tens | both


_SPELLED: Final = MappingProxyType(_spelling())
_FIRST_WORD: Final = re.compile(r"[A-Za-z]+(?:[- ][A-Za-z]+)?")
_MONTHS: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAY: Final = re.compile(
    r"(?:on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day,? ", re.IGNORECASE
)
_DATE: Final = re.compile(DATE, re.IGNORECASE)
_TIME: Final = re.compile(
    r"([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)?(?: ?([ap])\.?m\.?)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Number:
    """An exact value and how it was written.

    `decimals` digits stood after the point (`None`: written as a fraction, in words or with an
    exponent), `significant` digits in all; `percent` and `unit` tell what was left out of `value`.
    """

    value: Fraction
    decimals: int | None = None
    significant: int = 0
    percent: bool = False
    unit: str = ""


def number(text: str) -> Number | None:
    """The number that `text` (plain notation) is, with at most a currency, `%` or unit around it.

    >>> number("-$1,234.50").value, number("2 1/2 cups").value
    (Fraction(-2469, 2), Fraction(5, 2))
    """
    if not text or len(text) > _MAX_CHARS:
        return None
    head = _HEAD.match(text)
    start = head.end() if head else 0
    negative = head is not None and "-" in head["s1"] + head["s2"]
    if found := _body(text, start):
        value, end = found
        return _with_tail(value, text[end:], negative)
    if found := _spelled(text, start):
        value, end = found
        spelled = _with_tail(value, text[end:], negative)
        # "Seven Samurai" is no 7.
        return spelled if spelled is not None and not spelled.unit else None
    return None


def format_number(value: Fraction) -> str:
    """Shortest exact text: an integer, a decimal when it ends early, else `p/q`."""
    if value.denominator == 1:
        return str(value.numerator)
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > _MAX_DECIMALS:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _body(text: str, start: int) -> tuple[Number, int] | None:
    """The number in digits that starts at `start`, and where it ends."""
    return _mixed(text, start) or _fraction(text, start) or _decimal(text, start)


def _mixed(text: str, start: int) -> tuple[Number, int] | None:
    match = _MIXED.match(text, start)
    if match is None:
        return None
    whole, above, below = (_exact(match[part]) for part in ("whole", "n", "d"))
    # "2 5/3" is no mixed number; what it is, is not for us to guess.
    if whole is None or above is None or not below or above >= below:
        return None
    return _bounded(Number(whole + above / below), match.end())


def _fraction(text: str, start: int) -> tuple[Number, int] | None:
    match = _FRACTION.match(text, start)
    if match is None:
        return None
    above, below = _exact(match["n"]), _exact(match["d"])
    return None if above is None or not below else _bounded(Number(above / below), match.end())


def _decimal(text: str, start: int) -> tuple[Number, int] | None:
    match = _BRACKETED.match(text, start) or _PLAIN.match(text, start)
    if match is None or (match.re is _BRACKETED and "," in match["n"]):
        return None
    value = _exact(match["n"])
    if value is None:
        return None
    if match.re is _PLAIN and (exponent := match["e"] or match["ten"]):
        if abs(int(exponent)) > MAX_EXPONENT:
            return None
        return _bounded(Number(value * Fraction(10) ** int(exponent)), match.end())
    places = len(match["n"].partition(".")[2])
    digits = match["n"].lstrip("+-").replace(",", "").replace(".", "").lstrip("0")
    return _bounded(Number(value, places, len(digits)), match.end())


def _spelled(text: str, start: int) -> tuple[Number, int] | None:
    """A number in words, up to ninety-nine."""
    match = _FIRST_WORD.match(text, start)
    if match is None:
        return None
    for words in (match[0], re.split("[- ]", match[0])[0]):
        value = _SPELLED.get(words.casefold().replace(" ", "-"))
        if value is not None:
            return Number(Fraction(value)), start + len(words)
    return None


def _exact(digits: str) -> Fraction | None:
    bare = digits.replace(",", "")
    return Fraction(bare) if len(bare) <= MAX_DIGITS + 2 else None


def _bounded(value: Number, end: int) -> tuple[Number, int] | None:
    limit = 10**MAX_DIGITS
    small = abs(value.value.numerator) < limit and value.value.denominator < limit
    return (value, end) if small else None


def _with_tail(found: Number, tail: str, negative: bool) -> Number | None:
    """`found` with its sign, percent, scale word and unit; `None` if something else follows."""
    value, percent = (-found.value if negative else found.value), False
    if match := _PERCENT.match(tail.lstrip()):
        percent, tail = True, tail.lstrip()[match.end() :]
    decimals, significant = found.decimals, found.significant
    scale = _LETTERS.match(tail.lstrip())
    if scale is not None and scale[0].casefold() in _SCALES:
        value *= _SCALES[scale[0].casefold()]
        tail, decimals = tail.lstrip()[scale.end() :], None
    unit = tail.strip().strip(_CURRENCIES)
    if unit and not _is_unit(tail):
        return None
    if _bounded(Number(value), 0) is None:
        return None
    return Number(value, decimals, significant, percent, unit)


def _is_unit(tail: str) -> bool:
    """Whether what follows a number only says what it counts: a few words, no further number."""
    unit = tail.strip()
    if not _UNIT.fullmatch(unit):
        return False
    words = _LETTERS.findall(unit.replace("(s)", ""))
    if len(words) > _MAX_UNIT_WORDS or any(word.casefold() in _NO_UNITS for word in words):
        return False
    if len(words[0]) == 1 and not unit.startswith("/"):
        return words[0] in _SHORT_UNITS and tail[:1] == " "
    return True


def date(text: str) -> str | None:
    """The date that `text` is: `YYYY-MM-DD`, or zero-padded as written when days could be months.

    5/13/2021 and 13/5/2021 can be read one way only, 5/1/2021 in two: it stays `05/01/2021`.
    Dots mean day first, as everywhere dates are written with dots.
    """
    match = _DATE.fullmatch(_WEEKDAY.sub("", text, count=1))
    if match is None:
        return None
    numbers = [int(part) for part in re.findall("[0-9]+", match[0])]
    name = _LETTERS.search(re.sub(r"(?<=[0-9])(?:st|nd|rd|th)|\bof\b", "", match[0].casefold()))
    if name is not None:
        day, year = numbers
        return _iso(year, _MONTHS.index(name[0][:3]) // 4 + 1, day)
    if match["sep"] is None:
        return _iso(*numbers)
    first, second, year = numbers
    if match["sep"] == "." or first > _NOON or first == second:
        return _iso(year, second, first)
    if second > _NOON:
        return _iso(year, first, second)
    return f"{first:02}/{second:02}/{year}" if _iso(year, first, second) else None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return datetime.date(year, month, day).isoformat() if year >= _FIRST_YEAR else None
    except ValueError:
        return None


def time(text: str) -> str | None:
    """The time of day that `text` is, as 24-hour `HH:MM` (with `:SS` if it had seconds).

    Without am or pm the hour is taken as written: "2:05" is 02:05 and votes apart from 14:05.
    """
    if text.casefold() in ("noon", "midnight"):
        return "12:00" if text.casefold() == "noon" else "00:00"
    match = _TIME.fullmatch(text)
    if match is None or (match[2] is None and match[4] is None):
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[4] is not None:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if match[4] in "pP" else 0)
    try:
        value = datetime.time(hour, minute, int(match[3] or 0))
    except ValueError:
        return None
    return value.isoformat("seconds" if match[3] else "minutes")
