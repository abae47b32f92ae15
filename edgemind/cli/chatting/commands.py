"""What can be said to the chat itself: `/help`, `/why`, `/save` and the others."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from edgemind.catalog.bundled import bundled_model
from edgemind.cli.chatting import files
from edgemind.cli.chatting.past import Diary, find_past, model_of, take_up
from edgemind.cli.chatting.table import Command, Desk, help_text
from edgemind.cli.record import place_of, shortened
from edgemind.conversation.documents import fenced_file
from edgemind.conversation.limits import parse_budget
from edgemind.defaults import AUTO, MAX_SAMPLES
from edgemind.errors import ConfigError, EdgemindError
from edgemind.events import Routed
from edgemind.strategies.base import find_strategy
from edgemind.wording import costs, explanation, printable

SWITCHES = ("thoughts", "receipt", "explain")


def show_help(desk: Desk, _: str) -> None:
    keys = (
        'Enter sends, Alt-Enter begins a new line, """ begins and ends a text of many lines.\n'
        "Ctrl-C ends the thinking with the best answer so far; at the prompt it clears the line.\n"
        "Ctrl-R searches what you typed, Ctrl-X Ctrl-E opens your editor, Ctrl-D leaves.\n"
        "A line typed while it thinks is the next prompt; Enter once more, and it is taken in now."
    )
    desk.tell(f"{help_text(COMMANDS)}\n\n{keys}")


def model(desk: Desk, name: str) -> None:
    talk = desk.talk
    if name:
        _change_model(desk, name)
    where = f" ({talk.chosen})" if talk.chosen not in (None, talk.mind.model) else ""
    desk.tell(f"model: {talk.mind.model}{where}")


def _change_model(desk: Desk, name: str | Path | None) -> None:
    """Open another model; only then is the one before it closed."""
    talk = desk.talk
    before = talk.mind
    talk.mind = desk.open_model(name)
    talk.chosen = name
    before.close()
    for notice in talk.mind.notices:
        desk.tell(notice)


def system(desk: Desk, text: str) -> None:
    if text:
        desk.talk.system = None if text == "-" else text
    desk.tell(f"system: {desk.talk.system or '(none)'}")


def budget(desk: Desk, text: str) -> None:
    if text:
        desk.talk.budget = parse_budget(text)
    limits = desk.talk.budget
    parts = [
        f"{value:g} {unit}"
        for value, unit in ((limits.seconds, "s"), (limits.joules, "J"), (limits.tokens, "tokens"))
        if value is not None
    ]
    desk.tell(f"budget for each answer: {', '.join(parts) or 'none but those of config.toml'}")


def strategy(desk: Desk, text: str) -> None:
    talk = desk.talk
    if text:
        name, *rest = text.split()
        if name != AUTO:
            find_strategy(name)
        if rest:
            width = int(rest[0]) if rest[0].isdecimal() else 0
            if len(rest) > 1 or not 1 <= width <= MAX_SAMPLES:
                raise ConfigError(f"a width is a number from 1 to {MAX_SAMPLES}: /strategy vote 8")
            talk.width = width
        talk.strategy = name
    desk.tell(f"strategy: {talk.strategy}, at most {talk.width} samples")


def why(desk: Desk, _: str) -> None:
    if not desk.talk.routes:
        raise ConfigError("nothing was answered yet")
    for event in desk.talk.routes:
        if isinstance(event, Routed):
            route = event.route
            desk.tell(explanation("before the first word", route, "P(hard)", route.difficulty))
        else:
            desk.tell(explanation("after the draft", event.route, "P(right)", event.confidence))
    if (answer := desk.talk.last) is not None:
        desk.tell(costs(answer))


def retry(desk: Desk, _: str) -> None:
    if (turn := desk.talk.undo()) is None:
        raise ConfigError("nothing was answered yet")
    desk.again = turn.prompt


def edit(desk: Desk, _: str) -> None:
    if (turn := desk.talk.undo()) is None:
        raise ConfigError("nothing was asked yet")
    desk.prefill = turn.prompt


def undo(desk: Desk, _: str) -> None:
    if (turn := desk.talk.undo()) is None:
        raise ConfigError("there is nothing to take back")
    desk.tell(f"taken back: {shortened(turn.prompt)}")


def save(desk: Desk, name: str) -> None:
    path = _path(name, "/save talk.json")
    files.save(desk.talk, path)
    desk.tell(f"saved: {_turns(len(desk.talk.turns))} in {printable(str(path))}")


def load(desk: Desk, name: str) -> None:
    found = files.read(_path(name, "/load talk.json"))
    desk.talk.begin(found.turns)  # the model stays the one that is loaded
    desk.talk.system = found.system
    desk.tell(f"loaded: {_turns(len(desk.talk.turns))}")


