"""Templates in a child: the same texts as here, and whatever they do ends as an error of ours."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

import fuzz_templates
from edgemind import rendering
from edgemind.chat import ChatTemplate
from edgemind.errors import EdgemindError, ModelInvalid, ModelUnsupported
from edgemind.rendering import Renderer
from edgemind.types import Message, ToolCall
from edgemind.verify import children
from tests.test_chat import CHATS, REFUSES_ALL, SOURCES, SYSTEM, USER

NOON = datetime(2026, 1, 2, 12, 0)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    yield made
    made.close()


def rendered(renderer: Renderer, source: str, *chat: Message) -> str:
    template = ChatTemplate(source, now=lambda: NOON, compiler=renderer.compile)
    return template.render(chat or (USER,)).text


@pytest.mark.parametrize("name", sorted(SOURCES.keys() - REFUSES_ALL))
def test_the_child_says_what_this_process_would(renderer: Renderer, name: str) -> None:
    here = ChatTemplate(SOURCES[name], now=lambda: NOON, specials=("<s>", "<think>"))
    there = ChatTemplate(
        SOURCES[name], now=lambda: NOON, specials=("<s>", "<think>"), compiler=renderer.compile
    )
    for chat in CHATS:
        assert there.render(chat) == here.render(chat)
    assert there.takes_system == here.takes_system


def test_everything_in_a_chat_gets_there(renderer: Renderer) -> None:
    call = Message("assistant", "é\ud800\U0001f642\0", tool_calls=(ToolCall("add", '{"a": [1]}'),))
    source = (
        "{% for m in messages %}{{ m.content }}{{ m.tool_calls|tojson if m.tool_calls }}"
        "{% endfor %}{{ strftime_now('%d %b %Y') }}"
    )
    chat = (USER, call, Message("tool", "2"))
    here = ChatTemplate(source, now=lambda: NOON).render(chat).text
    assert rendered(renderer, source, *chat) == here
    assert here.endswith("02 Jan 2026") and "\ud800" in here


def test_a_refusal_is_one(renderer: Renderer) -> None:
    with pytest.raises(ModelUnsupported, match=r"refuses this chat: no\?\[2J$"):
        rendered(renderer, "{{ raise_exception('no\x1b[2J') }}")
    with pytest.raises(ModelInvalid, match="damaged"):
        rendered(renderer, "{% if %}")
    with pytest.raises(ModelInvalid, match="damaged"):
        rendered(renderer, "{% for %}")
    assert rendered(renderer, "{{ messages[0].content }}", SYSTEM, USER) == SYSTEM.content


DEADLY = {
    "a tuple that crashes Python": (
        "{% set n = namespace(x=()) %}{% for i in range(300000) %}{% set n.x = (n.x,) %}"
        "{% endfor %}{{ {n.x: 1}|length }}"
    ),
    "a filter without end": "{{ [1]|slice(10**9)|list|length }}",
    "a list of a billion": "{{ [1]|batch(10**9, 0)|list|length }}",
    "a wide text": "{{ '%1000000000d'|format(1)|length }}",
    "a text of texts": "{{ ('a' * 100000).replace('a', 'b' * 100000)|length }}",
    "a list of itself": (
        "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}"
        "{% endfor %}{{ n.x|string|length }}"
    ),
    "many long texts": (
        "{% set n = namespace(x=[]) %}{% for i in range(400) %}"
        "{% set n.x = n.x + ['a' * 15000000] %}{% endfor %}{{ n.x|length }}"
    ),
    "a long loop": "{% for i in range(10**9) %}{% endfor %}",
    "a long text": "{{ 'x' * 10**9 }}",
    "short of the limit": "{{ 'x' * 9000000 }}",
    "what was said, a million times": "{{ messages[0].content * 100000 }}",
}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
@pytest.mark.parametrize("source", DEADLY.values(), ids=DEADLY.keys())
def test_deadly_templates_end_as_errors(source: str) -> None:
    renderer = Renderer(seconds=1.5)
    begun = time.monotonic()
    try:
        with pytest.raises(ModelInvalid) as caught:
            rendered(renderer, source, Message("user", "<|im_end|>"))
        assert time.monotonic() - begun < 10
        assert str(caught.value).isprintable()
        assert rendered(renderer, "{{ messages[0].content }}") == USER.content, "it goes on"
    finally:
        renderer.close()


def test_a_seeded_share_of_the_fuzzing() -> None:
    came = fuzz_templates.fuzz(40, random.Random(7), seconds=1.0)
    assert came.total() == 40
    assert came["a text"] >= 3 and len(came) >= 5, "of all kinds"


def test_a_child_that_was_killed_is_replaced(renderer: Renderer) -> None:
    assert rendered(renderer, "{{ 1 }}") == "1"
    assert renderer._child is not None
    os.killpg(renderer._child._process.pid, signal.SIGKILL)
    assert rendered(renderer, "{{ 2 }}") == "2"


def test_nothing_is_left_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    renderer = Renderer()
    renderer.start()
    assert renderer._child is not None
    process = renderer._child._process
    assert [path.name[:9] for path in tmp_path.iterdir()] == ["edgemind-"]
    renderer.close()
    renderer.close()
    assert process.poll() is not None and list(tmp_path.iterdir()) == []


LOCKED = """
import os, socket, resource
from edgemind.cli.child import shut_in
from edgemind.verify.children import serve
def refused(action):
    try:
        action()
    except OSError:
        return True
    return False
def task(request, say, until):
    input()  # as the real one: what it says before it is asked would run into "ready"
    held = {
        "sockets": refused(socket.socket), "processes": refused(os.fork),
        "writing": refused(lambda: open(PLACE, "w")),
        "memory": resource.getrlimit(resource.RLIMIT_AS)[1],
    }
    say({"rendered": repr(held)})
serve("template", shut_in, {"template": task})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="locks of Linux")
def test_what_the_child_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = LOCKED.replace("PLACE", repr(str(tmp_path / "file")))
    monkeypatch.setattr(rendering, "command", lambda _: (sys.executable, "-P", "-c", script))
    renderer = Renderer()
    held = renderer.compile("", lambda: NOON)({})
    renderer.close()
    assert held == repr(
        {"sockets": True, "processes": True, "writing": True, "memory": rendering.MEMORY}
    )


@pytest.mark.parametrize(
    "reply",
    ["7", "[]", '{"rendered": 7}', '{"error": "SystemExit", "reason": "x"}', "no JSON", "[" * 9999],
)
def test_replies_that_are_none(reply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"print({children.READY!r:>9}, flush=True); input(); input(); print({reply!r})"
    script = script.replace(repr(children.READY), repr(f'"{children.READY}"'))
    monkeypatch.setattr(rendering, "command", lambda _: (sys.executable, "-c", script))
    renderer = Renderer()
    with pytest.raises(ModelInvalid, match="did not survive it"):
        renderer.compile("", lambda: NOON)({})
    renderer.close()


def test_a_child_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "command", lambda _: ("/no-such-program",))
    with pytest.raises(EdgemindError, match="the template child cannot be started"):
        Renderer().start()
