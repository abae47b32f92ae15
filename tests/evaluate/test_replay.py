"""Stopping rules over recorded samples: exact figures, and what a fitted prior is worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.errors import ConfigError
from edgemind.evaluate.fitting import fit, grid, log_likelihood, pattern
from edgemind.evaluate.replay import (
    Policy,
    Recording,
    beta_policies,
    cheapest,
    read_recordings,
    replay,
    standard_policies,
)
from edgemind.strategies.stopping import Beta, Certain, Worth
from tests.evaluate.synthetic import record, write


def recording(*answers: str | None, gold: str = "1") -> Recording:
    return Recording("q", gold, answers)


def test_a_unanimous_question() -> None:
    results = replay([recording(*"11111111")], standard_policies(), shuffles=3)
    assert {each.policy: each.samples.value for each in results} == {
        "majority": 8, "certain": 5, "beta 0.95": 4, "beta 0.90": 3, "window 4": 4,
        "settled": 3, "worth": 3,
    }  # fmt: skip
    assert all(each.accuracy.value == 1 and each.lost.value == 0 for each in results)
    assert results[2].stops == (("beta", 3),)
    assert results[0].stops == (("all samples drawn", 3),)


def test_no_answer_counts_as_a_sample_and_votes_for_nothing() -> None:
    [result] = replay([recording(None, None, None)], [Policy("certain", (Certain(),))], shuffles=2)
    assert (result.samples.value, result.accuracy.value, result.same) == (3, 0, 1)
    [result] = replay([recording(None, "1")], [Policy("certain", (Certain(),))], shuffles=20)
    assert (result.samples.value, result.accuracy.value) == (2, 1)


def test_of_equals_the_first_leads() -> None:
    [result] = replay([recording("1", "2")], [Policy("majority")], shuffles=400)
    assert result.accuracy.value == pytest.approx(0.5, abs=0.1)


def test_what_stopping_early_loses() -> None:
    # Right by five to three: the certain stop loses nothing, one sample alone three in eight.
    policies = [Policy("certain", (Certain(),)), Policy("one", (Beta(0.5),))]
    certain, one = replay([recording(*"11111222")], policies, shuffles=400)
    assert (certain.lost.value, certain.same) == (0, 1)
    assert one.samples.value == 1
    assert one.lost.value == pytest.approx(3 / 8, abs=0.07)
    assert one.same == pytest.approx(1 - one.lost.value)


def test_a_seed_repeats_itself(tmp_path: Path) -> None:
    recordings = read_recordings(record(tmp_path / "r.jsonl", 30))
    first = replay(recordings, standard_policies(), shuffles=5, seed=3)
    assert first == replay(recordings, standard_policies(), shuffles=5, seed=3)
    assert first != replay(recordings, standard_policies(), shuffles=5, seed=4)


def test_the_certain_stop_never_loses(tmp_path: Path) -> None:
    recordings = read_recordings(record(tmp_path / "r.jsonl", 150, gaps=0.2))
    full, certain = replay(recordings, standard_policies()[:2], shuffles=10)
    assert certain.same == 1
    assert certain.accuracy == full.accuracy
    assert certain.samples.value < full.samples.value == 8


def test_a_fitted_rule_beats_every_beta_threshold(tmp_path: Path) -> None:
    recordings = read_recordings(record(tmp_path / "r.jsonl", 1200, seed=5))
    fitted = [each for each in recordings if each.half == 0]
    judged = [each for each in recordings if each.half == 1]
    prior = fit([pattern(each.answers, each.gold) for each in fitted], rounds=200)
    worth = Policy("worth", (Certain(), Worth(prior=prior)))
    result, *betas = replay(judged, [worth, *beta_policies(8)], shuffles=10)
    rival = cheapest(betas, result)
    assert rival is not None
    assert result.lost.value < 0.001
    assert result.samples.value < rival.samples.value - 0.1


def test_the_fit_is_the_likeliest_and_small(tmp_path: Path) -> None:
    recordings = read_recordings(record(tmp_path / "r.jsonl", 300))
    patterns = [pattern(each.answers, each.gold) for each in recordings]
    prior = fit(patterns, rounds=100)
    assert prior == fit(patterns, rounds=100)
    assert sum(urn.weight for urn in prior) == pytest.approx(1, abs=0.002)
    assert min(urn.weight for urn in prior) >= 0.01
    assert len(prior) < len(grid())
    assert log_likelihood(patterns, prior) > log_likelihood(patterns, grid())
    assert log_likelihood(patterns, prior) > log_likelihood(patterns, prior[1:])


def test_patterns() -> None:
    assert pattern(["2", "1", None, "2", "3"], "1") == ((2, 1, 1), 1)
    assert pattern([None], "1") == ((), None)
    with pytest.raises(ValueError, match="no samples"):
        fit([])


def test_halves_go_by_id() -> None:
    halves = [Recording(str(number), "1", ("1",)).half for number in range(400)]
    assert halves == [Recording(str(number), "2", ("3",)).half for number in range(400)]
    assert 160 < sum(halves) < 240


def test_answers_are_compared_as_values(tmp_path: Path) -> None:
    row = {"id": "a", "gold": "$1,000", "answers": ["1000.0", "\\boxed{}", None, "", "1000"]}
    [found] = read_recordings(write(tmp_path / "r.jsonl", [row, ""]))
    assert found == Recording("a", "1000", ("1000", found.answers[1], None, None, "1000"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{", "is no JSON"),
        ("[1]", "is no JSON object"),
        ({"answers": ["1"]}, 'has no "gold"'),
        ({"gold": "", "answers": ["1"]}, 'has no "gold"'),
        ({"gold": "1"}, 'has no "answers"'),
        ({"gold": "1", "answers": []}, 'has no "answers"'),
        ({"gold": "1", "answers": [1]}, 'has "answers" that are neither text'),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, row: object, complaint: str) -> None:
    good = {"gold": "1", "answers": ["1"]}
    path = write(tmp_path / "r.jsonl", [good, row])
    with pytest.raises(ConfigError, match=rf"r\.jsonl:2 {complaint}"):
        read_recordings(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.jsonl cannot be read: No such file"):
        read_recordings(tmp_path / "missing.jsonl")
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b'{"gold": "\xe9"}\n')
    with pytest.raises(ConfigError, match=r"latin\.jsonl:1 is no UTF-8"):
        read_recordings(path)
    path.write_text("[" * 100_000)
    with pytest.raises(ConfigError, match=r"latin\.jsonl:1 is no JSON"):
        read_recordings(path)
