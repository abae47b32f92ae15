"""Events folded into what is drawn, and Markdown that is written as it grows. No model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edgemind.desktop.thinking import Thinking
from edgemind.events import Checked, Escalated, Growing, Progress, Revised, Routed, Sampled, Text
from edgemind.sample import NO_SIGNALS
from edgemind.types import Budget, Completion, Objection, Route, Spent

DIRECT = Route("direct", 8, "one pass first", 0.25)
VOTE = Route("vote", 8, "the draft is unsure", 0.25)


def completion(text: str, answer: str | None, *objections: Objection) -> Completion:
    return Completion(text, "", answer, NO_SIGNALS, "stop", objections)


def test_events_are_folded() -> None:
    thinking = Thinking(Budget(seconds=5))
    assert thinking.headline == "Reading" and not thinking.worth_showing
    for event in (Routed(DIRECT), Text("So\u202e it ", "reasoning"), Text("is 4.")):
        thinking.take(event)
    assert (thinking.thought, thinking.text) == ("So it ", "is 4.")
    assert thinking.worth_showing, "there is a thought to unfold"
    thinking.take(Sampled(0, completion("is 4.", "4", Objection(2, "2+2 is 4,\nnot 5"))))
    thinking.take(Escalated(VOTE, 0.3))
    thinking.take(Progress(2, Spent(1.5), (Growing(1, 7, "and\nso"), Growing(2, 5, "x"))))
    thinking.take(Checked((("4", 2), ("5", 1))))
    thinking.take(Revised("line 2", completion("4", "4"), True))
    assert thinking.headline == (
        "Thinking harder: the draft is unsure, 1 samples so far · 3.5 s left"
    )
    assert [(one.tokens, one.end, one.ended) for one in thinking.samples.values()] == [
        *((0, "is 4.", True), (7, "and so", False), (5, "x", False))
    ]
    assert thinking.objections == ["sample 1, line 2: 2+2 is 4, not 5", "corrected: line 2"]
    assert thinking.votes == (("4", 2), ("5", 1))
    assert "P(right) = 0.30" in thinking.why()


MARKDOWN = """# Title

Text with **bold**, `code` and 2*3*4, [a link](https://x.example/), <b>tags</b>
and a second line.

1. one
2. two
   - inner

> quoted

```python
def f() -> int:
    return 1
```

| a | b |
|---|---|
| 1 | 2 |

![picture](https://x.example/p.png) and ![other](file:///etc/passwd)
"""


@pytest.fixture
def view(app: Any) -> Iterator[Any]:
    from edgemind.desktop.markdown_view import MarkdownView
    from edgemind.desktop.theme import LIGHT

    made = MarkdownView(LIGHT)
    made.resize(500, 10)
    made.show()
    yield made
    made.deleteLater()


def settled(view: Any, text: str) -> str:
    while not view.show_text(text, final=True):
        pass
    return str(view.toPlainText())


def test_a_text_that_grows_ends_as_one_that_is_there(view: Any, app: Any) -> None:
    from edgemind.desktop.markdown_view import MarkdownView
    from edgemind.desktop.theme import LIGHT

    whole = settled(MarkdownView(LIGHT), MARKDOWN)
    for size in (1, 7, 64):
        view.set_theme(LIGHT)
        for place in range(0, len(MARKDOWN), size):
            view.show_text(MARKDOWN[:place])
        assert settled(view, MARKDOWN) == whole


def test_nothing_is_hidden_and_nothing_leads_anywhere(view: Any) -> None:
    text = settled(view, MARKDOWN)
    for part in (
        "a link (https://x.example/)",
        "<b>tags</b>\nand a second line.",
        "2*3*4",
        "1.\tone",
        "◦\tinner",
        "def f() -> int:\n    return 1",
        "picture (https://x.example/p.png) and ![other](file:///etc/passwd)",
    ):
        assert part in text
    assert "**" not in text and "```" not in text
    block = view.document().firstBlock()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            assert not pieces.fragment().charFormat().isAnchor()
            assert not pieces.fragment().charFormat().isImageFormat()
            pieces += 1
        block = block.next()


def test_a_long_text_is_written_in_parts(view: Any) -> None:
    from edgemind.desktop.markdown_view import AT_ONCE

    long = "".join(f"Paragraph {number} of a long text.\n\n" for number in range(2000))
    calls = 1
    while not view.show_text(long, final=True):
        calls += 1
    assert calls >= len(long) // AT_ONCE
    assert view.toPlainText().count("Paragraph") == 2000
    assert view.height() > 20_000, "it is as high as its text"


def test_another_text_takes_the_place_of_one(view: Any) -> None:
    settled(view, MARKDOWN)
    assert settled(view, "The winner is **7**.") == "The winner is 7."
