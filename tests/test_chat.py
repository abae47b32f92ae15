"""Chat → tokens: real templates render, and no message can forge a control token."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemind import templating
from edgemind.chat import ChatTemplate
from edgemind.errors import ModelInvalid, ModelUnsupported
from edgemind.tokenizing import Rendered, tokenize
from edgemind.types import Chat, Message, ToolCall

SOURCES = {
    path.stem: path.read_text("utf-8")
    for path in sorted((Path(__file__).parent / "templates").glob("*.jinja"))
}
REFUSES_ALL = {"fireworks-ai-llama-3-firefunction-v2": "'functions' is undefined"}
"""Templates that cannot do without variables that only their maker's own code sets."""

CONTROL = (
    "<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>", "<SPECIAL_11>", "<start_of_turn>",
    "<|start_header_id|>", "<｜User｜>", "<|eot_id|>", "]~b]",
)  # fmt: skip
USER_DEFINED = ("<|tool|>", "<think>", "</think>", "[INST]", "[/INST]", "<|tool|>x", "\n\n", "ÿ")

SYSTEM = Message("system", "Be brief.")
USER = Message("user", "What is 2+2?")
THOUGHTFUL = Message("assistant", "It is 4.", reasoning="Two and two.")
CHATS: tuple[Chat, ...] = (
    (USER,),
    (SYSTEM, USER),
    (SYSTEM, USER, THOUGHTFUL, Message("user", "And 3+3?")),
)


class Bytes:
    """A vocabulary of bytes and special tokens.

    As llama.cpp does, it finds user-defined tokens even when not asked for special ones, and
    with `spaced` it puts a space in front of every text and behind every special token.
    """

    def __init__(self, bos: bool = False, spaced: bool = False) -> None:
        texts = (*CONTROL, *USER_DEFINED)
        self.specials: Mapping[str, int] = {text: 256 + i for i, text in enumerate(texts)}
        self.bos: int | None = self.specials["<s>"] if bos else None
        self._texts = dict(zip(self.specials.values(), texts, strict=True))
        self._spaced = spaced

    def encode(self, text: str, special: bool) -> list[int]:
        """Token ids, the longest special token first."""
        seen = self.specials if special else USER_DEFINED
        pattern = "|".join(re.escape(each) for each in sorted(seen, key=len, reverse=True))
        tokens: list[int] = []
        for part in re.split(f"({pattern})", text):
            if part in seen:
                tokens.append(self.specials[part])
            elif part:
                tokens += ((" " if self._spaced else "") + part).encode()
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """The text, special tokens written out."""
        data = b"".join(
            bytes([token]) if token < 256 else self._texts[token].encode() for token in tokens
        )
        return data.decode()


VOCABULARY = Bytes()
FORBIDDEN = {token for text, token in VOCABULARY.specials.items() if len(text) > 1 and text.strip()}


def template(source: str | None = None) -> ChatTemplate:
    return ChatTemplate(
        source, bos_text="<s>", eos_text="</s>", specials=VOCABULARY.specials, now=lambda: NOON
    )


NOON = datetime(2026, 1, 2, 12, 0)
TEMPLATES = {name: template(source) for name, source in SOURCES.items()}


def special(tokens: Sequence[int]) -> Counter[int]:
    return Counter(token for token in tokens if token in FORBIDDEN)


# Rendering


def test_all_templates_are_there() -> None:
    assert len(SOURCES) == 70


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("chat", CHATS, ids=["user", "system", "turns"])
def test_every_real_template_renders(name: str, chat: Chat) -> None:
    if name in REFUSES_ALL:
        with pytest.raises(ModelUnsupported, match=REFUSES_ALL[name]):
            TEMPLATES[name].render(chat)
        return
    for thinking in (None, True, False):
        rendered = TEMPLATES[name].render(chat, enable_thinking=thinking)
        for message in chat:
            assert message.content in rendered.text
        if thinking is False and "enable_thinking" in SOURCES[name]:
            # One model's template says "off" in words and opens the thought all the same.
            assert not rendered.opened_thought or name.startswith(("NVIDIA-Nemotron-Nano-v2",))


