"""Hostile chat templates, and what becomes of them.

    python scripts/fuzz_templates.py [--count 500] [--seed 1]

Each template is put together from pieces that attack (loops, giant texts and numbers, filters with
absurd arguments, nesting that crashes Python, recursion, ways out of the sandbox), or is a real one
(`tests/templates`) that was spoiled. It goes the way of a model's that nobody vouches for: through
`edgemind.rendering`, with hostile messages. It has to end, within 10 s, in a text that is not much
longer than the chat or in a `ModelError` of one line; this process may not end, nor grow by more
than 256 MB. A seed makes each run repeatable; the first failure is kept as `fuzz-failure.jinja`.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from edgemind.chat import FREE_CHARACTERS, TIMES, ChatTemplate
from edgemind.errors import ModelError
from edgemind.rendering import SECONDS, Renderer
from edgemind.types import Chat, Message, ToolCall

TEMPLATES = Path(__file__).parents[1] / "tests" / "templates"
SPECIALS = ("<s>", "</s>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "[INST]")
MOST_SECONDS = 10.0
MOST_GROWTH = 256 << 20

CHAT: Chat = (
    Message("system", "Be <|im_start|>brief."),
    Message("user", "What is 2+2?</s>" + "<" * 40),
    Message("assistant", "<think>Two</think>4", tool_calls=(ToolCall("add", '{"a": [2, "<s>"]}'),)),
    Message("tool", "[INST] 4"),
    Message("user", "And then? " + "é🙂" * 50),
)

NUMBERS = (
    *("2", "3", "40") * 2,
    "0",
    "-1",
    "7",
    "1000",
    "99999",
    "10**6",
    "10**9",
    "10**18",
    "2**63",
    "9**999",
    "1e308",
)
TEXTS = ("'x'", "'<'", "'é' * 1000", "'x' * 10**6", "'ab' * 10**9", "'<|im_end|>'", "'%s'", "'\\n'")
VALUES = (
    *("messages", "messages[0].content", "messages[-1]", "namespace()", "self", "loop", "range"),
    *("[]", "()", "[1, 2, 3]", "{'a': 1}", "none", "cycler", "joiner", "dict", "undefined_name"),
    *("range(9)", "range(10**9)", "messages * 1000", "(1,) * 10**6", "[[1]] * 10**6"),
)
FILTERS = (
    *("batch(N, V)", "slice(N)", "center(N)", "indent(N)", "round(N)", "truncate(N)", "join(T)"),
    *("wordwrap(N)", "replace(T, T)", "format(N, V)", "tojson(indent=N)", "int(N)", "list"),
    *("string", "sort", "unique|list", "groupby(T)", "map('upper')|list", "map(attribute=T)|list"),
    *("sum(start=V)", "pprint", "urlize", "striptags", "xmlattr", "escape", "random", "reverse"),
    *("dictsort", "items|list", "attr(T)", "select('in', V)|list", "map('batch', N)|list|string"),
    *("filesizeformat", "wordcount", "title", "max", "min", "first", "last", "length", "upper"),
)
CALLS = (
    *("'a'.ljust(N)", "'a'.zfill(N)", "'{:>N}'.format(1)", "'{0.__class__}'.format(1)"),
    *(
        "T.replace(T, T)",
        "T.join([T] * 9999)",
        "T.split(T)|length",
        "T.expandtabs(N)",
        "T.encode()",
    ),
    *("'%Nd' % 1", "'%s' % V", "N ** N", "N * N", "T * N", "V * N", "V in V", "T < T", "T ~ T"),
    *("''.__class__.__mro__", "messages.__class__", "self._TemplateReference__context"),
    *("cycler.__init__.__globals__.os.system('true')", "lipsum(N)", "namespace.__init__"),
    *("messages.append(1)", "dict(a=1).update(b=2)", "strftime_now('%Y' * 99999)", "range(N)|list"),
    *(
        "joiner.__class__.__base__.__subclasses__()",
        "raise_exception('\\x1b[2J' * 9)",
        "loop.cycle()",
    ),
)
STATEMENTS = (
    "{% for i in range(N) %}BODY{% endfor %}",
    "{% for i in range(999) %}{% for j in range(999) %}BODY{% endfor %}{% endfor %}",
    "{% for m in messages %}BODY{% endfor %}",
    "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "{% set n = namespace(x=V) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
    "BODY",
    "{% set n = namespace(x=()) %}{% for i in range(200000) %}{% set n.x = (n.x,) %}{% endfor %}"
    "{{ {n.x: 1}|length }}{{ n.x == n.x }}{{ n.x|string|length }}",
    "{% set n = namespace(x=3) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}BODY",
    "{% set n = namespace(x=T) %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}BODY",
    "{% set n = namespace(x=[]) %}{% for i in range(999) %}{% set n.x = n.x + ['a' * 10**7] %}"
    "{% endfor %}BODY",
    "{% macro f(n) %}{{ f(n) }}BODY{% endmacro %}{{ f(1) }}",
    "{% macro f(n) %}{{ f(n - 1) ~ f(n - 1) if n }}{% endmacro %}{{ f(40) }}",
    "{% macro f() %}{{ caller() }}{% endmacro %}{% call f() %}BODY{% endcall %}",
    "{% filter upper %}{% for i in range(9999) %}BODY{% endfor %}{% endfilter %}",
    "{% set big = 'x' * 15000000 %}{% for i in range(99999) %}{% set y = big|upper %}{% endfor %}",
    "{% if messages|length > 2 %}BODY{% endif %}",
    "{% set x = V %}{{ x }}BODY",
    "{% include T %}{% import T as q %}{% extends T %}",
    "{{ EXPRESSION }}",
    "{{ EXPRESSION }}{{ messages[0].content }}",
    "{% if EXPRESSION %}BODY{% endif %}",
)


class Failure(Exception):
    """A template did what it must not."""


def made(chance: random.Random) -> str:
    """A template put together from pieces that attack."""
    text = "".join(chance.choice(STATEMENTS) for _ in range(chance.choice((1, 1, 1, 2))))
    for depth in range(6):
        bodies = STATEMENTS if depth < 3 else ("{{ EXPRESSION }}",)
        text = replaced(text, "BODY", partial(chance.choice, bodies))
        text = replaced(text, "EXPRESSION", partial(expression, chance))
    text = text.replace("BODY", "{{ messages[0].content }}")
    for letter, choices in (("V", VALUES), ("T", TEXTS), ("N", NUMBERS)):
        text = replaced_letter(text, letter, partial(chance.choice, choices))
    return text


def expression(chance: random.Random) -> str:
    """An expression of the kind that is absurd."""
    value = chance.choice(("V", "T", "N", "(T * N)", "(V * N)", chance.choice(CALLS)))
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        value = f"({value})|{chance.choice(FILTERS)}"
    return value


def replaced(text: str, word: str, by: Callable[[], str]) -> str:
    """`text` with each `word` replaced anew."""
    first, *rest = text.split(word)
    return first + "".join(by() + part for part in rest)


def replaced_letter(text: str, letter: str, by: Callable[[], str]) -> str:
    """The same for a capital letter that stands alone."""
    out = []
    for place, char in enumerate(text):
        around = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
        alone = not any(other.isalnum() or other == "_" for other in around)
        inside = letter == "N" and text[place + 1 : place + 2] in ("d", "}")
        out.append(by() if char == letter and (alone or inside) else char)
    return "".join(out)


def spoiled(chance: random.Random, sources: Sequence[str]) -> str:
    """A real template with a few things wrong: cut, doubled, mixed with another, or an attack."""
    text = chance.choice(sources)
    for _ in range(chance.choice((1, 1, 2, 5))):
        start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        other = chance.choice(sources)
        match chance.randrange(5):
            case 0:
                text = text[:start] + text[min(end, start + 40) :]
            case 1:
                text = text[:end] + text[start:]
            case 2:
                begin = chance.randrange(len(other))
                text = text[:start] + other[begin : begin + 200] + text[start:]
            case 3:
                text = text[:start] + made(chance) + text[start:]
            case _:
                text = text[:start] + chr(chance.randrange(0x3000)) + text[start:]
    return text


def attempt(source: str, renderer: Renderer) -> str:
    """Render a template; what came of it. Raises `Failure`."""
    begun = time.monotonic()
    try:
        template = ChatTemplate(
            source, bos_text="<s>", eos_text="</s>", specials=SPECIALS, compiler=renderer.compile
        )
        text = template.render(CHAT).text
        told = "a text"
        if len(text) > FREE_CHARACTERS + TIMES * len(repr(CHAT)):
            raise Failure(f"a text of {len(text)} characters")
    except ModelError as error:
        if not str(error).isprintable() or len(str(error)) > 1_000:
            raise Failure(f"an error that is no line: {error!r}") from None
        told = f"{type(error).__name__}: {reason(str(error))}"
    except Exception as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    seconds = time.monotonic() - begun
    if seconds > MOST_SECONDS:
        raise Failure(f"{seconds:.1f} s")
    return told


def reason(message: str) -> str:
    """The kind of an error."""
    kinds = {
        "damaged": "no template",
        "refuses this chat": "refuses the chat",
        "did not survive": "ended the child",
        "did not end": "killed, too slow",
        "come to an end": "too many steps",
        "memory": "too much memory",
        "too long": "too long",
        "too large": "too large a number",
        "recursion": "too deep",
        "characters of a chat": "blows the chat up",
        "endlessly": "repeats the chat",
    }
    return next((kind for sign, kind in kinds.items() if sign in message), message)


def fuzz(count: int, chance: random.Random, seconds: float = SECONDS) -> Counter[str]:
    """Render `count` hostile templates, each with so many seconds; what came of them."""
    sources = [path.read_text("utf-8") for path in sorted(TEMPLATES.glob("*.jinja"))]
    came: Counter[str] = Counter()
    slowest = 0.0
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    renderer = Renderer(seconds)
    try:
        with suppress(KeyboardInterrupt):
            for number in range(count):
                source = spoiled(chance, sources) if number % 3 == 0 else made(chance)
                begun = time.monotonic()
                try:
                    came[attempt(source, renderer)] += 1
                except Failure:
                    Path("fuzz-failure.jinja").write_text(source, "utf-8", "replace")
                    raise
                slowest = max(slowest, time.monotonic() - begun)
    finally:
        renderer.close()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident) * 1024
    if grown > MOST_GROWTH:
        raise Failure(f"this process grew by {grown >> 20} MB")
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"slowest {slowest:.2f} s; this process grew by {grown / 1e6:.0f} MB, ", end="")
    print(f"the largest child had {children / 1024:.0f} MB")
    return came


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    came = fuzz(given.count, random.Random(given.seed))
    seconds = time.monotonic() - begun
    print(f"{came.total()} of {given.count} templates, seed {given.seed}, {seconds:.0f} s")
    for told, times in came.most_common():
        print(f"{times:8}  {told}")


if __name__ == "__main__":
    main()
