"""The line that a person edits: keys, history, completion, pastes.

Imports prompt_toolkit, so it is imported when an interactive chat begins.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app_session
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input.typeahead import get_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent

from edgemind.cli.chatting.blocks import is_open
from edgemind.cli.chatting.commands import SWITCHES
from edgemind.cli.chatting.table import Command, Completes
from edgemind.cli.completing import Offered, conversation_words, model_words, strategy_words

PROMPT = "> "
CONTINUED = "  "
ROWS_OF_MENU = 4


def _switches(argument: str) -> Offered:
    return [(word, "") for word in SWITCHES if word.startswith(argument)]


def _none(argument: str) -> Offered:
    return []


WORDS: Mapping[Completes, Callable[[str], Offered]] = {
    "model": model_words,
    "strategy": strategy_words,
    "conversation": conversation_words,
    "show": _switches,
}
"""What is offered behind a command, besides paths."""


class CommandCompleter(Completer):
    """Offers the commands' names, and after a name what it takes."""

    def __init__(self, commands: Mapping[str, Command]) -> None:
        self._commands = commands
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Completions of the text before the cursor."""
        before = document.text_before_cursor
        if not before.startswith("/") or "\n" in before:
            return
        name, space, argument = before.partition(" ")
        if not space:
            for command in self._commands.values():
                if command.name.startswith(name):
                    yield Completion(command.name, -len(name), display_meta=command.help)
            return
        if (found := self._commands.get(name)) is None:
            return
        for word, what in WORDS.get(found.completes, _none)(argument):
            yield Completion(word, -len(argument), display_meta=what)
        if found.completes in ("path", "model"):
            inner = Document(argument, len(argument))
            yield from self._paths.get_completions(inner, complete_event)


class Editor:
    """Reads one prompt after the other. What was typed is kept for as long as the program runs.

    `past` is what stands in the history already, the oldest first.
    """

    def __init__(self, commands: Mapping[str, Command], past: Iterable[str] = ()) -> None:
        # A terminal at the far end of a slow line may answer a question about its cursor so late
        # that the answer is taken for typing.
        os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")
        history = InMemoryHistory()
        for text in past:
            history.append_string(text)
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation=CONTINUED,
            key_bindings=_bindings(),
            completer=CommandCompleter(commands),
            complete_while_typing=False,
            reserve_space_for_menu=ROWS_OF_MENU,
            enable_history_search=True,
            enable_open_in_editor=True,
            tempfile_suffix=".md",
            history=history,
        )

    def read(self, prefill: str = "") -> str | None:
        """A prompt, which may have many lines; None when the person leaves."""
        try:
            return self._session.prompt(default=prefill)
        except EOFError:
            return None
        except KeyboardInterrupt:  # a signal from outside, not a key
            return ""


def typed_ahead() -> list[KeyPress]:
    """Keys that came so soon after the end of a line that they were read together with it."""
    return get_typeahead(get_app_session().input)


def _bindings() -> KeyBindings:
    bindings = KeyBindings()
    writing = has_focus(DEFAULT_BUFFER)

    @bindings.add("enter", filter=writing)
    def _send(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        state = buffer.complete_state
        if state is not None and state.current_completion is not None:
            buffer.complete_state = None
        elif is_open(buffer.text):
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    @bindings.add("escape", "enter", filter=writing)
    @bindings.add("c-j", filter=writing)
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @bindings.add("c-c", filter=writing)
    def _clear(event: KeyPressEvent) -> None:
        event.current_buffer.reset()

    return bindings
