"""Grammars over llama.cpp with the bundled model: nothing malformed, whatever happens."""

from __future__ import annotations

import codecs
import ctypes
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgemind
from edgemind.engines.base import Branch, BranchesFailed, Interrupted
from edgemind.engines.grammars import LIKELY_TOKENS
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.llama.sampling import LlamaBranch
from edgemind.errors import ConfigError, ModelUnsupported
from edgemind.events import Finished, Text
from edgemind.structure.grammar import Grammar
from edgemind.structure.schema import schema_grammar
from edgemind.types import Budget, Sampling

QUESTION = "Ann has 17 apples and buys 25 more. How many has she?"
PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 130},
        "tags": {"type": "array", "items": {"enum": ["é", "😀", "日本"]}, "maxItems": 2},
    },
    "required": ["name", "age"],
}
SCHEMAS: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
    (PERSON, lambda v: 0 <= v["age"] <= 130 and len(v["name"]) <= 20 and set(v) >= {"name", "age"}),
    ({"enum": ["naïve", "日本", "a\\b", 'say "x"', "😀"]}, lambda v: isinstance(v, str)),
    ({"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3},
     lambda v: len(v) == 3 and {*v} <= {True, False}),
    ({"type": "string", "format": "date-time"}, lambda v: v[10] == "T"),
    ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 40, "maximum": 49}]},
     lambda v: v is None or 40 <= v <= 49),
    ({}, lambda v: True),
]  # fmt: skip


@pytest.fixture(scope="module")
def opened(nano: Path) -> Iterator[LlamaEngine]:
    made = LlamaEngine(nano, context=512, width=8, threads=1)
    yield made
    made.close()


@pytest.fixture
def engine(opened: LlamaEngine) -> Iterator[LlamaEngine]:
    """The engine, in which a test leaves nothing behind unless it fails."""
    yield opened
    left = [*opened._cache.branches.values()]
    for branch in left:
        opened.drop(branch)
    assert not left


@pytest.fixture(scope="module")
def mind(nano: Path) -> Iterator[edgemind.Mind]:
    with edgemind.load(nano, context=512, width=8, threads=1) as made:
        yield made


@pytest.fixture
def prompt(engine: LlamaEngine) -> list[int]:
    return engine.vocabulary.encode("What is 17 + 25?", False)


def run(engine: LlamaEngine, branches: Sequence[Branch], steps: int = 150) -> list[str]:
    """What each branch says up to its end, or for so many steps; the branches are dropped."""
    texts = dict.fromkeys(branches, "")
    live = [*branches]
    for _ in range(steps):
        tokens = engine.step(live)
        for branch, token in zip(live, tokens, strict=True):
            texts[branch] += token.text
        live = [branch for branch, token in zip(live, tokens, strict=True) if not token.end]
        if not live:
            break
    for branch in branches:
        engine.drop(branch)
    return list(texts.values())


@pytest.mark.parametrize("temperature", [0.0, 0.7, 2.0])
@pytest.mark.parametrize("width", [1, 8])
@pytest.mark.parametrize(("schema", "fits"), SCHEMAS)
def test_all_that_is_said_fits(
    engine: LlamaEngine,
    prompt: list[int],
    schema: dict[str, Any],
    fits: Callable[[Any], bool],
    width: int,
    temperature: float,
) -> None:
    text = schema_grammar(schema)
    grammar = Grammar(text)
    root = engine.prefill(prompt, Sampling())
    samplings = [
        Sampling(grammar=text, seed=seed, temperature=temperature, repeat_penalty=1 + seed % 2 / 5)
        for seed in range(width)
    ]
    texts = run(engine, engine.fork(root, samplings))
    engine.drop(root)
    for said in texts:
        assert grammar.completion(said) is not None
        assert fits(json.loads(grammar.whole(said))), said


