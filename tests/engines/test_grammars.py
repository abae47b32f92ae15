"""What a grammar allows of a vocabulary, whichever way it is found: as if each token were read."""

from __future__ import annotations

import random

import numpy as np
import pytest

from edgemind.engines.grammars import LARGE_VOCABULARY, Grammars, Reading
from edgemind.errors import ModelUnsupported
from edgemind.structure.grammar import Grammar
from edgemind.structure.schema import schema_grammar
from edgemind.types import Sampling

LETTERS = ["a", "b", "n", "z", '"', '":', "\\", " ", "1", "0", "{", "}", ",", "é", "日", "😀", "\n"]
TEXTS = [
    schema_grammar({"type": "object", "properties": {"ab": {"type": "string", "maxLength": 9}}}),
    schema_grammar({}),
    "root ::= [^a-b\\n]{2,7} | [a-z]* [0-9]",
    'root ::= ([éa-n]+ | "日"* "z")* "!"?',
    'root ::= "a"{40} [a-n]*',
]


class Words:
    """A vocabulary of all short texts of some letters, of bytes, and of what is no text at all."""

    def __init__(self, size: int) -> None:
        random_ = random.Random(size)
        texts = {"".join(random_.choices(LETTERS, k=random_.randint(1, 9))) for _ in range(size)}
        self._pieces = [
            *(bytes([byte]) for byte in range(256)),
            *(b"", b"<end>", b"</s>", b"a\0b", b"a\xe6", b"\x97\xa5z", b"\xf0\x9f", b"\xff\xff"),
            *("a" * length for length in range(2, 60)),
            *sorted(texts),
        ]
        self._pieces = [p.encode() if isinstance(p, str) else p for p in self._pieces]
        self.size = len(self._pieces)

    def piece(self, token: int) -> bytes:
        return self._pieces[token]

    def is_end(self, token: int) -> bool:
        return self._pieces[token] in (b"<end>", b"</s>")


SMALL, LARGE = Words(600), Words(3 * LARGE_VOCABULARY)


def brute(words: Words, reading: Reading) -> list[int]:
    """The tokens that fit, each read by itself."""
    return [
        token
        for token in range(words.size)
        if (
            reading.may_end
            if words.is_end(token)
            else reading.after(words.piece(token)) is not None
        )
    ]


@pytest.mark.parametrize("words", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("text", TEXTS)
def test_all_that_is_allowed(text: str, words: Words) -> None:
    grammars, random_ = Grammars(words), random.Random(text)
    everything = Sampling(temperature=1.0, top_k=0)
    logits = np.zeros(words.size, np.float32)
    for _ in range(1 if words is LARGE else 5):
        reading = grammars.start(text)
        for _ in range(6):
            found = grammars.candidates(logits, reading, everything, 0)
            assert found.tolist() == brute(words, reading)
            assert grammars.candidates(logits, reading, everything, 0).tolist() == found.tolist()
            token = random_.choice(found.tolist())
            if words.is_end(token):
                break
            after = grammars.after(reading, token)
            assert after is not None
            assert grammars.after(reading, token) is after
            reading = after


@pytest.mark.parametrize("top_k", [1, 40, 200])
@pytest.mark.parametrize("words", [SMALL, LARGE], ids=["small", "large"])
def test_the_likeliest_of_what_is_allowed(words: Words, top_k: int) -> None:
    """Where not all were looked at, what top-k takes was."""
    grammars = Grammars(words)
    random_ = np.random.default_rng(top_k)
    reading = grammars.start('root ::= "[" [^0-9"]{0,30} "]"')
    reading = grammars.following(reading, [ord("["), ord("a")])
    allowed = set(brute(words, reading))
    fewer = 0
    for _ in range(5):
        logits = random_.normal(size=words.size).astype(np.float32)
        sampling = Sampling(temperature=1.0, top_k=top_k)
        found = grammars.candidates(logits, reading, sampling, 0).tolist()
        assert found == sorted(found) and {*found} <= allowed
        best = sorted(allowed, key=lambda token: -logits[token])[:top_k]
        assert {*best} <= {*found}
        fewer += len(found) < len(allowed)
        reading.position.forget()
    assert (fewer > 0) == (top_k < 200 or words is LARGE)


def test_logits_that_are_all_the_same() -> None:
    grammars = Grammars(LARGE)
    reading = grammars.start('root ::= [^0-9"]{3,30}')
    same = np.zeros(LARGE.size, np.float32)
    found = grammars.candidates(same, reading, Sampling(temperature=1.0, top_k=40), 0)
    assert found.tolist() == brute(LARGE, reading)


def test_a_vocabulary_of_bytes_alone() -> None:
    class Bytes:
        size = 256

        def piece(self, token: int) -> bytes:
            return bytes([token]) if token >= 0x80 else b""

        def is_end(self, token: int) -> bool:
            return False

    grammars, said = Grammars(Bytes()), b""
    reading = grammars.start('root ::= [^a] "é" "x"')
    greedy, logits = Sampling(temperature=0.0), np.arange(256, dtype=np.float32)
    for _ in range(6):
        token = int(grammars.candidates(logits, reading, greedy, 0)[-1])
        said += bytes([token])
        reading = grammars.following(reading, [token])
    assert said.decode() == "\U0010ffffé"
    with pytest.raises(ModelUnsupported, match="no token"):
        grammars.candidates(logits, reading, greedy, 0)


def test_runs_do_not_go_on_for_ever() -> None:
    """Bounded repetitions: a token of so many letters fits, a longer one does not."""
    words = Words(100)
    lengths = {token: len(words.piece(token)) for token in range(256, words.size)}
    letters = [token for token, n in lengths.items() if n and words.piece(token) == b"a" * n]
    for most in (0, 1, 5, 31, 33, 40, 58, 100):
        grammars = Grammars(words)
        reading = grammars.start(f'root ::= "b" [a-z]{{0,{most}}} "1"')
        for begun in range(min(most, 3) + 1):
            here = grammars.following(reading, [ord("b"), *[ord("a")] * begun])
            logits = np.zeros(words.size, np.float32)
            found = {*grammars.candidates(logits, here, Sampling(top_k=0), 0).tolist()}
            assert {t for t in letters if lengths[t] <= most - begun} == found & {*letters}


def test_what_was_forgotten_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXTS[0]

    def said(bound: int) -> list[int]:
        monkeypatch.setattr("edgemind.structure.walk.MAX_REMEMBERED", bound)
        grammars, random_ = Grammars(SMALL), random.Random(1)
        reading, tokens = grammars.start(text), []
        logits = np.zeros(SMALL.size, np.float32)
        for _ in range(40):
            found = grammars.candidates(logits, reading, Sampling(top_k=0), 0)
            tokens.append(random_.choice(found.tolist()))
            after = grammars.after(reading, tokens[-1])
            assert after is not None
            reading = after
        return tokens

    assert said(10) == said(10**6)


def test_a_grammar_that_met_too_much_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    grammars = Grammars(SMALL)
    first = grammars.start(TEXTS[0])
    assert grammars.start(TEXTS[0]) is first
    monkeypatch.setattr("edgemind.structure.walk.MAX_MET", 0)
    second = grammars.start(TEXTS[0])
    assert second is not first
    assert Grammar(TEXTS[0]).completion("") == "{}"
    assert [*grammars._grammars] == [TEXTS[0]]
