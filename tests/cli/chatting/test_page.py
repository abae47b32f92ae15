"""What an interactive chat shows: Markdown, folded thoughts, nothing that steers a terminal."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

pytest.importorskip("prompt_toolkit")

from rich.console import Console, ConsoleDimensions
from rich.segment import Segment
from rich.text import Text as Styled

from edgemind.cli.chatting.markdown import Page as Markdown
from edgemind.cli.chatting.page import Page, Typed
from edgemind.cli.chatting.region import Region, ResizedLive
from edgemind.cli.chatting.table import Desk
from edgemind.conversation.markdown import finished, last_lines
from edgemind.conversation.talk import Talk
from edgemind.events import Event, Finished, Progress, Text
from edgemind.types import Answer, Budget, Route, Spent
from tests.cli.chatting.conftest import mind

ANSWER = Answer(
    text="fine",
    answer=None,
    reasoning="",
    confidence=1.0,
    agreement=1.0,
    route=Route("direct", 1, "easy", 0.1),
    samples=1,
    spent=Spent(1.0, 2.0, 3),
    budget=Budget(),
    finish="stop",
    seed=1,
    model="m",
)
STYLE = re.compile("\x1b\\[[0-9;]*m")
UP = "\x1b[1A"
ANY = re.compile("\x1b\\[[0-9;?]*[A-Za-z]")


def rendered(text: str, width: int = 60) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(Markdown(text))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().split("\n")).strip("\n")


def shown(events: list[Event], answer: Answer = ANSWER, **switches: bool) -> str:
    """Everything that is written to the terminal."""
    out = io.StringIO()
    page = Page(Console(file=out, force_terminal=True, width=60, height=20))
    for name, on in switches.items():
        setattr(page, name, on)
    page.show([*events, Finished(answer)], Budget())
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("2*3*4 = 24", "2*3*4 = 24"),
        ("a\nb", "a\nb"),
        ("<div>kept</div>", "<div>kept</div>"),
        ("a <b>c</b>", "a <b>c</b>"),
        ("**bold** and *so*", "bold and so"),
        ("# Title", "Title"),
        ("```python\nx = 1\n```", "x = 1"),
        ("[here](https://example.org/x)", "here (https://example.org/x)"),
    ],
)
def test_markdown(text: str, there: str) -> None:
    assert rendered(text) == there


def test_a_link_is_no_escape_sequence() -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True).print(Markdown("[here](https://example.org)"))
    assert "\x1b]" not in out.getvalue()


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("a\n", ""),
        ("a\n\n", ""),
        ("a\n\nb\n", "a\n\n"),
        ("a\n\n- b\n- c\n", "a\n\n"),
        ("- a\n\n- b\n", ""),
        ("```\na\n\nb\n", ""),
        ("```\na\n```\nb\n", "```\na\n```\n"),
        ("a | b\n--|--\n1 | 2\n", ""),
        ("a\n---\nb\n", "a\n---\n"),
    ],
)
def test_blocks_that_no_line_can_change(text: str, done: str) -> None:
    assert text[: finished(text)] == done


def test_a_long_fence_stays_one() -> None:
    assert last_lines("```c\n1\n2\n3\n4\n", 2) == "```c\n3\n4\n"
    assert last_lines("1\n2\n3\n", 2) == "2\n3\n"
    assert last_lines("1\n2\n", 2) == "1\n2\n"


def test_what_was_printed_is_not_printed_again() -> None:
    blocks = [f"Block {number} of it.\n\n" for number in range(30)]
    answer = replace(ANSWER, text="".join(blocks).strip())
    out = shown([Text(piece) for block in blocks for piece in re.split("( )", block)], answer)
    rows, highest = screen(out)
    assert [row for row in rows if row] == [f"Block {number} of it." for number in range(30)] + [
        "direct · 1 sample · 3 tokens · 1.00 s · 2.0 J (estimated)"
    ]
    # The cursor never goes back to where a screen of 20 rows may have scrolled away.
    assert highest < 20


def screen(out: str) -> tuple[list[str], int]:
    """What stands on an endless screen in the end, and how many rows the cursor ever went back."""
    rows, row, highest = [""], 0, 0
    for piece in re.split("(\x1b\\[[0-9;?]*[A-Za-z]|\n|\r)", out):
        if piece == "\n":
            row += 1
            rows += [""] * (row + 1 - len(rows))
        elif piece == "\x1b[1A":
            row -= 1
            highest = max(highest, len(rows) - 1 - row)
        elif piece == "\x1b[2K":
            rows[row] = ""
        elif not piece.startswith(("\x1b", "\r")):
            rows[row] += piece
    return [each.rstrip() for each in rows], highest


def test_the_model_cannot_steer_the_terminal() -> None:
    text = "a\x1b[2Jb\x1b]0;title\x07c\rd\x9b31me"
    out = shown([Text(text), Text("\x1b[5m", "reasoning")], replace(ANSWER, text=text))
    assert "\x1b[2J" not in out and "\x1b]" not in out and "\x9b" not in out and "\x07" not in out
    assert "a[2Jb]0;titlecd31me" in STYLE.sub("", out)


def test_thoughts_are_folded_until_they_are_wanted() -> None:
    events: list[Event] = [Text("Hm, what now?", "reasoning"), Text("fine")]
    folded = ANY.sub("", shown(events))
    assert "(thought for 3 words: /show thoughts)" in folded and "Hm" not in folded
    assert "Hm, what now?" in ANY.sub("", shown(events, thoughts=True))


def test_another_answer_that_won_is_shown() -> None:
    out = ANY.sub("", shown([Text("wrong")]))
    assert out.index("wrong") < out.index("another answer won:") < out.index("fine")


def test_the_receipt_can_be_left_out() -> None:
    assert "3 tokens" in shown([Text("fine")])
    assert "3 tokens" not in shown([Text("fine")], receipt=False)
    assert "where it went" in shown([Text("fine")], explain=True)


def test_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = shown([Text("```python\nx = 'a'\n```\n"), Text("`b` [c](d) # e\n")])
    assert re.findall("\x1b\\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7])m", out) == []


def test_the_live_line_says_what_was_typed() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=60, height=20)
    page = Page(console, lambda: Typed(2, "and then\n?"))
    page._event(Progress(1, Spent(1.5)))
    line = page._live_line()
    assert line.startswith("next: and then ? · 2 lines kept · 1.5 s")
    assert "Ctrl-C" in line
    page = Page(console, lambda: Typed(1, ""))
    assert page._live_line().startswith("next: kept · 1 line kept · Enter: now · ")


def test_a_block_higher_than_the_screen_shows_its_end() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, height=10, color_system=None)
    page = Page(console)
    page._tail = "```\n" + "".join(f"line {number}\n" for number in range(100))
    lines = console.render_lines(_Once(page), console.options, pad=False)
    texts = ["".join(segment.text for segment in line).rstrip() for line in lines]
    assert len(texts) <= 9 and "line 99" in texts and "line 50" not in texts


class _Once:
    def __init__(self, page: Page) -> None:
        self.page = page

    def __rich_console__(self, console: Console, options: object) -> object:
        return self.page.region(console, options)  # type: ignore[arg-type]


def test_a_conversation_on_a_page() -> None:
    out = io.StringIO()
    page = Page(Console(file=out, force_terminal=True, width=60, height=20))
    talk = Talk(mind(["one", "two"]), page)
    desk = Desk(talk, lambda name: talk.mind)
    desk.talk.say("Say a")
    desk.talk.say("Say b")
    plain = ANY.sub("", out.getvalue())
    assert plain.index("one") < plain.index("two") and plain.count("1 sample") == 2


def test_a_region_that_was_wrapped_anew_is_erased_whole() -> None:
    """Three lines of 50, 0 and 11 columns take 2, 1 and 1 rows where the window is 30 wide."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, height=20)
    region = Region(lambda *_: [Segment("x" * 50 + "\n\n"), Styled("live 日本語")])
    with ResizedLive(region, console, 0.001) as live:
        out.truncate(0)
        live.refresh()
        assert out.getvalue().count(UP) == 2
        console.size = ConsoleDimensions(30, 20)
        out.truncate(0)
        live.refresh()
        assert out.getvalue().count(UP) == 3