def allowed_by_asking(engine: LlamaEngine, branch: LlamaBranch) -> list[int]:
    """All tokens that a branch's grammar allows, each read by itself."""
    reading, vocabulary = branch.reading, engine.vocabulary
    assert reading is not None
    return [
        token
        for token in range(vocabulary.size)
        if (
            reading.may_end
            if vocabulary.is_end(token)
            else reading.after(vocabulary.piece(token)) is not None
        )
    ]


class LlamaGrammar:
    """llama.cpp's own reader of a grammar, which ours agrees with but for its view of UTF-8."""

    def __init__(self, engine: LlamaEngine, text: str) -> None:
        self._api, self._vocabulary = engine._api, engine.vocabulary
        self._sampler = self._api.llama_sampler_init_grammar(
            self._vocabulary.pointer, text.encode(), b"root"
        )
        self._pending = b""

    def allowed(self) -> list[int]:
        """The tokens that it allows and that are UTF-8 where the text stands."""
        row = (self._api.llama_token_data * self._vocabulary.size)()
        for token, one in enumerate(row):
            one.id = token
        array = self._api.llama_token_data_array(data=row, size=len(row), selected=-1)
        self._api.llama_sampler_apply(self._sampler, ctypes.byref(array))
        return [one.id for one in row if one.logit == 0.0 and self._rest(one.id) is not None]

    def accept(self, token: int) -> None:
        """Go on behind an allowed token; llama.cpp ends the process at any other."""
        self._pending = self._rest(token) or b""
        self._api.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        self._api.llama_sampler_free(self._sampler)

    def _rest(self, token: int) -> bytes | None:
        """The bytes of half a character behind a token; None where that is no UTF-8."""
        if self._vocabulary.is_end(token):
            return None if self._pending else b""
        decoder = codecs.getincrementaldecoder("utf-8")("strict")
        try:
            decoder.decode(self._pending + self._vocabulary.piece(token))
        except UnicodeDecodeError:
            return None
        return decoder.getstate()[0]


GRAMMARS = [
    *(schema_grammar(schema) for schema, _ in SCHEMAS),
    "root ::= [€é]*",
    'root ::= ([a-z]+ " "){2,5} [^\\x00-\\x40]{1,6} "."?',
    'root ::= a "b" root | "end"\na ::= [a-z]*',
    'root ::= "(" root ")" root | [0-9]{2} | .',
]


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_ours_allows_what_llama_cpp_allows(
    engine: LlamaEngine, prompt: list[int], grammar: str
) -> None:
    root = engine.prefill(prompt, Sampling())
    samplings = [Sampling(grammar=grammar, seed=seed, temperature=2.0) for seed in range(2)]
    for branch in engine.fork(root, samplings):
        assert isinstance(branch, LlamaBranch)
        theirs = LlamaGrammar(engine, grammar)
        for _ in range(25):
            assert branch.reading is not None
            allowed = theirs.allowed()
            assert engine._sampler._grammars._all(branch.reading).tolist() == allowed
            [token] = engine.step([branch])
            assert token.id in allowed
            if token.end:
                break
            theirs.accept(token.id)
        theirs.close()
        engine.drop(branch)
    engine.drop(root)


@pytest.mark.parametrize("repeat_penalty", [1.0, 1.3])
@pytest.mark.parametrize("top_k", [0, 5, 40, 5000])
def test_the_candidates_after_a_refusal(
    engine: LlamaEngine, prompt: list[int], top_k: int, repeat_penalty: float
) -> None:
    sampling = Sampling(
        grammar=schema_grammar(PERSON), seed=2, top_k=top_k, repeat_penalty=repeat_penalty
    )
    root = engine.prefill(prompt, sampling)
    [branch] = engine.fork(root, [sampling])
    assert isinstance(branch, LlamaBranch)
    logits = np.random.default_rng(4).normal(size=engine.vocabulary.size).astype(np.float32)
    for _ in range(40):
        assert branch.reading is not None
        found = engine._sampler._grammars.candidates(
            logits, branch.reading, branch.sampling, len(branch.tokens)
        ).tolist()
        allowed = allowed_by_asking(engine, branch)
        if found != allowed:
            assert set(found) < set(allowed)
            assert 0 < top_k < LIKELY_TOKENS[-1]
            best = sorted(allowed, key=lambda token: -logits[token])[:top_k]
            assert set(best) <= set(found)
        if engine.step([branch])[0].end:
            break
    engine.drop(branch)
    engine.drop(root)


