"""Grammars over ONNX: whatever a random model says fits, as it does with llama.cpp."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgemind
from edgemind.engines.base import Branch, BranchesFailed, Interrupted
from edgemind.engines.onnx import OnnxEngine
from edgemind.engines.onnx.grammars import Grammars, Reading
from edgemind.errors import ConfigError, ModelError, ModelUnsupported
from edgemind.structure.grammar import Grammar
from edgemind.structure.schema import schema_grammar
from edgemind.types import Budget, Sampling
from tests.engines.branches import GREEDY, PROMPT
from tests.engines.onnx_models import Kind, write

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "tags": {"type": "array", "items": {"enum": ["é", "😀", "日本"]}, "maxItems": 2},
    },
    "required": ["name", "age"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("onnx") / "m", Kind(kv_heads=2))


@pytest.fixture
def engine(folder: Path) -> Iterator[OnnxEngine]:
    made = OnnxEngine(folder, width=8, threads=1)
    yield made
    made.close()


def run(engine: OnnxEngine, branches: list[Branch], steps: int = 80) -> list[str]:
    texts = dict.fromkeys(branches, "")
    live = [*branches]
    for _ in range(steps):
        if not live:
            break
        tokens = engine.step(live)
        for branch, token in zip(live, tokens, strict=True):
            texts[branch] += token.text
        live = [branch for branch, token in zip(live, tokens, strict=True) if not token.end]
    for branch in branches:
        engine.drop(branch)
    return [*texts.values()]


@pytest.mark.parametrize("temperature", [0.0, 0.7, 5.0])
def test_all_that_is_said_fits(engine: OnnxEngine, temperature: float) -> None:
    text = schema_grammar(PERSON)
    grammar = Grammar(text)
    root = engine.prefill(PROMPT, GREEDY)
    samplings = [
        Sampling(grammar=text, seed=seed, temperature=temperature, repeat_penalty=1 + seed % 2 / 5)
        for seed in range(8)
    ]
    for said in run(engine, engine.fork(root, samplings)):
        assert grammar.completion(said) is not None
        person = json.loads(grammar.whole(said))
        assert 0 <= person["age"] <= 130 and len(person["name"]) <= 20


def test_characters_of_several_bytes(engine: OnnxEngine) -> None:
    # The tiny vocabulary spells them byte by byte, and hot sampling would draw anything.
    root = engine.prefill(PROMPT, GREEDY)
    samplings = [
        Sampling(grammar='root ::= "€"{6}', seed=seed, temperature=50.0, top_k=0, top_p=1.0)
        for seed in range(6)
    ]
    assert run(engine, engine.fork(root, samplings)) == ["€" * 6] * 6


def test_greedy_takes_the_best_of_what_is_allowed(engine: OnnxEngine) -> None:
    sampling = Sampling(grammar="root ::= [^a-z]{12}", temperature=0.0)
    root = engine.prefill(PROMPT, GREEDY)
    [branch] = engine.fork(root, [sampling])
    [said] = run(engine, [branch])
    assert len(said) == 12
    assert not any("a" <= character <= "z" for character in said)


def test_forks_and_forced_tokens(engine: OnnxEngine) -> None:
    text = schema_grammar(PERSON)
    grammar = Grammar(text)
    encode = engine.vocabulary.encode
    root = engine.prefill(PROMPT, Sampling(grammar=text))
    [branch] = engine.fork(root, [Sampling(grammar=text, seed=1)])
    engine.extend(branch, encode('{"name": "Ann", ', False))
    [child] = engine.fork(branch, [Sampling(grammar=text, seed=2)])
    for said in run(engine, [branch, child]):
        assert grammar.completion('{"name": "Ann", ' + said) is not None
    [branch] = engine.fork(root, [Sampling(grammar=text, seed=1)])
    begun = "".join(engine.step([branch])[0].text for _ in range(3))
    engine.extend(branch, encode("\n\nThe answer is", False))
    # What does not fit stands outside: the structure goes on from where it was.
    assert grammar.completion(begun + run(engine, [branch])[0]) is not None


def test_a_finished_answer_only_ends(engine: OnnxEngine) -> None:
    root = engine.prefill(PROMPT, GREEDY)
    [branch] = engine.fork(root, [Sampling(grammar='root ::= "4"', seed=1, temperature=2.0)])
    said = [(token.text, token.end) for token in (engine.step([branch])[0] for _ in range(3))]
    assert said == [("4", False), ("", True), ("", True)]


def test_interrupted_and_stepped_again(engine: OnnxEngine) -> None:
    sampling = Sampling(grammar=schema_grammar(PERSON), seed=3)

    def say(cut: bool) -> list[int]:
        branch = engine.prefill(PROMPT, sampling)
        said = []
        for _ in range(25):
            if cut:
                engine.interrupt()
                with pytest.raises(Interrupted):
                    engine.step([branch])
                engine.resume()
            said.append(engine.step([branch])[0].id)
        engine.drop(branch)
        return said

    assert say(cut=True) == say(cut=False)


def test_a_branch_that_cannot_go_on_does_not_hold_up_the_others(
    engine: OnnxEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = engine.prefill(PROMPT, GREEDY)
    stuck, free = engine.fork(root, [Sampling(grammar='root ::= "4"'), GREEDY])
    grammars = engine._sampler._grammars
    monkeypatch.setattr(grammars, "after", lambda _reading, _token: None)
    monkeypatch.setattr(grammars, "_all", lambda _reading: np.empty(0, np.int32))
    with pytest.raises(BranchesFailed, match="no token") as caught:
        engine.step([stuck, free])
    nothing, token = caught.value.tokens
    assert nothing is None and token is not None
    assert free.tokens == [*PROMPT, token.id]
    engine.drop(stuck)
    assert engine.step([free])


def test_numbers_that_are_none(engine: OnnxEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    branches = engine.fork(engine.prefill(PROMPT, GREEDY), [GREEDY, Sampling(seed=1)])
    for branch, token in zip(branches, PROMPT, strict=False):  # a row of logits for each
        engine.extend(branch, [token])
    engine.step(branches)
    run = engine._run.execute

    def spoilt(*arguments: Any, rows: slice = slice(1)) -> Any:
        logits = run(*arguments)
        logits[rows] = np.nan
        return logits

    monkeypatch.setattr(engine._run, "execute", spoilt)
    with pytest.raises(BranchesFailed, match="numbers") as caught:
        engine.step(branches)
    assert [token is None for token in caught.value.tokens] == [True, False]
    monkeypatch.setattr(engine._run, "execute", lambda *a: spoilt(*a, rows=slice(None)))
    with pytest.raises(ModelError, match="numbers"):
        engine.step(branches[1:])


def test_bad_grammars_leave_nothing_behind(engine: OnnxEngine) -> None:
    for bad in ("root ::= (", 'root ::= root "a" | "b"'):
        with pytest.raises(ConfigError, match="grammar"):
            engine.prefill(PROMPT, Sampling(grammar=bad))
        root = engine.prefill(PROMPT, GREEDY)
        with pytest.raises(ConfigError, match="grammar"):
            engine.fork(root, [GREEDY, Sampling(grammar=bad)])
        assert [*engine._cache.branches.values()] == [root]
        engine.drop(root)


def test_the_likeliest_are_looked_at_first() -> None:
    """A restricted row draws as if everything allowed had been looked at."""

    class Words:
        size = 5000

        def piece(self, token: int) -> bytes:
            return str(token).encode()

        def is_end(self, token: int) -> bool:
            return token == 0

    grammars = Grammars(Words())
    reading = grammars.start("root ::= [0-4] [0-9]{3}")
    logits = np.random.default_rng(3).normal(size=5000).astype(np.float32)
    allowed = [t for t in range(5000) if grammars.after(reading, t) is not None]
    assert [t for t in (10, 50, 100, 1000) if t in allowed] == [10, 100, 1000]
    for top_k in (0, 3, 40):
        row = grammars.restrict(logits, reading, Sampling(temperature=1.0, top_k=top_k), 0)
        found = {int(token) for token in np.flatnonzero(np.isfinite(row))}
        best = sorted(allowed, key=lambda token: -logits[token])[: top_k or len(allowed)]
        assert {*best} <= found <= {*allowed}
    nothing = Reading(reading.position, b"\xe2")
    with pytest.raises(ModelUnsupported, match="no token"):
        grammars.restrict(logits, nothing, Sampling(temperature=0.0), 0)


@pytest.mark.parametrize("strategy", ["direct", "majority"])
def test_every_budget_gives_a_whole_answer(folder: Path, strategy: str) -> None:
    with edgemind.load(folder, context=512, width=4, threads=1) as mind:
        for tokens in (1, 2, 5, 9, 30):
            answer = mind.ask(
                "Who?", schema=PERSON, budget=Budget(tokens=tokens), sampling=Sampling(seed=1),
                strategy=strategy, width=3,
            )  # fmt: skip
            assert {"name", "age"} <= json.loads(answer.text).keys()
            assert answer.spent.tokens <= tokens
