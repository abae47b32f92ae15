"""From a chat to a model's tokens, so that no message can forge a control token.

A chat template (jinja, from the model's file) writes the chat as one text in which the model's
special tokens mark who speaks. A user who types such a token's text must not become somebody
else. So the characters with which special tokens begin and end are disguised inside the messages,
as private-use characters, before the template runs, and put back afterwards: a special token's
text that has a disguised character came from a message, and there the text is cut, so that the
tokenizer cannot see it whole. (Not asking the tokenizer for control tokens is not enough:
some libraries match user-defined tokens all the same.) The runtime makes one `ChatTemplate` for
each model, from its own template and vocabulary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Protocol

from edgemind.errors import ConfigError
from edgemind.thoughts import THINK, ThoughtSplitter, ThoughtTags, tags_of
from edgemind.types import Chat, Message

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""What a model without a template gets."""

_PRIVATE_USE = (range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
_PROBE = (Message("system", "Sapphire kestrel."), Message("user", "Hello."))


class Vocabulary(Protocol):
    """What `tokenize` needs of a model's tokens."""

    @property
    def specials(self) -> Mapping[str, int]:
        """Text → id of every control, unknown and user-defined token."""

    @property
    def bos(self) -> int | None:
        """Id of the beginning-of-sequence token, if prompts of this model start with one."""

    def encode(self, text: str, special: bool) -> list[int]:
        """Token ids of `text` and nothing more; with `special`, texts of special tokens too."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, special tokens written out."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A chat as text, cut inside every special token's text that a message wrote.

    `opened_thought` says that the text ends inside a thought.
    """

    pieces: tuple[str, ...]
    opened_thought: bool

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


class ChatTemplate:
    """A model's chat template. `source` None stands for ChatML.

    `specials` are the texts of the vocabulary's special tokens (`Vocabulary.specials`): only
    those that are named here are kept out of the messages' reach. `now` serves templates that
    print the date.
    """

    def __init__(
        self,
        source: str | None,
        *,
        bos_text: str = "",
        eos_text: str = "",
        specials: Iterable[str] = (),
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._source = CHATML if source is None else source
        self._texts = {"bos_token": bos_text, "eos_token": eos_text}
        self._now = now
        self._shown_tags = tags_of(self._source)
        # A single character is not worth forging, nor is white space: both are ordinary text
        # that some vocabularies happen to keep as user-defined tokens.
        self._specials = frozenset(
            text for text in specials if len(text) > 1 and text.strip().strip("▁")
        )
        lengths: dict[str, set[int]] = {}
        for text in self._specials:
            lengths.setdefault(text[0], set()).add(len(text))
        self._lengths = lengths
        self._starts = re.compile("[" + re.escape("".join(lengths)) + "]") if lengths else None
        marks = (self.tags.opening, self.tags.closing)
        self._telling = frozenset(
            character for text in (*self._specials, *marks) for character in _telling(text)
        )

    @property
    def tags(self) -> ThoughtTags:
        """How this model marks its thoughts, for `ThoughtSplitter`."""
        return self._shown_tags or THINK

    @property
    def thinks(self) -> bool:
        """Whether the template knows of thoughts."""
        return self._shown_tags is not None or "enable_thinking" in self._source

    @cached_property
    def takes_system(self) -> bool:
        """Whether a system message gets through; some templates refuse it, some drop it."""
        try:
            text = self._run(_messages(_PROBE, str, False), True, None)
        except ConfigError:
            return False
        return _PROBE[0].content in text

    def render(
        self,
        chat: Chat,
        *,
        add_generation_prompt: bool = True,
        enable_thinking: bool | None = None,
    ) -> Rendered:
        """The chat as text for the model.

        A system message that the template does not take goes in front of the first user message.
        Raises `ConfigError` where the template refuses the chat, fails or does not end.
        """
        if chat and chat[0].role == "system" and not self.takes_system:
            chat = _folded(chat)
        chat = tuple(self._thought_apart(message) for message in chat)
        disguise = self._disguise(chat)
        uncover = {ord(private): original for original, private in disguise.items()}
        table = {ord(original): private for original, private in disguise.items()}
        disguised = self._run_either(
            chat, lambda text: text.translate(table), add_generation_prompt, enable_thinking
        )
        text = disguised.translate(uncover)
        opened = disguised.rfind(self.tags.opening) > disguised.rfind(self.tags.closing)
        return Rendered(tuple(self._cut(text, disguised)), opened)

    @cached_property
    def _run_compiled(self) -> Callable[[Mapping[str, object]], str]:
        from edgemind.templating import compile_template

        return compile_template(self._source, self._now)

    def _run(self, messages: list[dict[str, object]], generate: bool, thinking: bool | None) -> str:
        variables: dict[str, object] = {
            **self._texts,
            "messages": messages,
            "add_generation_prompt": generate,
        }
        if thinking is not None:  # a variable that is not there lets the template's default rule
            variables["enable_thinking"] = thinking
        return self._run_compiled(variables)

    def _run_either(
        self, chat: Chat, hide: Callable[[str], str], generate: bool, thinking: bool | None
    ) -> str:
        try:
            return self._run(_messages(chat, hide, False), generate, thinking)
        except ConfigError:
            # Most templates want the arguments of a call as an object, a few as JSON text.
            if not any(message.tool_calls for message in chat):
                raise
            return self._run(_messages(chat, hide, True), generate, thinking)

    def _thought_apart(self, message: Message) -> Message:
        """An assistant's message with the thought in its content moved to where it belongs."""
        if message.role != "assistant" or message.reasoning is not None:
            return message
        splitter = ThoughtSplitter(False, self.tags)
        parts = splitter.feed(message.content) + splitter.flush()
        if not any(kind == "reasoning" for kind, _ in parts):
            return message
        thought = "".join(text for kind, text in parts if kind == "reasoning")
        answer = "".join(text for kind, text in parts if kind == "answer")
        return replace(message, content=answer, reasoning=thought)

    def _disguise(self, chat: Chat) -> dict[str, str]:
        """Telling character → a private-use character that neither chat nor template uses."""
        used = {*self._source}
        for message in chat:
            used.update(message.content, message.reasoning or "")
            for call in message.tool_calls:
                # Escapes in JSON text may stand for any character at all.
                plain = json.dumps(_arguments(call.arguments), ensure_ascii=False)
                used.update(call.name, call.arguments, plain)
        free = (chr(code) for codes in _PRIVATE_USE for code in codes if chr(code) not in used)
        private = list(islice(free, len(self._telling)))
        if len(private) < len(self._telling):
            raise ConfigError("The chat uses every private-use character there is; leave some out.")
        return dict(zip(sorted(self._telling), private, strict=True))

    def _cut(self, text: str, disguised: str) -> Iterator[str]:
        """The text in pieces, none of which holds a special token's text from a message."""
        cuts: set[int] = set()
        if self._starts is not None and text != disguised:
            for match in self._starts.finditer(text):
                start = match.start()
                for length in self._lengths[match.group()]:
                    end = start + length
                    if end <= len(text) and text[start:end] in self._specials:
                        cuts.update(_cut_in(text, disguised, start, end))
        start = 0
        for cut in sorted(cuts):
            yield text[start:cut]
            start = cut
        yield text[start:]


def tokenize(rendered: Rendered, vocabulary: Vocabulary) -> list[int]:
    """The token ids of a rendered chat: special tokens only where the template wrote them.

    The beginning-of-sequence token is put in front where the vocabulary wants one and the text
    does not start with it.
    """
    tokens = vocabulary.encode(rendered.pieces[0], True)
    for piece in rendered.pieces[1:]:
        tokens += _continued(piece, vocabulary)
    if vocabulary.bos is not None and tokens[:1] != [vocabulary.bos]:
        tokens.insert(0, vocabulary.bos)
    return tokens


def _continued(piece: str, vocabulary: Vocabulary) -> list[int]:
    """Token ids of a text that goes on in the middle of a line.

    Some tokenizers put a space in front of every text. Behind a line break it comes before the
    break, and both can be taken away.
    """
    lead = vocabulary.encode("\n", False)
    tokens = vocabulary.encode("\n" + piece, True)
    if tokens[: len(lead)] == lead:
        return tokens[len(lead) :]
    return vocabulary.encode(piece, True)


def _telling(text: str) -> tuple[str, str]:
    """The two characters with which a special token's text begins and ends."""
    marks = text.strip()
    return marks[0], marks[-1]


def _cut_in(text: str, disguised: str, start: int, end: int) -> Iterator[int]:
    """Where to cut the special token's text at `start:end`, if it came from a message."""
    for place in range(start, end):
        if text[place] != disguised[place]:
            # Next to a character of the message: never inside a token that the template wrote.
            yield place + 1 if place + 1 < end else place
            return


def _folded(chat: Chat) -> Chat:
    """The chat without its leading system message, which the first user message now begins with."""
    system, rest = chat[0], chat[1:]
    for index, message in enumerate(rest):
        if message.role == "user":
            merged = replace(message, content=f"{system.content}\n\n{message.content}")
            return (*rest[:index], merged, *rest[index + 1 :])
    return (Message("user", system.content), *rest)


def _arguments(text: str) -> object:
    """A call's arguments as an object, or the text itself where it is not the JSON of one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def _hidden(value: object, hide: Callable[[str], str]) -> object:
    """`value` with every text in it disguised."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {hide(str(key)): _hidden(item, hide) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, hide) for item in value]
    return value


def _messages(
    chat: Chat, hide: Callable[[str], str], arguments_as_text: bool
) -> list[dict[str, object]]:
    """The chat as templates expect it: OpenAI's form, thoughts as `reasoning_content`."""
    made: list[dict[str, object]] = []
    waiting: list[tuple[str, str]] = []
    calls = 0
    for message in chat:
        entry: dict[str, object] = {"role": message.role, "content": hide(message.content)}
        if message.reasoning is not None:
            entry["reasoning_content"] = hide(message.reasoning)
        if message.tool_calls:
            entry["tool_calls"] = listed = []
            for call in message.tool_calls:
                calls += 1
                identity = f"call{calls:05d}"  # nine letters and digits, as Mistral's insist
                name = hide(call.name)
                arguments = call.arguments if arguments_as_text else _arguments(call.arguments)
                function = {"name": name, "arguments": _hidden(arguments, hide)}
                listed.append({"id": identity, "type": "function", "function": function})
                waiting.append((identity, name))
        if message.role == "tool" and waiting:
            entry["tool_call_id"], entry["name"] = waiting.pop(0)
        made.append(entry)
    return made