def test_greedy_takes_the_best_of_what_is_allowed(engine: LlamaEngine, prompt: list[int]) -> None:
    root = engine.prefill(prompt, Sampling())
    [branch] = engine.fork(root, [Sampling(grammar=schema_grammar(PERSON), temperature=0.0)])
    assert isinstance(branch, LlamaBranch)
    sampler = engine._sampler
    draw, choices = sampler._draw_within, []

    def checked(own: LlamaBranch, reading: Any, logits: Any, context: Any, row: int) -> int:
        allowed = allowed_by_asking(engine, own)
        best = max(allowed, key=lambda token: float(logits[token]))
        choices.append((best, draw(own, reading, logits, context, row)))
        return choices[-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampler, "_draw_within", checked)
        run(engine, [branch])
    engine.drop(root)
    assert len(choices) > 10
    assert [best for best, _ in choices] == [taken for _, taken in choices]


def test_a_refused_token_is_not_penalised(engine: LlamaEngine, prompt: list[int]) -> None:
    # With so large a penalty a token that was counted once would never be taken again.
    sampling = Sampling(
        grammar='root ::= "1" "2" "3"', temperature=0.0, repeat_penalty=50.0, repeat_last_n=64
    )
    root = engine.prefill(prompt, Sampling())
    [branch] = engine.fork(root, [sampling])
    accepted = []
    accept = engine._api.llama_sampler_accept
    with pytest.MonkeyPatch.context() as patch:

        def spy(sampler: Any, token: int) -> None:
            if branch.sampler is sampler:  # type: ignore[attr-defined]
                accepted.append(token)
            accept(sampler, token)

        patch.setattr(engine._api, "llama_sampler_accept", spy)
        said = [engine.step([branch])[0] for _ in range(4)]
    assert "".join(token.text for token in said) == "123"
    assert accepted == [token.id for token in said]
    engine.drop(branch)
    engine.drop(root)


def test_overlong_bytes_are_no_characters(engine: LlamaEngine, prompt: list[int]) -> None:
    # Hot enough to draw F0 82 AC, which llama.cpp would follow as the euro sign's E2 82 AC.
    text = 'root ::= "€"{20}'
    root = engine.prefill(prompt, Sampling())
    samplings = [
        Sampling(grammar=text, seed=seed, temperature=50.0, top_k=0, top_p=1.0, min_p=0.0)
        for seed in range(8)
    ]
    assert run(engine, engine.fork(root, samplings)) == ["€" * 20] * 8
    # Half a character is no end, even where the grammar has one.
    samplings = [dataclasses.replace(s, grammar="root ::= [€é]*") for s in samplings]
    assert not any("\ufffd" in said for said in run(engine, engine.fork(root, samplings)))
    engine.drop(root)


def test_forks_carry_the_state(engine: LlamaEngine, prompt: list[int]) -> None:
    text = schema_grammar(PERSON)
    grammar = Grammar(text)
    root = engine.prefill(prompt, Sampling(grammar=text))
    [branch] = engine.fork(root, [Sampling(grammar=text, seed=5)])
    begun = ""
    for _ in range(30):
        children = engine.fork(branch, [Sampling(grammar=text, seed=seed) for seed in range(2)])
        for said in run(engine, children, 100):
            assert grammar.completion(begun + said) == "", begun + said
        [token] = engine.step([branch])
        begun += token.text
        if token.end:
            break
    # A child with another grammar begins anew, one without is free.
    other, free = engine.fork(branch, [Sampling(grammar='root ::= "42"'), Sampling()])
    assert run(engine, [other])[0] == "42"
    run(engine, [free], 3)
    engine.drop(branch)
    engine.drop(root)


