"""A panel on the scripted engine: who is told what, what is evaluated, what can go wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from edgemind.chat import ChatTemplate
from edgemind.engines.base import Branch, Interrupted
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import ContextFull
from edgemind.events import Checked, Event
from edgemind.prompt import prepare, with_instruction
from edgemind.run import Run
from edgemind.strategies.base import Outcome, find_strategy
from edgemind.strategies.roles import READERS, SPECIALISTS
from edgemind.types import Budget, Message, Route, Sampling
from tests.helpers import PROMPT, Clock, drain, indexes, prompt, running, still_watchdog

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)

RIGHT, WRONG = "2 + 2 = 4\n#### 4", "2 + 2 = 5\n#### 5"
ROUTE = Route("panel", 4, "", 0.5)


class Watched(ScriptedEngine):
    """A scripted engine that notes its waves: the texts of branches that begin together."""

    def __init__(self, *texts: str, **options: object) -> None:
        super().__init__([Line(tuple(text)) for text in texts], **options)  # type: ignore[arg-type]
        self.waves: list[list[str]] = []
        self.known: list[Branch] = []
        self.prefilled: list[int] = []

    def prefill(self, tokens: Sequence[int], sampling: Sampling) -> Branch:
        before = self.evaluated_tokens
        branch = super().prefill(tokens, sampling)
        self.prefilled.append(self.evaluated_tokens - before)
        return branch

    def step(self, branches):  # type: ignore[no-untyped-def]
        if new := [branch for branch in branches if branch not in self.known]:
            self.waves.append([self.vocabulary.decode(branch.tokens) for branch in new])
            self.known += new
        return super().step(branches)


def follow(run: Run, route: Route = ROUTE) -> tuple[list[Event], Outcome]:
    return drain(find_strategy(route.strategy)(run, route))


def told(text: str, roles: Sequence[str] = SPECIALISTS) -> int:
    """The number of the role that a branch was told; -1 for none."""
    return next((number for number, role in enumerate(roles) if role in text), -1)


def members(engine: Watched, roles: Sequence[str] = SPECIALISTS) -> list[list[int]]:
    """The roles of each wave."""
    return [[told(text, roles) for text in wave] for wave in engine.waves]


def test_all_roles_work_in_one_batch() -> None:
    engine = Watched(RIGHT, WRONG, WRONG + " ", RIGHT)
    with running(engine) as run:
        follow(run)
    assert engine.step_widths[: len(RIGHT) + 1] == [1] * (len(RIGHT) + 1), "the draft alone"
    assert engine.step_widths[len(RIGHT) + 1] == 3
    assert members(engine)[:2] == [[-1], [0, 1, 2]]


def test_the_question_is_evaluated_once() -> None:
    engine = Watched(RIGHT, RIGHT, RIGHT, RIGHT)
    with running(engine) as run:
        follow(run)
        spent = run.ledger.spent()
    assert engine.prefilled == [len(PROMPT) - 1, 0]
    extra = sum(len(f" {role}?") for role in SPECIALISTS)
    assert spent.prompt_tokens == len(PROMPT) - 1 + extra


def test_later_waves_are_told_the_same_in_turn() -> None:
    engine = Watched(*(f"{number} + 0 = {number}\n#### {number}" for number in range(10, 19)))
    with running(engine) as run:
        _, outcome = follow(run, dataclasses.replace(ROUTE, width=9))
    assert members(engine) == [[-1], [0, 1, 2], [0, 1, 2], [0, 1]]
    assert outcome.samples == 9


def test_a_narrow_panel_takes_the_next_roles_in_its_next_wave() -> None:
    texts = [f"{number} + 0 = {number}\n#### {number}" for number in range(10, 15)]
    engine = Watched(*texts, width=2)
    with running(engine) as run:
        follow(run, dataclasses.replace(ROUTE, width=5))
    assert members(engine) == [[-1], [0, 1], [2, 0]]


def test_a_vote_counts_the_panel() -> None:
    engine = Watched(WRONG, RIGHT, WRONG, RIGHT)
    with running(engine) as run:
        events, outcome = follow(run)
    assert (outcome.winner.answer, outcome.ballot is not None) == ("4", True)
    assert any(isinstance(event, Checked) for event in events)


def test_of_free_texts_the_most_typical_is_taken() -> None:
    texts = ("A cat sat on a mat.", "A cat sat on the mat.", "Dogs!", "The cat sat on the mat.")
    engine = Watched(*texts)
    with running(engine) as run:
        events, outcome = follow(run, dataclasses.replace(ROUTE, votable=False))
    assert (outcome.winner.text, outcome.samples, outcome.ballot) == (texts[1], 4, None)
    assert members(engine, READERS)[:2] == [[-1], [0, 1, 2]]
    assert sorted(indexes(events)) == [0, 1, 2, 3]
    assert not any(isinstance(event, Checked) for event in events)


def test_a_model_without_instructions_is_told_nothing() -> None:
    engine = Watched(RIGHT, WRONG, WRONG, RIGHT)
    with running(engine, asked=dataclasses.replace(prompt(engine), instructed=None)) as run:
        follow(run)
    assert members(engine)[:2] == [[-1], [-1, -1, -1]]
    assert engine.evaluated_tokens < len(PROMPT) + sum(map(len, (RIGHT, WRONG, WRONG, RIGHT))) + 4


def test_where_the_context_has_no_room_for_it_nothing_is_told() -> None:
    engine = Watched(RIGHT, WRONG, WRONG, RIGHT, context=len(PROMPT) + len(RIGHT) + 40)
    with running(engine) as run:
        _, outcome = follow(run)
        assert run.cut is None
    assert members(engine)[:2] == [[-1], [-1, -1, -1]]
    assert outcome.winner.finish == "stop"


@pytest.mark.parametrize("stopped", [True, False])
def test_cut_before_the_members_begin(stopped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    engine = Watched(WRONG, RIGHT)
    with running(engine, Budget(seconds=1000), clock=clock) as run:
        list(run.draft())

        def late(tokens: Sequence[int], sampling: Sampling) -> Branch:
            if stopped:
                run.ledger.stop()
            clock.now += 1e6
            raise Interrupted

        monkeypatch.setattr(engine, "prefill", late)
        _, outcome = follow(run)
        assert run.cut == ("interrupted" if stopped else "budget")
    assert (outcome.winner.text, outcome.winner.finish, outcome.samples) == (WRONG, "stop", 1)


def test_what_is_told_counts_in_what_a_wave_may_cost() -> None:
    """Enough for three samples of the draft's length, not for evaluating three roles as well."""
    engine = Watched(WRONG, RIGHT, RIGHT, RIGHT)
    clock = Clock()
    with running(engine, Budget(seconds=1000), clock=clock) as run:
        list(run.draft())
        costs = run._costs
        length = 1.25 * (len(WRONG) + 1)
        samples = costs.step(3, len(PROMPT) + length / 2).times(length).seconds
        roles = costs.prefill(3 * max(map(len, SPECIALISTS)), len(PROMPT)).seconds
        run.ledger.tighten(Budget(seconds=samples + roles / 2))
        follow(run)
    assert len(members(engine)[1]) in (1, 2)


