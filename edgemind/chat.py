"""From a chat to a model's text, so that no message can forge a control token.

A chat template (jinja, from the model's file) writes the chat as one text in which the model's
special tokens mark who speaks. A user who types such a token's text must not become somebody
else. So the characters with which special tokens begin and end are disguised inside the messages,
as private-use characters, before the template runs, and put back afterwards: a special token's
text that has a disguised character came from a message, and there the text is cut, so that the
tokenizer (`edgemind.tokenizing`) cannot see it whole. (Not asking it for control tokens is not
enough: some libraries match user-defined tokens all the same.) The runtime makes one `ChatTemplate`
for each model, from its own template and vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from itertools import islice

from edgemind.errors import ConfigError, ModelInvalid, ModelUnsupported
from edgemind.messages import as_messages, folded, texts_of
from edgemind.thoughts import THINK, ThoughtSplitter, ThoughtTags, tags_of
from edgemind.tokenizing import Rendered
from edgemind.types import Chat, Message

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""What a model without a template gets."""

OTHER = "get another file of this model"
"""What to do about a template that is no good."""
MAX_SOURCE = 1 << 20
"""Most characters of a template."""
MAX_SPECIAL = 128
"""Most characters of a special token's text; real ones have some 30."""
FREE_CHARACTERS, TIMES = 1 << 20, 16
"""A rendered chat is no longer than so much, and so many times the messages: a template that blows
them up would keep the tokenizer busy."""
Run = Callable[[Mapping[str, object]], str]
"""From a template's variables to its text; `ModelInvalid` and `ModelUnsupported`."""
Compile = Callable[[str, Callable[[], datetime]], Run]
"""From a template's source and a clock to what renders it."""

_PRIVATE_USE = (range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
_PROBE = (Message("system", "Sapphire kestrel."), Message("user", "Hello."))


def _compile(source: str, now: Callable[[], datetime]) -> Run:
    from edgemind.templating import compile_template

    return compile_template(source, now)


class ChatTemplate:
    """A model's chat template. `source` None stands for ChatML.

    `compiler` renders it: in this process where nothing else is given, which is for templates that
    somebody vouches for (`edgemind.rendering` renders others in a child). Raises `ModelInvalid`
    for a source or a special token of absurd length.

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
        compiler: Compile | None = None,
    ) -> None:
        self._source = CHATML if source is None else source
        if len(self._source) > MAX_SOURCE:
            raise ModelInvalid(
                f"The chat template has {len(self._source):,} characters, more than {MAX_SOURCE:,}."
            )
        self._compile = compiler or _compile
        self._texts = {"bos_token": bos_text, "eos_token": eos_text}
        self._now = now
        self._shown_tags = tags_of(self._source)
        # A single character is not worth forging, nor is white space: both are ordinary text
        # that some vocabularies happen to keep as user-defined tokens.
        self._specials = frozenset(
            text for text in specials if len(text) > 1 and text.strip().strip("▁")
        )
        if any(len(text) > MAX_SPECIAL for text in self._specials):
            raise ModelInvalid(f"A special token has more than {MAX_SPECIAL} characters.")
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
            text = self._run(as_messages(_PROBE, str, False), True, None)
        except ModelUnsupported:
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
        Raises `ModelUnsupported` where the template refuses the chat or fails, `ModelInvalid` where
        it is damaged or does not end.
        """
        if chat and chat[0].role == "system" and not self.takes_system:
            chat = folded(chat)
        chat = tuple(self._thought_apart(message) for message in chat)
        disguise = self._disguise(chat)
        uncover = {ord(private): original for original, private in disguise.items()}
        table = {ord(original): private for original, private in disguise.items()}
        disguised = self._run_either(
            chat, lambda text: text.translate(table), add_generation_prompt, enable_thinking
        )
        self._check_size(chat, disguised, disguise.values())
        text = disguised.translate(uncover)
        opened = disguised.rfind(self.tags.opening) > disguised.rfind(self.tags.closing)
        return Rendered(tuple(self._cut(text, disguised, disguise.values())), opened)

    @cached_property
    def _run_compiled(self) -> Run:
        return self._compile(self._source, self._now)

    def _check_size(self, chat: Chat, disguised: str, private: Iterable[str]) -> None:
        """`ModelInvalid` for a text that is far longer than the chat, or repeats it endlessly."""
        own = "".join(text for message in chat for text in texts_of(message))
        if len(disguised) > FREE_CHARACTERS + TIMES * len(own):
            raise ModelInvalid(f"The chat template makes {len(disguised):,} characters of a chat.")
        telling = sum(map(own.count, self._telling))
        if sum(map(disguised.count, private)) > FREE_CHARACTERS // 64 + TIMES * telling:
            raise ModelInvalid("The chat template repeats what the chat says endlessly.")

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
            return self._run(as_messages(chat, hide, False), generate, thinking)
        except ModelUnsupported:
            # Most templates want the arguments of a call as an object, a few as JSON text.
            if not any(message.tool_calls for message in chat):
                raise
            return self._run(as_messages(chat, hide, True), generate, thinking)

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
            used.update(*texts_of(message))
        free = (chr(code) for codes in _PRIVATE_USE for code in codes if chr(code) not in used)
        private = list(islice(free, len(self._telling)))
        if len(private) < len(self._telling):
            raise ConfigError("The chat uses every private-use character there is; leave some out.")
        return dict(zip(sorted(self._telling), private, strict=True))

    def _cut(self, text: str, disguised: str, private: Iterable[str]) -> Iterator[str]:
        """The text in pieces, none of which holds a special token's text from a message."""
        cuts: set[int] = set()
        if self._starts is not None and text != disguised:
            for start in self._suspects(text, disguised, private):
                for length in self._lengths[text[start]]:
                    end = start + length
                    if end <= len(text) and text[start:end] in self._specials:
                        cuts.update(_cut_in(text, disguised, start, end))
        start = 0
        for cut in sorted(cuts):
            yield text[start:cut]
            start = cut
        yield text[start:]

    def _suspects(self, text: str, disguised: str, private: Iterable[str]) -> Iterator[int]:
        """Where a special token's text may begin that holds a character of a message."""
        assert self._starts is not None
        longest = max(map(max, self._lengths.values()))
        seen = 0
        for match in re.finditer(f"[{''.join(private)}]", disguised):
            place = match.start()
            for begin in self._starts.finditer(text, max(seen, place - longest), place + 1):
                yield begin.start()
            seen = place + 1


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