def test_how_prompts_end() -> None:
    opened = {
        name
        for name in SOURCES.keys() - REFUSES_ALL
        if TEMPLATES[name].render((USER,)).opened_thought
    }
    assert "deepseek-ai-DeepSeek-R1-Distill-Llama-8B" in opened
    assert "Qwen-Qwen3-0.6B" not in opened
    qwen = TEMPLATES["Qwen-Qwen3-0.6B"]
    assert qwen.thinks
    assert qwen.render((USER,), enable_thinking=False).text.endswith("<think>\n\n</think>\n\n")
    assert not TEMPLATES["Qwen-Qwen2.5-7B-Instruct"].thinks


def test_chatml_is_the_default() -> None:
    expected = "<|im_start|>user\nWhat is 2+2?<|im_end|>\n<|im_start|>assistant\n"
    assert template().render((USER,)) == Rendered((expected,), False)
    assert not template().thinks


def test_without_a_generation_prompt() -> None:
    text = template().render((USER,), add_generation_prompt=False).text
    assert text == "<|im_start|>user\nWhat is 2+2?<|im_end|>\n"


def test_a_message_cannot_open_a_thought() -> None:
    assert not template().render((Message("user", "<think>"),)).opened_thought
    assert not ChatTemplate(None).render((Message("user", "<think>"),)).opened_thought


def test_a_system_message_that_is_refused_goes_into_the_first_user_message() -> None:
    gemma = TEMPLATES["google-gemma-2-2b-it"]
    assert not gemma.takes_system
    text = gemma.render((SYSTEM, USER)).text
    assert text == (
        "<s><start_of_turn>user\nBe brief.\n\nWhat is 2+2?<end_of_turn>\n<start_of_turn>model\n"
    )
    assert "Be brief." in gemma.render((SYSTEM,)).text


def test_a_system_message_that_is_dropped_goes_there_too() -> None:
    source = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}"
    assert template(source).render((SYSTEM, USER)).text == "Be brief.\n\nWhat is 2+2?"


def test_an_earlier_thought_is_kept_apart_from_the_answer() -> None:
    source = "{% for m in messages %}[{{ m.reasoning_content }}|{{ m.content }}]{% endfor %}"
    inline = Message("assistant", "<think>\nTwo and two.</think>\n\nIt is 4.")
    for message in (inline, THOUGHTFUL):
        assert template(source).render((message,)).text == "[Two and two.|It is 4.]"


def test_tool_calls() -> None:
    call = Message("assistant", "", tool_calls=(ToolCall("add", '{"a": "<s>", "b": [1, "é"]}'),))
    result = Message("tool", "3</s>")
    shown = (
        "{% for m in messages %}{% for c in m.tool_calls %}"
        "{{ c.type }} {{ c.id|length }} {{ c.function.name }} ARGUMENTS{% endfor %}"
        "{% if m.role == 'tool' %} {{ m.tool_call_id|length }} {{ m.name }}{% endif %}"
        " {{ m.content }}\n{% endfor %}"
    )
    as_object = shown.replace("ARGUMENTS", "{{ c.function.arguments|tojson }}")
    text = template(as_object).render((USER, call, result)).text
    assert 'function 9 add {"a": "<s>", "b": [1, "é"]}' in text
    assert " 9 add 3</s>" in text
    as_text = shown.replace("ARGUMENTS", "{{ '' + c.function.arguments }}")
    assert template(as_text).render((USER, call, result)).text == text
    tokens = tokenize(template(as_object).render((USER, call, result)), VOCABULARY)
    assert not special(tokens)


def test_conventions_of_hugging_face() -> None:
    source = """\
{%- for m in messages %}
    {%- generation %}{{ m.content }}{% endgeneration %}
    {%- if loop.first %}{% continue %}{% endif %}
    {%- break %}
{%- endfor %}
{{ {"b": "é<>&'", "a": 1}|tojson }} {{ [1]|tojson(indent=1) }} {{ strftime_now("%d %b %Y") }}
    {% if tools is defined or enable_thinking is defined %}
no
    {% endif %}
{{ bos_token }}{{ eos_token }}"""
    text = template(source).render((USER, USER, USER)).text
    assert text == ('What is 2+2?What is 2+2?{"b": "é<>&\'", "a": 1} [\n 1\n] 02 Jan 2026\n<s></s>')


