"""The numpy sampler against llama.cpp's own chain on the same logits, and against arithmetic."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.engines.llama.c_api import load_api
from edgemind.engines.llama.chain import Seen, new_chain
from edgemind.engines.onnx.sampling import (
    candidates,
    largest,
    log_sums,
    measure,
    penalise,
    wanted,
)
from edgemind.types import Sampling

Logits = npt.NDArray[np.float32]
SIZE = 5000


def rows(count: int, size: int = SIZE, seed: int = 0) -> Logits:
    return np.random.default_rng(seed).normal(0, 3, (count, size)).astype(np.float32)


def llama_distribution(
    logits: Logits, sampling: Sampling, history: Sequence[int]
) -> dict[int, float]:
    """Token → probability before llama.cpp draws, by its own chain in C."""
    api = load_api()
    chain = new_chain(api, logits.size, sampling, history)
    data = (api.llama_token_data * logits.size)()
    for token, logit in enumerate(logits):
        data[token].id, data[token].logit = token, float(logit)
    array = api.llama_token_data_array(
        data=ctypes.cast(data, api.llama_token_data_p), size=logits.size, selected=-1, sorted=False
    )
    api.llama_sampler_apply(chain, ctypes.byref(array))
    left: Any = array.data
    if (sampling.temperature or 0.0) <= 0:
        found = {int(left[array.selected].id): 1.0}
    else:
        # Its draw has computed the probabilities of what the other stages left.
        found = {int(left[i].id): float(left[i].p) for i in range(array.size)}
    api.llama_sampler_free(chain)
    return found


def our_distribution(
    logits: Logits, samplings: Sequence[Sampling], history: Sequence[int]
) -> list[dict[int, float]]:
    aimed = logits.copy()
    for row, sampling in zip(aimed, samplings, strict=True):
        penalise(row, sampling, history)
    best = largest(aimed, wanted(samplings, logits.shape[1]))
    found = candidates(aimed, samplings, best)
    return [
        {int(t): float(p) for t, p in zip(ids, shares, strict=True) if p > 0}
        for ids, shares in zip(found.ids, found.probabilities, strict=True)
    ]


SAMPLINGS = [
    Sampling(temperature=0.0),
    Sampling(temperature=0.8, top_k=40, top_p=0.95, min_p=0.05),
    Sampling(temperature=1.3, top_k=7, top_p=1.0, min_p=0.0),
    Sampling(temperature=1.0, top_k=0, top_p=0.9, min_p=0.0),
    Sampling(temperature=1.0, top_k=0, top_p=0.999, min_p=0.0),
    Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.1),
    Sampling(temperature=2.0, top_k=0, top_p=1.0, min_p=0.0),
    Sampling(temperature=1.0, top_k=3000, top_p=0.5, min_p=0.01),
    Sampling(temperature=0.1, top_k=1, top_p=0.0, min_p=1.0),
    Sampling(temperature=0.7, top_k=20, top_p=0.8, min_p=0.0, repeat_penalty=1.3, repeat_last_n=5),
    Sampling(temperature=0.0, repeat_penalty=5.0, repeat_last_n=-1),
    Sampling(temperature=1.0, top_k=50, repeat_penalty=0.5, repeat_last_n=64),
    Sampling(temperature=1.0, top_k=50, repeat_penalty=2.0, repeat_last_n=0),
]


def test_all_rows_of_a_batch_are_drawn_from_what_llama_cpp_draws_from() -> None:
    logits = rows(len(SAMPLINGS))
    logits[:, 17] += 9  # a favourite, which the penalties are about
    history = [3, 17, 17, 4000, 17, 5]
    ours = our_distribution(logits, SAMPLINGS, history)
    for row, sampling, found in zip(logits, SAMPLINGS, ours, strict=True):
        expected = llama_distribution(row, sampling, history)
        # Sums of thousands of float32 end a little elsewhere: a last, unlikely token may differ.
        odd = found.keys() ^ {token for token, p in expected.items() if p > 0}
        assert sum(found.get(t, 0) + expected.get(t, 0) for t in odd) < 1e-4, sampling
        for token in found.keys() - odd:
            assert found[token] == pytest.approx(expected[token], rel=1e-3, abs=1e-6), sampling


@given(
    temperature=st.floats(0.05, 3), top_k=st.integers(0, 200), top_p=st.floats(0.01, 1),
    min_p=st.floats(0, 0.9), penalty=st.floats(0.5, 2), seed=st.integers(0, 99),
)  # fmt: skip
def test_any_sampling(
    temperature: float, top_k: int, top_p: float, min_p: float, penalty: float, seed: int
) -> None:
    sampling = Sampling(temperature, top_k, top_p, min_p, penalty, 4)
    logits = rows(1, 150, seed)
    [found] = our_distribution(logits, [sampling], [1, 2, 3, 2])
    expected = llama_distribution(logits[0], sampling, [1, 2, 3, 2])
    # Where a bound falls between two nearly equal sums, rounding decides about one token.
    odd = found.keys() ^ {token for token, p in expected.items() if p > 0}
    assert len(odd) <= 1
    assert sum(found.get(t, 0) + expected.get(t, 0) for t in odd) < 0.05 or not odd
    if not odd:
        assert max(abs(found[t] - expected[t]) for t in found) < 1e-4


@pytest.mark.parametrize("size", [30, 2047, 2048, 5000])
@pytest.mark.parametrize("count", [1, 2, 20, 700])
def test_largest(size: int, count: int) -> None:
    logits = np.random.default_rng(2).integers(-40, 40, (3, size)).astype(np.float32)
    count = min(count, size)
    expected = np.argsort(-logits, axis=1, kind="stable")[:, :count]
    assert np.array_equal(largest(logits, count), expected)


def test_measures_are_those_of_the_other_engine() -> None:
    logits = rows(4)
    tokens = np.array([3, 17, 100, 4999])
    found = measure(logits, tokens, largest(logits, 20))
    for row, values in enumerate(logits):
        seen = Seen.of(values, True)
        logprob = seen.logprob(int(tokens[row]))
        assert found.logprob[row] == pytest.approx(values[tokens[row]] - seen.total, abs=1e-5)
        assert logprob is None or logprob == pytest.approx(found.logprob[row], abs=1e-5)
        assert found.margin[row] == pytest.approx(seen.margin, abs=1e-6)
        assert found.confidence[row] == pytest.approx(seen.confidence, abs=1e-5)
    exact = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    assert log_sums(logits) == pytest.approx(exact, abs=1e-5)


def test_draws_have_the_frequencies_of_the_distribution() -> None:
    logits = rows(1, 60)
    sampling = Sampling(temperature=1.5, top_k=8, top_p=1.0, min_p=0.0)
    found = candidates(logits, [sampling], largest(logits, 8))
    chances = np.random.default_rng(1).random(4000)
    drawn = [int(found.draw([chance])[0]) for chance in chances]
    for token, p in zip(found.ids[0], found.probabilities[0], strict=True):
        assert drawn.count(int(token)) / 4000 == pytest.approx(p, abs=0.03)
    assert found.draw([0.0])[0] == found.ids[0, 0]
    assert found.draw([1 - 1e-16])[0] == found.ids[0, 7]
