"""One plain notation for answers written in Unicode or LaTeX.

Reached from `edgemind.verify.values`. `plain` turns `\\dfrac{1}{2}`, `\\frac12` and `½` into
`1/2`, `\\left( 3, \\frac{\\pi}{2} \\right)` into `( 3, pi/2 )`, a `pmatrix` into nested lists.
It is a reader, not an algebra system: what is written differently stays different. The list of
LaTeX habits follows the answer normalisation of the MATH benchmark (Hendrycks et al. 2021,
arXiv 2103.03874). One pass over the text, bounded depth.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_MAX_DEPTH: Final = 40
# Around every fraction until it is known whether its neighbours call for brackets.
_OPEN: Final = "\ue000"
_CLOSE: Final = "\ue001"

_SUPERSCRIPTS: Final = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_VULGAR: Final = {
    chr(code): " " + unicodedata.normalize("NFKC", chr(code)).replace("\u2044", "/")
    for code in (0xBC, 0xBD, 0xBE, *range(0x2150, 0x215F))
}
_SYMBOLS: Final = MappingProxyType(
    str.maketrans(
        {
            **_VULGAR,
            **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63", "-"),
            **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u2248~" + _OPEN + _CLOSE, ""),
            **dict.fromkeys("\u00d7\u00b7\u22c5\u2217", "*"),
            **dict.fromkeys("\u2018\u2019", "'"),
            **dict.fromkeys("\u201c\u201d", '"'),
            "\u00f7": "/",
            "\u2044": "/",
            "\u2215": "/",
            "\u221a": "\\sqrt ",
            "\u03c0": "\\pi ",
            "\u221e": "\\infty ",
            "\u222a": "\\cup ",
            "\u2208": "\\in ",
            "\u2205": "\\emptyset ",
            "\u00b1": "\\pm ",
            "\u2264": "\\leq ",
            "\u2265": "\\geq ",
        }
    )
)
_POWER: Final = re.compile("[" + "".join(_SUPERSCRIPTS) + "]{1,20}")
_DEGREES: Final = re.compile(r"[\u00b0\u00ba](?:[ \t]?[CF]\b)?")
_DIGIT_SPACE: Final = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3})")
_SPACES: Final = re.compile(r"\s+")
_EMPTY_ROW: Final = re.compile(r",\[ ?\]\]")
_ATOM: Final = re.compile(r"-?[A-Za-z0-9.]+|[A-Za-z]*\([^()]*\)")
_POWERED: Final = re.compile(r"-?[A-Za-z0-9.]+\^[A-Za-z0-9]+")
_NAME: Final = re.compile(r"[A-Za-z]+\*?")


def vocabulary(words: str) -> frozenset[str]:
    """The words of a line, as a set."""
    return frozenset(words.split())


_FRACTIONS: Final = vocabulary("frac dfrac tfrac cfrac")
_WORDS: Final = vocabulary(
    "text textbf textit textrm textsf texttt mbox hbox mathrm mathbf mathit mathsf mathbb mathcal "
    "operatorname boxed fbox bm boldsymbol emph underline"
)
_STRUCTURES: Final = _FRACTIONS | _WORDS | vocabulary("sqrt begin end")
_REPLACED: Final = MappingProxyType(
    {
        **dict.fromkeys(vocabulary("left right big Big bigg Bigg bigl bigr Bigl Bigr"), ""),
        **dict.fromkeys(vocabulary("displaystyle textstyle scriptstyle limits hline"), ""),
        **dict.fromkeys(vocabulary("bf rm it approx degree degrees"), ""),
        "cdot": "*",
        "times": "*",
        "div": "/",
        "pm": "+-",
        "le": "<=",
        "leq": "<=",
        "leqslant": "<=",
        "ge": ">=",
        "geq": ">=",
        "geqslant": ">=",
        "lt": "<",
        "gt": ">",
        "ne": "!=",
        "neq": "!=",
        "varnothing": "emptyset",
        "quad": " ",
        "qquad": " ",
        "ldots": "...",
        "dots": "...",
        "cdots": "...",
        "lbrace": "{",
        "rbrace": "}",
        "lbrack": "[",
        "rbrack": "]",
    }
)
_MATRICES: Final = vocabulary("matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array")


class _TooDeepError(Exception):
    """The groups nest deeper than any real answer's."""


def plain(text: str) -> str:
    """`text` in plain notation on one line; total, and never much longer than what it got.

    Degree signs go ("30^\\circ" is 30), grouping braces go, set braces stay. Text that nests
    too deep comes back without conversion of its LaTeX.
    """
    text = _DEGREES.sub("", _DIGIT_SPACE.sub("", text))
    text = _POWER.sub(lambda m: "^{" + "".join(_SUPERSCRIPTS[c] for c in m[0]) + "}", text)
    text = unicodedata.normalize("NFKC", text.translate(_SYMBOLS))
    if any(mark in text for mark in "\\{}"):
        try:
            text = _settle(_SPACES.sub(" ", _read(_Scanner(text), 0)))
        except _TooDeepError:
            text = text.replace(_OPEN, "").replace(_CLOSE, "")
    return _SPACES.sub(" ", text).replace(" ^", "^").strip()


