"""A chat in the form that templates expect: OpenAI's, thoughts as `reasoning_content`.

Used by `edgemind.chat`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from edgemind.types import Chat, Message


def fenced(document: str) -> str:
    """A document as a block of its own, whose fence nothing in it can close."""
    longest = max((len(run) for run in re.findall("`+", document)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{document.rstrip(chr(10))}\n{fence}"


def texts_of(message: Message) -> Iterator[str]:
    """Every text of a message that a template may show."""
    yield message.content
    yield message.reasoning or ""
    for call in message.tool_calls:
        # Escapes in JSON text may stand for any character at all.
        yield from (call.name, call.arguments)
        yield json.dumps(arguments_of(call.arguments), ensure_ascii=False)


def folded(chat: Chat) -> Chat:
    """The chat without its leading system message, which the first user message now begins with."""
    system, rest = chat[0], chat[1:]
    for index, message in enumerate(rest):
        if message.role == "user":
            merged = replace(message, content=f"{system.content}\n\n{message.content}")
            return (*rest[:index], merged, *rest[index + 1 :])
    return (Message("user", system.content), *rest)


def arguments_of(text: str) -> object:
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


def as_messages(
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
                arguments = call.arguments if arguments_as_text else arguments_of(call.arguments)
                function = {"name": name, "arguments": _hidden(arguments, hide)}
                listed.append({"id": identity, "type": "function", "function": function})
                waiting.append((identity, name))
        if message.role == "tool" and waiting:
            entry["tool_call_id"], entry["name"] = waiting.pop(0)
        made.append(entry)
    return made
