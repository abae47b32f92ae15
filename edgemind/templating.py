"""A jinja2 sandbox for the chat templates that come inside model files.

Follows the conventions of Hugging Face's `apply_chat_template`. A template is foreign code: it
runs in `ImmutableSandboxedEnvironment`, and its steps, its seconds, its strings and its output are
limited. That stops what goes wrong by mistake, and most of what is meant. It cannot stop a filter
that is given absurd numbers, or a tuple nested so deeply that Python crashes: templates that nobody
vouches for are rendered by this same code in a child (`edgemind.rendering`).
Imports jinja2, so `edgemind.chat` imports this module only when a template is first used.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from edgemind.chat import OTHER
from edgemind.errors import ModelInvalid, ModelUnsupported, plain

MAX_SECONDS = 4.0
"""Longest rendering; a usual one takes a millisecond."""
MAX_STEPS = 2_000_000
"""Most turns of loops and calls of macros in one rendering; some templates take messages²."""
MAX_CHARACTERS = 16_000_000
"""Most characters in one rendering, or in one string on the way to it."""
_MAX_EXPONENT = 1_000
_MAX_BITS = 64_000
"""Of a whole number: larger ones take long to compute with."""
_STEPS_PER_LOOK = 1_024
"""Steps between two looks at the clock."""


class _TooMuch(TemplateError):
    """A limit was reached."""


class _Generation(Extension):
    """`{% generation %}` marks text to train on: here only its body counts."""

    tags = {"generation"}  # noqa: RUF012 - the base class declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Counts the steps of one rendering and refuses what would grow without bound."""

    intercepted_binops = frozenset(("+", "*", "**"))
    steps = 0
    until = 0.0
    _looked = 0

    def begin(self) -> None:
        """Start the counts of one rendering."""
        self.steps = self._looked = 0
        self.until = time.monotonic() + MAX_SECONDS

    @property
    def tick(self) -> bool:
        """Counts one step when it is read: a call would cost the sandbox ten times as much.

        Always true, so that it can stand in a condition.
        """
        self.count(1)
        return True

    def count(self, steps: int) -> None:
        """Count `steps` steps, and end a rendering that takes too many."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise _TooMuch("it does not come to an end")
        if self.steps - self._looked >= _STEPS_PER_LOOK:
            self._looked = self.steps
            if time.monotonic() > self.until:
                raise _TooMuch(f"it does not come to an end within {MAX_SECONDS:g} s")

    def joined(self, *values: object) -> str:
        """The `~` operator."""
        texts = [str(value) for value in values]
        self._fits(sum(map(len, texts)))
        return "".join(texts)

    def limited_range(self, *bounds: int) -> range:
        """`range`, whose length counts as steps."""
        numbers = range(*bounds)
        self.count(len(numbers))
        return numbers

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`+`, `*` and `**`, but for results of absurd size."""
        if isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * abs(right) if operator == "**" else left.bit_length()
            if max(bits, right.bit_length()) > _MAX_BITS:
                raise _TooMuch("it computes a number that is too large")
        if operator == "**":
            if isinstance(right, int) and abs(right) > _MAX_EXPONENT:
                raise _TooMuch("it computes a number that is too large")
        elif operator == "*":
            for sequence, times in ((left, right), (right, left)):
                if isinstance(sequence, (str, list, tuple)) and isinstance(times, int):
                    self._fits(len(sequence) * times)
        elif isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
            self._fits(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def _fits(self, length: int) -> None:
        if length > MAX_CHARACTERS:
            raise _TooMuch("it builds a text that is too long")


class _Limiter(NodeTransformer):
    """Puts the sandbox's counters into a template's syntax tree, where it cannot shadow them."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        joined = nodes.EnvironmentAttribute("joined", lineno=node.lineno)
        return nodes.Call(joined, node.nodes, [], None, None, lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        if node.test is not None:  # a condition runs also for the items that it leaves out
            node.test = nodes.And(_tick(node.lineno), node.test, lineno=node.lineno)
        return self._counted(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        self.generic_visit(node)
        return self._counted(node)

    @staticmethod
    def _counted(node: nodes.For | nodes.Macro) -> nodes.Node:
        node.body.insert(0, nodes.ExprStmt(_tick(node.lineno), lineno=node.lineno))
        return node


def _tick(line: int) -> nodes.EnvironmentAttribute:
    return nodes.EnvironmentAttribute("tick", lineno=line)


def _tojson(
    x: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # jinja2's own filter escapes <, > and & for HTML, which a model would have to read.
    return json.dumps(
        x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise_exception(message: object) -> NoReturn:
    raise TemplateError(str(message))


def compile_template(
    source: str, now: Callable[[], datetime]
) -> Callable[[Mapping[str, object]], str]:
    """A function from a template's variables to its text.

    `ModelInvalid` where the source is no template (here) or runs past a limit (there),
    `ModelUnsupported` where the template refuses its input or fails.
    """
    sandbox = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    sandbox.filters["tojson"] = _tojson
    sandbox.globals["raise_exception"] = _raise_exception
    sandbox.globals["strftime_now"] = lambda form: now().strftime(form)
    sandbox.globals["range"] = sandbox.limited_range
    del sandbox.globals["lipsum"]  # made-up text without end, which no chat needs
    try:
        template = sandbox.from_string(_Limiter().visit(sandbox.parse(source)))
    except TemplateSyntaxError as error:
        place = f"line {error.lineno}: {_reason(error)}"
        raise ModelInvalid(f"The chat template is damaged ({place}): {OTHER}.") from error
    except Exception as error:  # foreign code: the parser can fail in any way, recursion included
        raise ModelInvalid(f"The chat template is damaged ({_reason(error)}): {OTHER}.") from error

    def run(variables: Mapping[str, object]) -> str:
        sandbox.begin()
        pieces: list[str] = []
        length = 0
        try:
            for piece in template.generate(variables):
                length += len(piece)
                if length > MAX_CHARACTERS:
                    raise _TooMuch("its text is too long")
                pieces.append(piece)
            return "".join(pieces)
        except (_TooMuch, MemoryError, RecursionError) as error:
            reason = _reason(error)
            raise ModelInvalid(f"The chat template takes too much ({reason}): {OTHER}.") from error
        except Exception as error:  # foreign code: whatever it raises is its refusal
            raise ModelUnsupported(
                f"The chat template refuses this chat: {_reason(error)}"
            ) from error

    return run


def _reason(error: Exception) -> str:
    """What an error says, in a short line that steers no terminal: the template may have a say."""
    if isinstance(error, MemoryError):
        return "it needs too much memory"
    text = " ".join((getattr(error, "message", None) or str(error))[:2_000].split())
    return plain(text)[:200] or type(error).__name__