def test_what_is_put_into_its_mouth(engine: LlamaEngine, prompt: list[int]) -> None:
    text = schema_grammar(PERSON)
    grammar = Grammar(text)
    encode = engine.vocabulary.encode
    root = engine.prefill(prompt, Sampling(grammar=text))
    [branch] = engine.fork(root, [Sampling(grammar=text, seed=1)])
    engine.extend(branch, encode('{"name": "Ann", ', False))
    [child] = engine.fork(branch, [Sampling(grammar=text, seed=2)])
    for said in run(engine, [branch, child]):
        assert grammar.completion('{"name": "Ann", ' + said) == ""
    # What does not fit stands outside: the structure goes on from where it was.
    [branch] = engine.fork(root, [Sampling(grammar=text, seed=1)])
    begun = "".join(engine.step([branch])[0].text for _ in range(3))
    engine.extend(branch, encode("\n\nThe answer is", False))
    assert grammar.completion(begun + run(engine, [branch])[0]) == ""
    engine.drop(root)


def test_a_finished_answer_only_ends(engine: LlamaEngine, prompt: list[int]) -> None:
    root = engine.prefill(prompt, Sampling())
    [branch] = engine.fork(root, [Sampling(grammar='root ::= "4"', seed=1, temperature=2.0)])
    assert [(t.text, t.end) for t in (engine.step([branch])[0] for _ in range(4))] == [
        ("4", False), ("", True), ("", True), ("", True),
    ]  # fmt: skip
    engine.drop(branch)
    engine.drop(root)


def test_interrupted_and_stepped_again(engine: LlamaEngine, prompt: list[int]) -> None:
    sampling = Sampling(grammar=schema_grammar(PERSON), seed=3)

    def say(cut: bool) -> list[int]:
        root = engine.prefill(prompt, Sampling())
        [branch] = engine.fork(root, [sampling])
        said = []
        while not said or not engine.vocabulary.is_end(said[-1]):
            if cut:
                engine.interrupt()
                with pytest.raises(Interrupted):
                    engine.step([branch])
                engine.resume()
            said.append(engine.step([branch])[0].id)
        engine.drop(branch)
        engine.drop(root)
        return said

    assert say(cut=True) == say(cut=False)


@pytest.mark.parametrize(
    "grammar",
    [
        "root ::= (",
        'a ::= "x"',
        "root ::= missing",
        'root ::= root "a" | "b"',
        'root ::= "a" root',
        'root ::= "\\ud800"',
        'root ::= (("a" | "b"){1000}){1000}',
    ],
)
def test_bad_grammars(engine: LlamaEngine, prompt: list[int], grammar: str) -> None:
    branches = len(engine._cache.branches)
    with pytest.raises(ConfigError, match="grammar"):
        engine.prefill(prompt, Sampling(grammar=grammar))
    root = engine.prefill(prompt, Sampling())
    with pytest.raises(ConfigError, match="grammar"):
        engine.fork(root, [Sampling(), Sampling(grammar=grammar)])
    assert len(engine._cache.branches) == branches + 1
    assert engine.step([root])
    engine.drop(root)


def test_many_grammars_are_not_all_kept(engine: LlamaEngine, prompt: list[int]) -> None:
    for number in range(20):
        root = engine.prefill(prompt, Sampling(grammar=f'root ::= "{number}"'))
        assert run(engine, [root])[0] == str(number)
    assert len(engine._sampler._grammars._grammars) <= 8


def test_a_vocabulary_that_cannot_spell_it(tiny: Path) -> None:
    """That branch fails; the one beside it says what it says alone."""
    made = LlamaEngine(tiny, context=64, width=2, threads=1)
    greedy = Sampling(temperature=0.0)
    root = made.prefill([5, 6], greedy)
    [alone] = made.fork(root, [greedy])
    said = [made.step([alone])[0].id for _ in range(3)]
    held, free = made.fork(root, [dataclasses.replace(greedy, grammar='root ::= "a"'), greedy])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made._sampler._grammars, "_all", lambda _: np.empty(0, np.int32))
        patch.setattr(made._sampler._grammars, "after", lambda _reading, _token: None)
        with pytest.raises(BranchesFailed, match="no token") as failure:
            made.step([held, free])
    assert isinstance(failure.value.reason, ModelUnsupported)
    refused, token = failure.value.tokens
    assert refused is None and token is not None
    made.drop(held)
    assert [token.id, *(made.step([free])[0].id for _ in range(2))] == said
    made.close()


