"""What a person asked, made ready: chats, samplings, and a thought that fills the context."""

from __future__ import annotations

import dataclasses
import math

import pytest

from edgemind.chat import ChatTemplate
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.errors import ConfigError
from edgemind.prompt import STEPS, USUAL_TEMPERATURE, as_chat, check_sampling, prepare
from edgemind.router.signals import wants_steps
from edgemind.types import Message, Sampling
from tests.helpers import engine_of, finished, scripted_mind


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_p": 1.5},
        {"min_p": -1.0},
        {"top_k": -3},
        {"max_tokens": 0},
        {"max_tokens": -5},
        {"repeat_penalty": 0.0},
        {"repeat_last_n": -2},
    ],
)
def test_values_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    sampling = Sampling(**wrong)  # type: ignore[arg-type]
    [name] = wrong
    with pytest.raises(ConfigError, match=name):
        check_sampling(sampling)
    with pytest.raises(ConfigError, match=name):
        scripted_mind(engine_of("#### 4")).ask("What is 2+2?", sampling=sampling)


def test_usual_values_pass() -> None:
    sampling = Sampling(0.7, 0, 1.0, 0.0, 1.1, -1, max_tokens=1)
    assert check_sampling(sampling) is sampling


@pytest.mark.parametrize("strategy", ["auto", "vote", "majority"])
def test_greedy_samples_do_not_vote(strategy: str) -> None:
    engine = engine_of("#### 4", "#### 5", logprob=-3.0)
    mind = scripted_mind(engine)
    answer = mind.ask("What is 2+2?", strategy=strategy, sampling=Sampling(temperature=0))
    assert (answer.samples, answer.text) == (1, "#### 4")


def test_a_file_that_asks_for_greedy_decoding_still_votes() -> None:
    engine = engine_of("#### 4", "#### 5")
    engine.info = dataclasses.replace(engine.info, sampling=Sampling(temperature=0.0))
    drawn: list[float | None] = []
    fork = engine.fork

    def watch(branch, samplings):  # type: ignore[no-untyped-def]
        drawn.extend(sampling.temperature for sampling in samplings)
        return fork(branch, samplings)

    engine.fork = watch  # type: ignore[method-assign]
    scripted_mind(engine).ask("What is 2+2?", strategy="majority", width=4)
    assert drawn == [0.0] + [USUAL_TEMPERATURE] * 3


def test_chats() -> None:
    user, told = Message("user", "Hi"), Message("assistant", "Hello")
    assert as_chat("Hi", None) == (user,)
    assert as_chat((user, told, user), "S")[0] == Message("system", "S")
    for wrong in ("", "  \n", (), (user, told), (Message("user", ""),)):
        with pytest.raises(ConfigError):
            as_chat(wrong, None)
    with pytest.raises(ConfigError, match="two system prompts"):
        as_chat((Message("system", "A"), user), "B")


def test_a_thought_that_fills_the_context_is_closed_and_answered() -> None:
    thought = Line(("<think>", *("hm " for _ in range(500))), ends=False)
    engine = ScriptedEngine([thought], context=300)
    answer = finished([*scripted_mind(engine).stream("What is 2+2?", strategy="direct")])
    assert answer.reasoning.startswith("hm")
    assert answer.text.startswith("The answer is")
    assert answer.finish == "length"


def test_models_that_were_not_trained_to_think_are_asked_for_steps() -> None:
    def prepared(cue: str | None, source: str | None, chat: tuple[Message, ...]) -> str:
        engine = ScriptedEngine([["4"]], answer_cue=cue)
        made = prepare(
            engine, ChatTemplate(source), chat, Sampling(), greedy_draft=True, thinking=None,
            wants_steps=wants_steps,
        )  # fmt: skip
        return engine.vocabulary.decode(made.tokens)

    question = (Message("user", "What is 17 * 23?"),)
    assert STEPS in prepared(None, None, question)
    assert STEPS not in prepared("#### ", None, question)
    assert STEPS not in prepared(None, "{{ '<think>' }}{{ messages[0].content }}", question)
    for text in ("What is the capital of France?", "Write a poem about 3 cats.", "Hello"):
        assert STEPS not in prepared(None, None, (Message("user", text),))
    later = (*question, Message("assistant", "391"), Message("user", "Thanks"))
    first, second = prepared(None, None, question), prepared(None, None, later)
    assert second.startswith(first), "what was evaluated for the first turn can be used again"
