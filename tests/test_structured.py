"""Structured answers over scripts: finishing what was cut, thoughts before, votes by meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.engines.scripted import ScriptedEngine
from edgemind.errors import ConfigError
from edgemind.events import Finished, Text
from edgemind.structure.grammar import Grammar
from edgemind.structured import read_schema, structure_of
from edgemind.thoughts import THINK, ThoughtSplitter, ThoughtTags
from edgemind.types import Budget, Message, Sampling
from tests.helpers import UNSURE, engine_of, finished, scripted_mind

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
ANSWER = '{"name": "Ada", "age": 36}'
HARMONY = ThoughtTags("<|channel|>analysis<|message|>", "<|end|>final<|message|>", "<|final|>")


@pytest.mark.parametrize("tokens", range(1, len(ANSWER)))
def test_every_budget_gives_valid_json(tokens: int) -> None:
    mind = scripted_mind(engine_of(ANSWER))
    events = list(
        mind.stream("Who?", schema=SCHEMA, budget=Budget(tokens=tokens), strategy="direct")
    )
    answer = finished(events)
    assert set(json.loads(answer.text)) == {"name", "age"}
    # A script does not listen to what is put into its mouth; tests/engines do this for real.
    assert answer.answer == answer.text
    assert answer.finish == "budget"
    assert answer.spent.tokens <= tokens


@pytest.mark.parametrize("length", [1, 5, 10, 20])
def test_a_limit_of_length_is_completed_too(length: int) -> None:
    mind = scripted_mind(engine_of(ANSWER, ANSWER, logprob=UNSURE))
    sampling = Sampling(max_tokens=length)
    answer = mind.ask("Who?", schema=SCHEMA, sampling=sampling, strategy="vote", width=2)
    assert set(json.loads(answer.text)) == {"name", "age"}
    assert answer.finish == "length"
    assert answer.agreement == 1


def test_a_stopped_answer_is_completed() -> None:
    mind = scripted_mind(engine_of(ANSWER))
    said: list[str] = []
    for event in mind.stream("Who?", schema=SCHEMA, strategy="direct"):
        if isinstance(event, Text):
            said.append(event.text)
            if len(said) == 4:
                mind.stop()
        if isinstance(event, Finished):
            assert event.answer.finish == "interrupted"
            assert event.answer.text == '{"name":"","age":0}' or event.answer.text == "".join(said)
            assert set(json.loads(event.answer.text)) == {"name", "age"}


def test_a_forced_answer_goes_on_with_the_next_value() -> None:
    text = '{"name": "' + "x" * 500
    mind = scripted_mind(engine_of(text))
    answer = mind.ask("Who?", schema=SCHEMA, budget=Budget(tokens=100), strategy="direct")
    # The script goes on with its x, which no number takes: what follows the cue is left out.
    assert json.loads(answer.text)["age"] == 0
    assert json.loads(answer.text)["name"].startswith("xxx")


def test_votes_go_by_what_json_means() -> None:
    first, second = '{"name": "Ada", "age": 36}', '{"name":"Ada","age": 36}'
    third = '{"name": "ada", "age": 36}'
    mind = scripted_mind(engine_of(first, second, third, first, logprob=UNSURE))
    events = list(mind.stream("Who?", schema=SCHEMA, strategy="majority", width=4))
    assert finished(events).agreement == 0.75
    assert finished(events).text == first


def test_empty_lists_and_objects_vote() -> None:
    mind = scripted_mind(engine_of("[]", "[]", "[1]", logprob=UNSURE))
    schema = {"type": "array", "items": {"type": "integer"}}
    answer = mind.ask("Which?", schema=schema, strategy="majority", width=3)
    assert (answer.answer, round(answer.agreement, 2)) == ("[]", 0.67)


def test_keys() -> None:
    structure = structure_of({}, None)
    assert structure is not None
    assert structure.key('{"b": 1.0, "a": [true, "é"]}') == '{"a":[true,"é"],"b":1}'
    assert structure.key("1e99") == "1e+99"
    assert structure.key('{"a": tru') is None
    free = structure_of(None, 'root ::= "yes" | "no"')
    assert free is not None
    assert free.key("1") is None


def test_a_grammar_alone_leaves_the_answer_to_be_found() -> None:
    mind = scripted_mind(engine_of("#### 42"))
    answer = mind.ask(
        "6*7?", sampling=Sampling(grammar='root ::= "#### " [0-9]+'), strategy="direct"
    )
    assert (answer.text, answer.answer) == ("#### 42", "42")
    mind = scripted_mind(engine_of("yes"))
    sampling = Sampling(grammar='root ::= "yes" | "no"')
    answer = mind.ask("Is it?", sampling=sampling, strategy="direct", budget=Budget(tokens=1))
    assert (answer.text, answer.answer) == ("yes", "yes")


def test_thoughts_are_free_and_answers_are_not() -> None:
    structure = structure_of(SCHEMA, None)
    assert structure is not None
    assert structure.grammar_after(None, False) == structure.grammar.text
    for opened in (False, True):
        grammar = Grammar(structure.grammar_after(THINK, opened))
        start = "" if opened else "<think>"
        thought = f"{start}\nWhat </thin </ </think </tthink < is {{ it?\n</think>\n\n"
        assert grammar.completion(thought + ANSWER) == ""
        assert grammar.completion(thought + "no") is None
        assert (grammar.completion(ANSWER) == "") == (not opened)
        assert grammar.whole(start) == f'{start}</think>{{"name":"","age":0}}'
    harmony = Grammar(structure.grammar_after(HARMONY, False))
    assert harmony.completion(f"<|final|>{ANSWER}") == ""
    assert harmony.completion(f"{HARMONY.opening}so{HARMONY.closing}<|final|>{ANSWER}") == ""


@given(st.text("<>/aab", max_size=30), st.sampled_from(["<a>", "</aa>", "aab", "aaab", "a"]))
def test_a_thought_ends_where_its_tag_is_first(thought: str, tag: str) -> None:
    structure = structure_of(None, 'root ::= "!"')
    assert structure is not None
    grammar = Grammar(structure.grammar_after(ThoughtTags("[", tag), True))
    splitter = ThoughtSplitter(True, ThoughtTags("[", tag))
    closed = tag in thought
    splitter.feed(thought)
    assert (grammar.completion(thought + tag + "!") == "") == (thought.count(tag) == 0)
    if closed and thought.index(tag) + len(tag) == len(thought):
        assert grammar.completion(thought) == "!"


def test_a_rule_called_root_is_renamed_and_its_name_elsewhere_is_not() -> None:
    grammar = '# the root\nroot ::= "root" | [root] root-x\nroot-x ::= "(" root ")"'
    structure = structure_of(None, grammar)
    assert structure is not None
    after = Grammar(structure.grammar_after(THINK, False))
    assert after.completion("root") == ""
    assert after.completion("t(root)") == ""
    assert after.completion("<think></think>r(root)") == ""


def test_a_thinking_model_that_is_cut_in_its_thought() -> None:
    engine = engine_of("<think>Who is it? It may be anyone at all.</think>" + ANSWER)
    mind = scripted_mind(engine)
    events = list(mind.stream("Who?", schema=SCHEMA, budget=Budget(tokens=25), strategy="direct"))
    answer = finished(events)
    assert answer.finish == "budget"
    assert answer.reasoning == "Who is i"
    assert set(json.loads(answer.text)) == {"name", "age"}
    whole = scripted_mind(engine).ask("Who?", schema=SCHEMA, strategy="direct")
    assert (whole.text, whole.reasoning) == (ANSWER, "Who is it? It may be anyone at all.")


def test_what_is_refused_before_anything_runs() -> None:
    engine = ScriptedEngine([["x"]])
    mind = scripted_mind(engine)
    with pytest.raises(ConfigError, match="'pattern'"):
        mind.ask("Who?", schema={"type": "string", "pattern": "x"})
    with pytest.raises(ConfigError, match="only keep to one"):
        mind.ask("Who?", schema=SCHEMA, sampling=Sampling(grammar='root ::= "x"'))
    with pytest.raises(ConfigError, match="line 1"):
        mind.ask("Who?", sampling=Sampling(grammar="root ::= ("))
    assert engine.branches == []
    assert mind.ask((Message("user", "Who?"),)).text == "x"


def test_the_scripted_engine_checks_grammars_as_a_real_one_does() -> None:
    engine = ScriptedEngine([["x"]])
    bad = Sampling(grammar="root ::= root")
    with pytest.raises(ConfigError):
        engine.prefill([1, 2], bad)
    root = engine.prefill([1, 2], Sampling())
    with pytest.raises(ConfigError):
        engine.fork(root, [bad])
    assert len(engine.branches) == 1


def test_a_schema_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    assert read_schema(path) == SCHEMA
    for content, complaint in (
        ("{", "is not JSON"),
        ("[]", "as a dict"),
        ("[" * 100_000, "is not JSON"),
        ('{"not": {}}', "'not'"),
    ):
        path.write_text(content)
        with pytest.raises(ConfigError, match=complaint):
            read_schema(path)
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ConfigError, match="is not JSON"):
        read_schema(path)
    with pytest.raises(ConfigError, match="cannot read the schema"):
        read_schema(tmp_path / "none.json")