def export(desk: Desk, name: str) -> None:
    path = _path(name, "/export talk.md")
    files.export(desk.talk, path)
    desk.tell(f"exported: {printable(str(path))}")


def read(desk: Desk, name: str) -> None:
    path = _path(name, "/read notes.txt")
    text = fenced_file(path)
    desk.attached.append(text)
    desk.tell(f"{printable(path.name)} ({len(text)} characters) goes before your next prompt")


def resume(desk: Desk, name: str) -> None:
    talk = desk.talk
    current = talk.keeper.conversation if isinstance(talk.keeper, Diary) else None
    past = find_past(name or None, but=current)
    try:
        wanted = model_of(past.kept)
        if place_of(wanted) != (place_of(talk.chosen) or str(bundled_model())):
            _change_model(desk, wanted)
            desk.tell(f"model: {talk.mind.model}, as it was then")
    except EdgemindError as error:
        desk.tell(f"edgemind: {error}: {talk.mind.model} answers")
    desk.attached.clear()
    take_up(talk, past)


def clear(desk: Desk, _: str) -> None:
    desk.talk.begin()
    desk.attached.clear()
    desk.tell("a new conversation")


def stats(desk: Desk, _: str) -> None:
    talk = desk.talk
    receipts = [turn.receipt for turn in talk.turns if turn.receipt is not None]
    lines = [
        f"model: {talk.mind.model}",
        _turns(len(talk.turns)) + (f", the oldest {talk.dropped} dropped" if talk.dropped else ""),
        f"{sum(one.samples for one in receipts)} samples, "
        f"{sum(one.tokens for one in receipts)} tokens, "
        f"{sum(one.seconds for one in receipts):.2f} s, "
        f"{sum(one.joules for one in receipts):.1f} J",
    ]
    desk.tell("\n".join(lines))


def show(desk: Desk, text: str) -> None:
    face = desk.talk.face
    if text:
        name, *rest = text.split()
        if name not in SWITCHES or len(rest) > 1 or (rest and rest[0] not in ("on", "off")):
            raise ConfigError("/show thoughts, receipt or explain, with on or off behind it")
        on = rest[0] == "on" if rest else not getattr(face, name)
        setattr(face, name, on)
        turns = desk.talk.turns
        if name == "thoughts" and on and turns and turns[-1].reasoning:
            desk.tell(f"the last thought:\n{turns[-1].reasoning.strip()}")
    states = (f"{name} {'on' if getattr(face, name) else 'off'}" for name in SWITCHES)
    desk.tell(", ".join(states))


def leave(desk: Desk, _: str) -> None:
    desk.leaving = True


def _path(text: str, example: str) -> Path:
    """A path as it was typed: `~`, quotes and backslashes mean what they do in a shell."""
    try:
        words = shlex.split(text) if os.name != "nt" else [text]
    except ValueError:
        words = [text]
    name = words[0] if len(words) == 1 else text
    if not name:
        raise ConfigError(f"which file? {example}")
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise ConfigError(f"{name} names no home folder") from None


def _turns(count: int) -> str:
    return f"{count} turn{'s' if count != 1 else ''}"


COMMANDS: dict[str, Command] = {
    one.name: one
    for one in (
        Command("/help", "", "this list", show_help),
        Command("/model", "[MODEL]", "which model answers; another one", model, "model"),
        Command("/system", "[TEXT]", "instructions before everything; - for none", system),
        Command("/budget", "[5s 30J 200t]", "limits of an answer; none for no limit", budget),
        Command("/strategy", "[NAME] [WIDTH]", "how it thinks", strategy, "strategy"),
        Command("/why", "", "why it thought so hard, signal by signal", why),
        Command("/retry", "", "another answer to the last prompt", retry),
        Command("/edit", "", "take the last prompt back to change it", edit),
        Command("/undo", "", "forget the last turn", undo),
        Command("/save", "FILE", "keep the conversation (JSON)", save, "path"),
        Command("/load", "FILE", "go on with a kept conversation", load, "path"),
        Command("/resume", "[ID]", "go on with one of the history", resume, "conversation"),
        Command("/export", "FILE", "write it as .md or .json", export, "path"),
        Command("/read", "FILE", "put a file before the next prompt", read, "path"),
        Command("/clear", "", "begin a new conversation", clear),
        Command("/stats", "", "what this conversation cost", stats),
        Command("/show", "[WHAT] [on|off]", "thoughts, receipt, explain", show, "show"),
        Command("/exit", "", "leave", leave),
    )
}
