"""`Mind` over the scripted engine: the stream's order, stopping, options, receipts, chats."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import edgemind
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import (
    BudgetError,
    BudgetTooSmall,
    ConfigError,
    ContextFull,
    ModelInvalid,
    ModelNotFound,
)
from edgemind.events import Escalated, Event, Sampled
from edgemind.router.calibration import DEFAULT, Logistic
from edgemind.router.router import Router
from edgemind.runtime import Mind
from edgemind.types import Answer, Budget, Message, Sampling
from tests.helpers import (
    PROMPT,
    SURE,
    UNSURE,
    Clock,
    FakeMeter,
    TimedEngine,
    engine_of,
    finished,
    scripted_mind,
    still_watchdog,
    streamed,
)

pytestmark = pytest.mark.usefixtures(still_watchdog.__name__)


def kinds(events: list[Event]) -> list[str]:
    """Names of the events' types, neighbours of one type once."""
    names = [type(event).__name__ for event in events]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def prompts(engine: ScriptedEngine) -> str:
    """What the engine was last asked and said, as text."""
    assert engine.kept is not None
    return engine.vocabulary.decode(engine.kept.tokens)


# The order of events


def test_a_sure_draft_is_the_answer() -> None:
    engine = engine_of("#### 4")
    events = [*scripted_mind(engine).stream(PROMPT)]
    assert kinds(events) == ["Routed", "Text", "Sampled", "Finished"]
    answer = finished(events)
    assert (answer.text, answer.answer, answer.finish) == ("#### 4", "4", "stop")
    assert (answer.route.strategy, answer.samples, answer.agreement) == ("direct", 1, 1.0)
    assert streamed(events) == answer.text
    assert engine.branches == []


def test_an_unsure_draft_escalates_and_is_sample_zero() -> None:
    engine = engine_of("#### 5", "#### 4", "#### 4", "#### 4", "#### 4", "#### 4", logprob=UNSURE)
    events = [*scripted_mind(engine).stream(PROMPT, width=6)]
    assert kinds(events)[:5] == ["Routed", "Text", "Sampled", "Escalated", "Sampled"]
    answer = finished(events)
    assert (answer.answer, answer.route.strategy) == ("4", "vote")
    escalated = next(event for event in events if isinstance(event, Escalated))
    assert escalated.route == answer.route
    assert [e.index for e in events if isinstance(e, Sampled)] == [*range(answer.samples)]
    assert answer.confidence > escalated.confidence
    assert streamed(events) == "#### 5"


def test_free_text_never_escalates() -> None:
    mind = scripted_mind(engine_of("The sea, the sea", logprob=UNSURE))
    events = [*mind.stream("Write a poem about the sea.")]
    assert kinds(events) == ["Routed", "Text", "Sampled", "Finished"]


def test_a_strategy_that_was_asked_for_is_followed() -> None:
    unsure = engine_of("#### 4", logprob=UNSURE)
    answer = scripted_mind(unsure).ask(PROMPT, strategy="direct")
    assert (answer.route.strategy, answer.samples, answer.route.reason) == (
        "direct",
        1,
        "asked for",
    )
    answer = scripted_mind(engine_of("#### 4")).ask("Write a poem.", strategy="vote", width=5)
    assert (answer.route.strategy, answer.route.width, answer.samples) == ("vote", 5, 3)


def test_what_looks_hard_is_voted_on_at_once() -> None:
    clock = Clock()
    hard = Router(dataclasses.replace(DEFAULT, hard=Logistic(10.0, {})))
    mind = Mind(engine_of("4"), router=hard, clock=clock, meter=FakeMeter(clock))
    events = [*mind.stream(PROMPT)]
    assert kinds(events)[0] == "Routed"
    assert not any(isinstance(event, Escalated) for event in events)
    assert finished(events).route.reason == "looks hard"


def test_ask_drains_stream() -> None:
    asked = scripted_mind(engine_of("#### 4")).ask(PROMPT, sampling=Sampling(seed=3))
    stream = scripted_mind(engine_of("#### 4")).stream(PROMPT, sampling=Sampling(seed=3))
    assert asked == finished([*stream])


def test_thoughts_are_streamed_apart() -> None:
    events = [*scripted_mind(engine_of("<think>hm</think>#### 4")).stream(PROMPT)]
    answer = finished(events)
    assert (answer.reasoning, answer.text) == ("hm", "#### 4")
    assert streamed(events, "reasoning") == "hm"


# The receipt


def test_the_receipt() -> None:
    clock = Clock()
    engine = TimedEngine([Line(tuple("#### 4"), (SURE,))], clock, [0.5])
    answer = scripted_mind(engine, clock).ask(PROMPT, budget=Budget(100, 1000, 500))
    spent = answer.spent
    assert (spent.tokens, spent.seconds, spent.joules) == (7, 3.5, 7.0)
    assert spent.prompt_tokens > len(PROMPT)
    assert spent.energy_source == "measured:fake"
    assert answer.budget == Budget(100, 1000, 500)
    assert answer.model == "scripted"
    assert 0.9 < answer.confidence <= 1


def test_json_round_trip() -> None:
    answer = scripted_mind(engine_of('"é\n🙂" #### 4')).ask(PROMPT, budget=Budget(tokens=99))
    for indent in (None, 2):
        read = json.loads(answer.to_json(indent))
        assert read["text"] == answer.text
        assert read["budget"] == {"seconds": None, "joules": None, "tokens": 99}
        assert read["route"]["reasons"][0]["signal"] == answer.route.reasons[0].signal
        assert read["spent"]["energy_source"] == "measured:fake"
        assert set(read) == set(Answer.__dataclass_fields__)