def test_held_samples_make_room_for_the_members(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Watched("#### 1", "#### 2", "#### 3", "#### 4", "#### 5", "#### 6", "#### 7")
    prefill, refused = engine.prefill, []

    def crowded(tokens: Sequence[int], sampling: Sampling) -> Branch:
        if len(engine.branches) > 4:  # the prompt, the draft, and two answers of the first wave
            refused.append(len(engine.branches))
            raise ContextFull("all sequences are in use")
        return prefill(tokens, sampling)

    monkeypatch.setattr(engine, "prefill", crowded)
    with running(engine) as run:
        _, outcome = follow(run, dataclasses.replace(ROUTE, width=7))
    assert refused and outcome.samples == 7


def test_no_branch_stays_where_a_fork_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Watched(WRONG, RIGHT)
    fork = engine.fork

    def full(branch: Branch, samplings: Sequence[Sampling]) -> list[Branch]:
        if branch.tokens[-1] != engine.branches[0].tokens[-1]:
            raise ContextFull("all sequences are in use")
        return fork(branch, samplings)

    monkeypatch.setattr(engine, "fork", full)
    with pytest.raises(ContextFull), running(engine) as run:
        follow(run)
    assert engine.branches == []


def test_routes_hold_panels() -> None:
    over = Route("refine", 1, "", 0.5, inner=ROUTE)
    assert over.describe() == "refine(panel of 4)"
    engine = Watched(WRONG, WRONG, WRONG, WRONG, RIGHT)
    with running(engine) as run:
        _, outcome = follow(run, over)
    assert (outcome.winner.text, outcome.samples) == (RIGHT, 5)
    under = dataclasses.replace(ROUTE, inner=Route("direct", 1, "", 0.5))
    with running(Watched(WRONG, RIGHT)) as run:
        _, outcome = follow(run, under)
    assert (outcome.winner.text, under.describe()) == (RIGHT, "panel(direct)")


def test_instructions_stand_behind_the_last_words_of_the_person() -> None:
    user, call = Message("user", "Q"), Message("assistant", "calls")
    assert with_instruction((user,), "Do.") == (Message("user", "Q\n\nDo."),)
    result = Message("tool", "42")
    chat = (Message("system", "S"), user, call, result)
    assert with_instruction(chat, "Do.") == (chat[0], Message("user", "Q\n\nDo."), call, result)
    assert with_instruction((result,), "Do.") == (Message("tool", "42\n\nDo."),)


@pytest.mark.parametrize("cue", [None, "#### "])
def test_only_models_with_no_form_of_their_own_are_instructed(cue: str | None) -> None:
    engine = ScriptedEngine([["4"]], answer_cue=cue)
    chat = (Message("user", "What is 17 * 23?"),)
    template = ChatTemplate(None, specials=engine.vocabulary.specials)
    made = prepare(
        engine, template, chat, Sampling(), greedy_draft=True, thinking=None
    )  # fmt: skip
    assert (made.instructed is None) == (cue is not None)
    if made.instructed is not None:
        tokens, opened = made.instructed("Be <|end|> quick.")
        text = engine.vocabulary.decode(tokens)
        assert "What is 17 * 23?\n\nBe <|end|> quick.<|im_end|>" in text and not opened
        assert engine.vocabulary.specials["<|end|>"] not in tokens