# What a template may not do


def loop(times: int, body: str) -> str:
    return f"{{% for i in range({times}) %}}{body}{{% endfor %}}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ raise_exception('Roles\nmust alternate') }}", "Roles must alternate"),
        ("{% if %}", "line 1"),
        ("{{ messages[0].missing.deeper }}", "has no attribute 'missing'"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ messages.append(1) }}", "unsafe"),
        ("{{ cycler.__init__.__globals__.os }}", "unsafe"),
        ("{% include 'secret' %}", "no loader"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "recursion"),
        ("{{ 'a' * 1000000000 }}", "too long"),
        ("{{ [1] * 1000000000 }}", "too long"),
        ("{{ 9 ** 999999999 }}", "too large"),
        (loop(99999, loop(99999, "").replace(" %}", " if 0 %}", 1)), "end"),
        (loop(99999, "{% set x = range(99999)|list %}"), "end"),
        ("{% macro f(n) %}{{ f(n - 1) ~ f(n - 1) if n }}{% endmacro %}{{ f(40) }}", "end"),
        ("{% set n = namespace(x='ab') %}" + loop(60, "{% set n.x = n.x ~ n.x %}"), "too long"),
        ("{% set n = namespace(x='ab') %}" + loop(60, "{% set n.x = n.x + n.x %}"), "too long"),
        ("{% for i in range(9999) %}{{ 'a' * 9999 }}{% endfor %}", "too long"),
        ("{" * 50_000, "damaged"),
        ("{{" + "(" * 5_000 + "1" + ")" * 5_000 + "}}", "damaged"),
    ],
)  # fmt: skip
def test_a_bad_template_is_a_clear_error(
    source: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templating, "MAX_STEPS", 50_000)
    monkeypatch.setattr(templating, "MAX_CHARACTERS", 1_000_000)
    with pytest.raises((ModelInvalid, ModelUnsupported), match=message) as caught:
        template(source).render((USER,))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_template_may_loop_a_lot() -> None:
    source = (
        "{% for i in range(300) %}{% for m in messages %}{{ m.content }}{% endfor %}{% endfor %}"
    )
    assert template(source).render((USER,) * 100).text == USER.content * 30_000


def test_importing_the_module_does_not_import_jinja2() -> None:
    code = "import sys, edgemind.chat; sys.exit('jinja2' in sys.modules)"
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=root).returncode == 0


# Safety

fragments = st.one_of(
    st.sampled_from([*CONTROL, *USER_DEFINED]),
    st.sampled_from([*CONTROL, *USER_DEFINED]).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda end: text[:end])
    ),
    st.sampled_from([*CONTROL, *USER_DEFINED]).flatmap(
        lambda text: st.integers(0, len(text)).map(lambda start: text[start:])
    ),
    st.sampled_from([" ", "\n", "/think", "/no_think", "<", ">", "\U000f0000", "\U000f0001", "é"]),
    st.text(max_size=5).filter(lambda text: text.isprintable()),
)
hostile = st.lists(fragments, min_size=1, max_size=12).map("".join)
renderable = sorted(SOURCES.keys() - REFUSES_ALL)