@dataclass(slots=True)
class _Scanner:
    """A place in the text, and how many matrices are open around it."""

    text: str
    at: int = 0
    matrices: int = 0

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def skip_spaces(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def name(self) -> str:
        """A command's name: a run of letters, or one other character."""
        match = _NAME.match(self.text, self.at)
        if match is None:
            return self.take()
        self.at = match.end()
        return match[0].rstrip("*")


def _read(scan: _Scanner, depth: int) -> str:
    """Everything up to the brace that closes this group (which is taken) or the end."""
    if depth > _MAX_DEPTH:
        raise _TooDeepError
    out: list[str] = []
    while char := scan.take():
        if char == "}":
            break
        if char == "{":
            inner = _read(scan, depth + 1)
            # "{,}" is LaTeX's thousands comma; a comma in a larger group means a set.
            out.append("{" + inner + "}" if "," in inner and inner != "," else inner)
        elif char in "^_" and scan.peek() in ("{", "\\"):
            inner = _argument(scan, depth + 1).strip()
            if inner != "circ":
                out.append(char + (inner if _ATOM.fullmatch(inner) else "(" + inner + ")"))
        elif char == "&" and scan.matrices:
            out.append(",")
        elif char == "\\":
            piece = _command(scan, depth + 1)
            if piece[:1].isalpha() and out and out[-1][-1:].isalpha():
                piece = " " + piece
            out.append(piece)
        else:
            out.append(char)
    return "".join(out)


def _argument(scan: _Scanner, depth: int) -> str:
    """The next group, command or single character: what LaTeX takes as an argument."""
    if depth > _MAX_DEPTH:
        raise _TooDeepError
    scan.skip_spaces()
    char = scan.take()
    if char == "{":
        return _read(scan, depth + 1)
    if char == "\\":
        return _command(scan, depth + 1)
    return char


def _command(scan: _Scanner, depth: int) -> str:
    """The plain notation of the command whose backslash has just been read."""
    name = scan.name()
    if name in _STRUCTURES:
        return _structure(scan, name, depth)
    if name in _REPLACED:
        if name in ("left", "right") and scan.peek() == ".":
            scan.at += 1
        return _REPLACED[name]
    if not name.isalpha():
        return _escape(scan, name)
    start = scan.at
    scan.skip_spaces()
    following = scan.peek()
    # LaTeX drops the blank; it stays where two names, or two items of a list, would run together.
    keep = following.isalpha() or (scan.at > start and (following.isdigit() or following == "-"))
    return name + (" " if keep else "")


def _structure(scan: _Scanner, name: str, depth: int) -> str:
    """A command with arguments."""
    if name == "sqrt":
        return _root(scan, depth)
    first = _argument(scan, depth)
    if name in _WORDS:
        return f" {first} "
    if name in _FRACTIONS:
        return f"{_OPEN}{_bracketed(first)}/{_bracketed(_argument(scan, depth))}{_CLOSE}"
    return _environment(scan, name, first.rstrip("*"))


def _escape(scan: _Scanner, char: str) -> str:
    """A backslash with one character that is no letter."""
    if char == "\\":
        return "],[" if scan.matrices else " "
    if char == "!":
        # "11,\! 111" is one number.
        scan.skip_spaces()
        return ""
    if char == ",":
        return "" if scan.peek().isdigit() else " "
    return char if char in "{}$%&#_|" else " "


def _root(scan: _Scanner, depth: int) -> str:
    degree = ""
    if scan.peek() == "[":
        end = scan.text.find("]", scan.at)
        if end > 0:
            degree, scan.at = scan.text[scan.at + 1 : end].strip(), end + 1
    inner = _argument(scan, depth).strip()
    if not degree and inner.startswith("(") and _ATOM.fullmatch(inner):
        inner = inner[1:-1]
    return f"root({degree},{inner})" if degree else f"sqrt({inner})"


def _environment(scan: _Scanner, name: str, kind: str) -> str:
    """Matrices become lists of rows; every other environment is looked through."""
    if kind not in _MATRICES:
        return " "
    if name == "end":
        scan.matrices = max(0, scan.matrices - 1)
        return "]]"
    scan.matrices += 1
    if kind == "array" and scan.peek() == "{":
        end = scan.text.find("}", scan.at)
        scan.at = end + 1 if end > 0 else scan.at
    return "[["


def _bracketed(part: str) -> str:
    part = part.strip()
    return part if _ATOM.fullmatch(part) or _POWERED.fullmatch(part) else f"({part})"


def _settle(text: str) -> str:
    """Brackets for the fractions whose neighbours would otherwise read into them."""
    opened: list[int] = []
    chars = list(text)
    for index, char in enumerate(chars):
        if char == _OPEN:
            opened.append(index)
        elif char == _CLOSE and opened:
            start = opened.pop()
            before = text[max(0, start - 2) : start].rstrip()[-1:]
            after = text[index + 1 : index + 3].lstrip()[:1]
            binds_left = before.isalnum() or (before != "" and before in ")^/_" + _CLOSE)
            binds_right = after.isalnum() or (after != "" and after in "(^_" + _OPEN)
            bind = binds_left or binds_right
            chars[start], chars[index] = ("(", ")") if bind else ("", "")
    return _EMPTY_ROW.sub("]]", "".join(chars).replace(_OPEN, "").replace(_CLOSE, ""))