# Whole answers


@pytest.mark.parametrize("strategy", ["direct", "vote"])
@pytest.mark.parametrize("tokens", range(1, 41))
def test_every_budget_gives_a_whole_answer(mind: edgemind.Mind, tokens: int, strategy: str) -> None:
    streamed = ""
    for event in mind.stream(
        QUESTION, schema=PERSON, budget=Budget(tokens=tokens), sampling=Sampling(seed=1),
        strategy=strategy,
    ):  # fmt: skip
        if isinstance(event, Text):
            streamed += event.text
        if isinstance(event, Finished):
            answer = event.answer
    assert SCHEMAS[0][1](json.loads(answer.text))
    assert answer.answer == answer.text
    assert answer.spent.tokens <= tokens
    if strategy == "direct":
        assert streamed == answer.text


def test_a_budget_that_is_too_small_for_half_a_character(mind: edgemind.Mind) -> None:
    # This model spells these in bytes: most budgets cut one of them in the middle.
    schema = {"enum": ["日本日本日本", "😀😀😀"]}
    for tokens in range(1, 22):
        answer = mind.ask(
            QUESTION, schema=schema, budget=Budget(tokens=tokens), sampling=Sampling(seed=tokens)
        )
        assert json.loads(answer.text) in schema["enum"]


def test_the_same_seed_gives_the_same_answer(nano: Path) -> None:
    said = set()
    for _ in range(2):
        with edgemind.load(nano, context=512, width=4, threads=1) as fresh:
            answer = fresh.ask(
                QUESTION, schema=PERSON, budget=Budget(tokens=60), sampling=Sampling(seed=4)
            )
            said.add(answer.text)
    assert len(said) == 1


def test_what_was_said_before_changes_nothing(engine: LlamaEngine, prompt: list[int]) -> None:
    """The places that an engine remembers save it time; what it says is the same without them."""
    text = schema_grammar(PERSON)

    def say(seeds: Sequence[int]) -> dict[int, str]:
        root = engine.prefill(prompt, Sampling())
        samplings = [Sampling(grammar=text, seed=seed, temperature=1.5) for seed in seeds]
        said = run(engine, engine.fork(root, samplings))
        engine.drop(root)
        return dict(zip(seeds, said, strict=True))

    engine._sampler._grammars._grammars.clear()
    first = say([0, 1, 2, 3])
    say([7, 6, 5, 4])
    assert say([0, 1, 2, 3]) == first


def test_a_vote_is_structured(mind: edgemind.Mind) -> None:
    schema = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}
    answer = mind.ask(
        QUESTION, schema=schema, strategy="majority", width=8, sampling=Sampling(seed=1)
    )
    assert answer.samples == 8
    assert isinstance(json.loads(answer.text)["total"], int)


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("tokens", [20, 60, 120])
def test_a_thought_is_free(nano: Path, opened: bool, tokens: int) -> None:
    engine = LlamaEngine(nano, context=512, width=4, threads=1)
    template = "{{ messages[0].content }}\n" + ("<think>\n" if opened else "{# <think> #}")
    engine.info = dataclasses.replace(engine.info, template=template)
    with edgemind.Mind(engine) as thinking:
        answer = thinking.ask(
            QUESTION, schema=PERSON, budget=Budget(tokens=tokens), sampling=Sampling(seed=1),
            strategy="direct",
        )  # fmt: skip
    assert SCHEMAS[0][1](json.loads(answer.text))
    if opened:
        assert answer.reasoning
        assert Grammar(schema_grammar(PERSON)).completion(answer.reasoning) is None
