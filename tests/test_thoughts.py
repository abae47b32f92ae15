"""The thought splitter: the same parts however the text is cut, and nothing lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemind.thoughts import THINK, Part, ThoughtSplitter, ThoughtTags, tags_of

HARMONY = ThoughtTags("<|a|>", "<|e|><|f|>", "<|f|>")

words = st.sampled_from(
    ["<think>", "</think>", "<", "</", "think", ">", "<th", "a", " ", "\n", "ü🙂", "<|f|>", "<|e|>"]
)
texts = st.lists(words, max_size=12).map("".join)


def joined(parts: list[Part]) -> list[Part]:
    """Parts with neighbours of one kind put together."""
    merged: list[Part] = []
    for kind, text in parts:
        if merged and merged[-1][0] == kind:
            merged[-1] = (kind, merged[-1][1] + text)
        else:
            merged.append((kind, text))
    return merged


def split(chunks: list[str], opened: bool = False, tags: ThoughtTags = THINK) -> list[Part]:
    splitter = ThoughtSplitter(opened, tags)
    return joined([part for chunk in chunks for part in splitter.feed(chunk)] + splitter.flush())


@pytest.mark.parametrize(
    ("text", "opened", "parts"),
    [
        ("Four.", False, [("answer", "Four.")]),
        ("  Four.\n", False, [("answer", "  Four.\n")]),
        ("<think>\nHm. </think>\n\nFour.", False, [("reasoning", "Hm. "), ("answer", "Four.")]),
        ("\nHm.</think>Four.", True, [("reasoning", "Hm."), ("answer", "Four.")]),
        ("<think></think>Four.", False, [("answer", "Four.")]),
        ("Hm", True, [("reasoning", "Hm")]),
        ("Hm</thin", True, [("reasoning", "Hm</thin")]),
        ("<thin", False, [("answer", "<thin")]),
        (
            "The tag <think> opens a thought.",
            False,
            [("answer", "The tag <think> opens a thought.")],
        ),
        ("<think>a</think><think>b</think>c", False, [("reasoning", "ab"), ("answer", "c")]),
        ("", True, []),
    ],
)
def test_parts(text: str, opened: bool, parts: list[Part]) -> None:
    assert split([text], opened) == parts
    assert split(list(text), opened) == parts


def test_what_is_certain_comes_out_at_once() -> None:
    splitter = ThoughtSplitter(False)
    assert splitter.feed("<thi") == []
    assert splitter.feed("nk>") == []
    assert splitter.thinking
    assert splitter.feed("Hm. 1 <") == [("reasoning", "Hm. 1 ")]
    assert splitter.feed(" 2 </th") == [("reasoning", "< 2 ")]
    assert splitter.feed("ink>\n") == []
    assert not splitter.thinking
    assert splitter.feed("\nYes < no") == [("answer", "Yes < no")]
    assert splitter.flush() == []


def test_the_closing_tag_closes_an_open_thought() -> None:
    for tags in (THINK, HARMONY):
        splitter = ThoughtSplitter(True, tags)
        assert splitter.feed("and so on and") == [("reasoning", "and so on and")]
        assert splitter.feed(splitter.closing_tag + "\n") == []
        assert not splitter.thinking
        assert splitter.feed("4") == [("answer", "4")]


def test_a_tag_that_begins_the_answer_is_left_out() -> None:
    assert split(["<|a|>Hm<|e|><|f|>4"], tags=HARMONY) == [("reasoning", "Hm"), ("answer", "4")]
    assert split(["<|f|>4 <|f|>"], tags=HARMONY) == [("answer", "4 <|f|>")]


@settings(database=None, deadline=None)
@given(text=texts, opened=st.booleans(), data=st.data(), tags=st.sampled_from([THINK, HARMONY]))
def test_the_cuts_do_not_matter(
    text: str, opened: bool, data: st.DataObject, tags: ThoughtTags
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edges = [0, *cuts, len(text)]
    chunks = [text[start:end] for start, end in pairwise(edges)]
    assert split(chunks, opened, tags) == split([text], opened, tags)


@settings(database=None, deadline=None)
@given(text=texts, opened=st.booleans())
def test_only_tags_and_white_space_are_left_out(text: str, opened: bool) -> None:
    def bare(value: str) -> str:
        return "".join(value.replace("<think>", "").replace("</think>", "").split())

    parts = split(list(text), opened)
    assert bare("".join(part for _, part in parts)) == bare(text) or "<think>" in text
    if "<think>" not in text and "</think>" not in text and not opened:
        assert parts == ([("answer", text)] if text else [])
    position = 0  # everything that comes out stands in the text, in this order
    for character in "".join(part for _, part in parts):
        position = text.index(character, position) + 1


def test_tags_are_found_in_a_template() -> None:
    assert tags_of("{{ '<|im_start|>' }}") is None
    assert tags_of("{{ content.split('</think>')[-1] }}") is THINK
    found = tags_of("{{ '<|channel>thought\n<channel|>' }}")
    assert found is not None
    assert found.closing == "<channel|>"
