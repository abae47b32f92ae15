"""The screen: what goes to which stream, on a terminal and in a pipe; nothing steers a terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.cli.show import (
    CLEAR_LINE,
    DIM,
    PLAIN,
    Screen,
)
from edgemind.events import Checked, Escalated, Event, Finished, Progress, Routed, Sampled, Text
from edgemind.sample import NO_SIGNALS
from edgemind.types import Answer, Budget, Completion, Finish, Reason, Route, Spent
from edgemind.wording import explanation, limits_left, printable, receipt

ROUTE = Route("direct", 8, "one pass first", 0.25, (Reason("numbers", 1.5, 0.75),))
VOTE = Route("vote", 8, "the draft is unsure", 0.25, (Reason("mean_logprob", -2.0, -8.0),))


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def answer(text: str = "#### 4", samples: int = 1, finish: Finish = "stop") -> Answer:
    return Answer(
        text=text,
        answer="4",
        reasoning="",
        confidence=0.9,
        agreement=0.75,
        route=ROUTE,
        samples=samples,
        spent=Spent(1.234, 5.67, 42, 10, "estimated"),
        budget=Budget(),
        finish=finish,
        seed=1,
        model="m",
    )


def done(text: str = "#### 4") -> Completion:
    return Completion(text, "", "4", NO_SIGNALS, "stop")


def show(
    events: Iterable[Event],
    out: io.StringIO | None = None,
    err: io.StringIO | None = None,
    quiet: bool = False,
    explain: bool = False,
) -> tuple[str, str]:
    out, err = out or io.StringIO(), err or io.StringIO()
    Screen(quiet, explain, out, err).show(events, Budget(seconds=10))
    return out.getvalue(), err.getvalue()


DIRECT: list[Event] = [
    Routed(ROUTE),
    Text("#### "),
    Text("4"),
    Sampled(0, done()),
    Finished(answer()),
]
OUTVOTED: list[Event] = [
    Routed(ROUTE),
    Text("hm", "reasoning"),
    Text("#### 5"),
    Sampled(0, done("#### 5")),
    Escalated(VOTE, 0.3),
    Sampled(1, done()),
    Checked((("4", 1), ("5", 1))),
    Progress(3, Spent(2.0)),
    Sampled(2, done()),
    Checked((("4", 2), ("5", 1)), "certain"),
    Finished(answer(samples=3)),
]


def test_a_pipe_gets_the_final_answer_alone() -> None:
    out, err = show(DIRECT)
    assert out == "#### 4\n"
    assert err == receipt(answer()) + "\n"
    out, err = show(OUTVOTED)
    assert out == "#### 4\n"
    assert "\x1b" not in err and "hm" not in err
    assert "thinking harder: the draft is unsure" in err


def test_a_terminal_sees_the_draft_grow() -> None:
    out, err = show(DIRECT, Terminal(), Terminal())
    assert out == "#### 4\n"
    assert err == f"{DIM}{receipt(answer())}\n{PLAIN}"


def test_a_terminal_sees_the_winner_after_an_outvoted_draft() -> None:
    out, err = show(OUTVOTED, Terminal(), Terminal())
    assert out.startswith("#### 5\n") and out.endswith("#### 4\n")
    assert f"{DIM}hm{PLAIN}\n" in err
    assert "3 samples running  4: 1  5: 1  8.0 s left" in err
    assert err.count(CLEAR_LINE) == 2, "written over, then wiped"


def test_the_live_line_of_a_vote_that_was_asked_for_leaves_the_draft_alone() -> None:
    """One screen: the line is erased each time, so the draft's last line must not be that one."""
    screen = Terminal()
    asked = [event for event in OUTVOTED if not isinstance(event, Escalated)]
    show([Text("#### 4") if event == Text("#### 5") else event for event in asked], screen, screen)
    before, _, _ = screen.getvalue().partition(CLEAR_LINE)
    assert before.endswith("#### 4\n")
    assert screen.getvalue().count("#### 4") == 1


def test_a_log_file_gets_no_styles() -> None:
    _, err = show(OUTVOTED, Terminal(), io.StringIO())
    assert "\x1b" not in err and "\r" not in err


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("events", [DIRECT, OUTVOTED])
def test_quiet_leaves_stderr_empty(events: list[Event], terminal: bool) -> None:
    make = Terminal if terminal else io.StringIO
    out, err = show(events, make(), make(), quiet=True)
    assert err == ""
    assert out.endswith("#### 4\n")