def test_seeds() -> None:
    mind = scripted_mind(engine_of("4"))
    assert mind.ask(PROMPT, sampling=Sampling(seed=5)).seed == 5
    drawn = {mind.ask(PROMPT).seed for _ in range(4)}
    assert len(drawn) > 1
    assert all(0 <= seed < 1 << 32 for seed in drawn)


# What the engine is asked


class Asked(ScriptedEngine):
    """Remembers the samplings of all forks."""

    def __init__(self) -> None:
        super().__init__([Line(("4",), (UNSURE,)), Line(("5",), (UNSURE,))])
        self.samplings: list[Sampling] = []

    def fork(self, branch, samplings):  # type: ignore[no-untyped-def]
        self.samplings.extend(samplings)
        return super().fork(branch, samplings)


def test_a_draft_that_can_be_voted_on_is_greedy_and_the_samples_are_not() -> None:
    engine = Asked()
    scripted_mind(engine).ask(PROMPT, width=3)
    assert [sampling.temperature for sampling in engine.samplings] == [0.0, None, None]


def test_a_temperature_that_was_given_holds_for_all() -> None:
    engine = Asked()
    scripted_mind(engine).ask(PROMPT, width=3, sampling=Sampling(temperature=0.7))
    assert [sampling.temperature for sampling in engine.samplings] == [0.7] * 3


def test_a_poem_is_not_drawn_greedily() -> None:
    engine = Asked()
    scripted_mind(engine).ask("Write a poem about the sea.")
    assert [sampling.temperature for sampling in engine.samplings] == [None]


def test_system_prompt() -> None:
    engine = engine_of("4")
    scripted_mind(engine).ask(PROMPT, system="Be brief.")
    assert prompts(engine).startswith(
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is 2+2?"
    )


def test_a_chat_with_history_re_uses_its_prefix() -> None:
    engine = engine_of("#### 4")
    mind = scripted_mind(engine)
    first = mind.ask(PROMPT)
    chat = (
        Message("user", PROMPT),
        Message("assistant", first.text),
        Message("user", "And 2+3?"),
    )
    second = mind.ask(chat)
    assert "#### 4<|im_end|>\n<|im_start|>user\nAnd 2+3?" in prompts(engine)
    before = len("<|im_start|>user\n" + PROMPT + "<|im_end|>\n<|im_start|>assistant\n#### 4")
    assert second.spent.prompt_tokens <= len(prompts(engine)) - before


# Options


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"strategy": "vot"}, "did you mean vote"),
        ({"width": 0}, "width of 0"),
        ({"width": 257}, "width of 257"),
        ({"prompt": ""}, "empty"),
        ({"prompt": " \n"}, "empty"),
        ({"prompt": ()}, "has to end"),
        ({"prompt": (Message("assistant", "4"),)}, "has to end"),
        ({"prompt": (Message("system", "4"),)}, "has to end"),
        ({"prompt": (Message("system", "a"), Message("user", "b")), "system": "c"}, "two system"),
    ],
)
def test_wrong_options(options: dict[str, object], complaint: str) -> None:
    engine = engine_of("4")
    mind = scripted_mind(engine)
    with pytest.raises(ConfigError, match=complaint):
        mind.ask(**{"prompt": PROMPT, **options})  # type: ignore[arg-type]
    assert mind.ask(PROMPT).text == "4", "the mind is as good as before"


def test_wrong_budgets() -> None:
    mind = scripted_mind(engine_of("4"))
    with pytest.raises(BudgetError):
        mind.ask(PROMPT, budget=Budget(tokens=0))
    assert mind.ask(PROMPT).text == "4"


def test_a_budget_too_small_and_a_prompt_too_long_leave_nothing_behind() -> None:
    engine = engine_of("4", context=100, answer_cue="#### ")
    mind = scripted_mind(engine)
    with pytest.raises(ContextFull):
        mind.ask("word " * 50)
    with pytest.raises(BudgetTooSmall):
        mind.ask(PROMPT, budget=Budget(seconds=1e-9))
    assert engine.branches == []
    assert mind.ask(PROMPT).text == "4"


@pytest.mark.parametrize("name", ["missing.gguf", "folder/missing.gguf"])
def test_loading_what_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelNotFound, match=r"missing\.gguf"):
        edgemind.load(tmp_path / name)


def test_what_kind_of_model_a_path_is(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"model\.onnx"):
        edgemind.load(tmp_path / "model.onnx")
    with pytest.raises(ModelNotFound, match="no ONNX model"):
        edgemind.load(tmp_path)
    with pytest.raises(ConfigError, match="gpu_layers is for GGUF"):
        edgemind.load(tmp_path, gpu_layers=1)
    with pytest.raises(ConfigError, match="variant and provider are for ONNX"):
        edgemind.load(tmp_path / "model.gguf", variant="q4")
    (tmp_path / "model.gguf").touch()
    with pytest.raises(ModelInvalid, match="is a folder; name the"):
        edgemind.load(tmp_path)


@pytest.mark.parametrize("name", ["context", "width", "threads"])
@pytest.mark.parametrize("value", [0, -3])
def test_loading_with_numbers_that_cannot_be(name: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"{name} has to be at least 1, not {value}"):
        edgemind.load("missing.gguf", **{name: value})  # type: ignore[arg-type]