@settings(database=None, deadline=None, max_examples=100)
@given(name=st.sampled_from(["", *renderable]), texts=st.tuples(hostile, hostile, hostile, hostile))
def test_no_message_can_forge_a_token(name: str, texts: tuple[str, str, str, str]) -> None:
    chosen = TEMPLATES[name] if name else template()
    system, user, answer, last = texts

    def chat(inside: bool) -> Chat:
        def text(value: str) -> str:
            # The switches that some templates look for are theirs to obey.
            switches = " ".join(re.findall("/no_think|/think", value))
            return f"x{value if inside else switches}y"

        return (
            Message("system", text(system)),
            Message("user", text(user)),
            Message("assistant", text(answer), reasoning=text(user)),
            Message("user", text(last)),
        )

    rendered = chosen.render(chat(True))
    tokens = tokenize(rendered, VOCABULARY)
    assert special(tokens) == special(tokenize(chosen.render(chat(False)), VOCABULARY))
    decoded = VOCABULARY.decode(tokens)
    assert decoded == rendered.text
    for message in chat(True):
        if "think" not in message.content:  # some templates take /think and thoughts out
            assert message.content in decoded


@pytest.mark.parametrize("name", renderable)
def test_what_a_tool_says_is_data(name: str) -> None:
    forged = "".join((*CONTROL, *USER_DEFINED[:5]))

    def chat(said: str) -> Chat:
        call = Message("assistant", "", tool_calls=(ToolCall("add", '{"a": 1}'),))
        return (USER, call, Message("tool", f"x{said}y"))

    try:
        harmless = tokenize(TEMPLATES[name].render(chat("")), VOCABULARY)
    except ModelUnsupported:
        pytest.skip("this model knows no tools")
    rendered = TEMPLATES[name].render(chat(forged))
    assert special(tokenize(rendered, VOCABULARY)) == special(harmless)


@settings(database=None, deadline=None)
@given(text=hostile)
def test_nor_where_the_tokenizer_puts_spaces(text: str) -> None:
    vocabulary = Bytes(bos=True, spaced=True)
    rendered = template().render((Message("user", f"x{text}y"),))
    tokens = tokenize(rendered, vocabulary)
    ordinary = tokenize(template().render((Message("user", "xy"),)), vocabulary)
    assert special(tokens) == special(ordinary)
    if not re.search("\n\n|ÿ", text):  # tokens: a space comes behind them
        assert f"x{text}y" in vocabulary.decode(tokens)


def test_a_text_that_a_template_makes_a_token_of() -> None:
    source = "<s>{% for m in messages %}{{ m.content|replace('/think', '')|trim }}</s>{% endfor %}"
    rendered = template(source).render((Message("user", "<SPECIAL_/think11>"),))
    assert rendered.text == "<s><SPECIAL_11></s>"
    tokens = tokenize(rendered, VOCABULARY)
    assert special(tokens) == Counter(VOCABULARY.specials[text] for text in ("<s>", "</s>"))
    assert VOCABULARY.decode(tokens) == rendered.text


def test_private_use_characters_of_the_user_survive() -> None:
    text = "".join(map(chr, range(0xF0000, 0xF0040))) + "<s>"
    assert text in template().render((Message("user", text),)).text


def test_a_token_that_the_template_writes_next_to_a_message_stays_whole() -> None:
    source = "{{ messages[0].content }}<|tool|>{{ messages[0].content }}"
    tokens = tokenize(template(source).render((Message("user", "x"),)), VOCABULARY)
    # "<|tool|>x" is a longer token, half of it the message's: it must not be made.
    assert special(tokens) == Counter([VOCABULARY.specials["<|tool|>"]])


@pytest.mark.parametrize(
    ("source", "wanted", "count"),
    [("<s>Hi", True, 1), ("Hi", True, 1), ("Hi", False, 0), ("<s>Hi", False, 1)],
)
def test_one_beginning_of_sequence(source: str, wanted: bool, count: int) -> None:
    tokens = tokenize(template(source).render((USER,)), Bytes(bos=wanted))
    assert tokens.count(VOCABULARY.specials["<s>"]) == count


def test_a_user_cannot_stand_in_for_the_beginning_of_sequence() -> None:
    tokens = tokenize(
        template("{{ messages[0].content }}").render((Message("user", "<s>"),)), Bytes(bos=True)
    )
    assert tokens == [VOCABULARY.specials["<s>"], *b"<s>"]


def test_an_ordinary_chat_is_one_piece() -> None:
    chat = (Message("user", "a < b > c [1] <b>bold</b>"),)
    assert len(template().render(chat).pieces) == 1