def test_explain() -> None:
    _, err = show(OUTVOTED, explain=True)
    assert "before the first word: P(hard) = 0.25 → direct (one pass first)" in err
    assert "after the draft: P(right) = 0.30 → vote" in err
    assert re.search(r"mean_logprob +-2\.00 +contributes -8\.00", err)
    assert explanation("x", ROUTE, "P", 0.5).count("\n") == 1


def test_an_empty_answer_leaves_no_blank_line_in_a_pipe() -> None:
    assert show([Finished(answer(""))], quiet=True)[0] == ""


def test_styles_end_when_the_stream_breaks() -> None:
    def broken() -> Iterable[Event]:
        yield Text("hm", "reasoning")
        raise KeyboardInterrupt

    err = Terminal()
    with pytest.raises(KeyboardInterrupt):
        Screen(out=Terminal(), err=err).show(broken(), Budget())
    assert err.getvalue() == f"{DIM}hm{PLAIN}\n"


# Nothing steers the terminal

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]52;c;cm0=\x07",
    "\x9b31m",
    "\x1b[2m",
    CLEAR_LINE,
    "\r",
    "\b\b\b",
    "\x7f",
    "\x00",
    "\x0e",
    "\u202e",
    "\u2066",
]
ALLOWED = {CLEAR_LINE, DIM, PLAIN}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_control_sequence_of_a_model_reaches_a_terminal(hostile: str) -> None:
    text = f"a{hostile}b"
    events: list[Event] = [
        Text(text, "reasoning"),
        Text(text),
        *(Text(character) for character in hostile),
        Sampled(0, done(text)),
        Escalated(Route("vote", 8, text, 0.5), 0.3),
        Checked(((text, 1),)),
        Progress(1, Spent()),
        Finished(answer(f"other {text}")),
    ]
    out, err = show(events, Terminal(), Terminal())
    for control in set(hostile) - {*"[]2Jm0;title5c=31K"}:
        assert control not in out
    for style in ALLOWED:
        err = err.replace(style, "")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", err)


@given(st.text())
def test_printable_keeps_text_and_drops_controls(text: str) -> None:
    shown = printable(text)
    assert printable(shown) == shown
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
    assert [c for c in shown if c.isprintable() or c in "\n\t"] == [
        c for c in text if (c.isprintable() or c in "\n\t")
    ]


def test_a_pipe_gets_the_bytes_as_they_are() -> None:
    out, _ = show([Finished(answer("a\x1b[2Jb"))])
    assert out == "a\x1b[2Jb\n"


# The receipt


def test_receipts() -> None:
    assert receipt(answer()) == "direct · 1 sample · 42 tokens · 1.23 s · 5.7 J (estimated)"
    assert "3 samples · " in receipt(answer(samples=3))
    assert receipt(answer(samples=3)).endswith("75% agree")


@pytest.mark.parametrize(
    ("finish", "words"),
    [
        ("budget", "cut by the budget"),
        ("length", "cut at the length limit"),
        ("interrupted", "stopped"),
    ],
)
def test_receipts_say_why_an_answer_was_cut(finish: Finish, words: str) -> None:
    assert receipt(answer(finish=finish)).endswith(f" · {words}")


def test_limits_left() -> None:
    assert limits_left(Budget(), Spent(1.0)) == "1.0 s"
    full = Budget(seconds=10, joules=20, tokens=30)
    assert limits_left(full, Spent(1, 2, 3)) == "9.0 s left, 18 J left, 27 tokens left"
    assert limits_left(full, Spent(99, 99, 99)) == "0.0 s left, 0 J left, 0 tokens left"


def test_a_draft_that_wins_its_vote_stands_there_once_and_without_a_gap() -> None:
    events: list[Event] = [Text("#### 4"), Escalated(VOTE, 0.3), Finished(answer(samples=3))]
    assert show(events, Terminal())[0] == "#### 4\n"


def test_an_outvoted_draft_is_followed_by_the_answer() -> None:
    assert show(OUTVOTED, Terminal())[0] == "#### 5\n#### 4\n"


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("locked:seccomp", "network: locked by the kernel (seccomp); an IP socket was tried"),
        ("open", "network: open: this process is not locked"),
        ("locked:other", "network: locked:other"),
    ],
)
def test_whether_the_network_is_locked_is_explained(network: str, words: str) -> None:
    events = [Finished(replace(answer(), network=network))]
    _, err = show(events, explain=True)
    assert any(words in line for line in err.split("\n"))
    assert "network" not in show(events)[1]
