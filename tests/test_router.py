"""First and second look: which prompts are voted on, what a draft's signals say, and why."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.errors import ConfigError
from edgemind.router.calibration import DEFAULT, KNOWN, Calibration, Logistic
from edgemind.router.router import Router, draft_signals, vote_signals
from edgemind.router.signals import MAX_CHARACTERS, prompt_signals, votable
from edgemind.router.store import calibration_file, load_calibration, save_calibration
from edgemind.types import Ballot, Completion, Objection, Route, Signals, Stopping

VOTABLE = [
    "What is 17 * 23?",
    "Natalia sold clips to 48 of her friends in April, and then half as many clips in May. "
    "How many clips did Natalia sell altogether in April and May?",
    "James decides to write 3 letters to 2 different friends twice a week. How many pages does he "
    "write a year?",
    "A class of 30 students has 12 girls. How many boys are there?",
    "There are 24 children in class today; 6 leave. How many stay?",
    "Compute \\frac{3}{4} + \\frac{1}{4}",
    "What is the value of the function f(x) = x^2 + 1 at x = 3?",
    "A firm will import 40 tons at $3 each. What does it pay?",
    "Hello! What is 12 + 30?",
    "Explain your steps. How many minutes are there in 3 hours?",
    "What is the capital of France?",
    "Convert 5 km to miles.",
    "12 * 12 =",
    "x = 3\nfor i in range(2):\n    x += i\nprint(x)\n\nWhat is printed?",
    "import numpy as np\nnp.zeros(3)\nWhat does it print?",
    "(B) or (C): which number is prime, 51 or 53?",
]
NOT_VOTABLE = [
    "Write a poem about the sea.",
    "Write a 4-line poem about 3 cats.",
    "Tell me a story with 2 dragons.",
    "Hello!",
    "hi",
    "Thanks a lot",
    "How are you?",
    "Good morning!",
    "Who are you?",
    "What can you do?",
    "Explain how photosynthesis works.",
    "Summarise the following text in 3 sentences: It was a dark night.",
    "Translate 'good morning, 5 of you' into French.",
    "Why is the sky blue?",
    "def add(a, b):\n    return a + b\nWhat is wrong here?",
    "```python\nprint(1)\n```",
    "#include <stdio.h>\nint main() { return 0; }",
    "class Dog:\n    def bark(self): ...\nHow many methods are there?",
    "import numpy as np\nnp.zeros(3)\nIs that good style?",
    "for (int i = 0; i < 3; i++) {\n  go();\n}\nHow often does it go?",
    "Write a Python function that adds 2 numbers.",
    "Nice weather today",
]


@pytest.mark.parametrize("text", VOTABLE)
def test_answers_that_can_be_compared_are_voted_on(text: str) -> None:
    assert votable(prompt_signals(text))


@pytest.mark.parametrize("text", NOT_VOTABLE)
def test_free_text_code_and_greetings_are_not(text: str) -> None:
    assert not votable(prompt_signals(text))
    assert Router().first(text, 8).strategy == "direct"
    assert Router().first(text, 8).width == 1


@pytest.mark.parametrize("text", ["", " ", "\n" * 50, "\0", "🙂", "٣ + ٤ = ?", "\ud800"])
def test_odd_texts_have_finite_signals(text: str) -> None:
    assert all(math.isfinite(value) for value in prompt_signals(text).values())


@given(st.text(max_size=300))
def test_signals_are_finite_and_route_somewhere(text: str) -> None:
    assert all(math.isfinite(value) and value >= 0 for value in prompt_signals(text).values())
    assert Router().first(text, 8).strategy in ("direct", "vote")


HOSTILE = {
    "digits": lambda n: "1" * n,
    "dotted": lambda n: "1." * (n // 2),
    "spaces": lambda n: ";" + " " * n + "x",
    "braces": lambda n: "} " * (n // 2) + "x",
    "newlines": lambda n: "{" + "\n" * n + "x",
    "class": lambda n: "class " * (n // 6),
    "how": lambda n: "how " * (n // 4),
    "import": lambda n: "import " + "a" * n,
    "accents": lambda n: "é" * n,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_only_the_first_part_of_a_long_prompt_is_read(make: Callable[[int], str]) -> None:
    long = make(1 << 20)
    assert prompt_signals(long) == prompt_signals(long[:MAX_CHARACTERS])


# First look


def router_with(**changes: object) -> Router:
    """A router whose calibration differs from the default one in `changes`."""
    return Router(dataclasses.replace(DEFAULT, **changes))  # type: ignore[arg-type]


def test_easy_prompts_get_one_pass_first_and_hard_ones_a_vote() -> None:
    router = router_with(hard=Logistic(0.0, {"numbers": 1.0}))
    easy = router.first("What is 1?", 8)
    assert (easy.strategy, easy.width) == ("direct", 8)
    hard = router.first("What is " + "7 and " * 60 + "8?", 8)
    assert (hard.strategy, hard.width) == ("vote", 8)
    assert easy.difficulty < 0.95 <= hard.difficulty


def test_a_width_of_one_never_votes() -> None:
    router = router_with(hard=Logistic(10.0, {}))
    route = router.first("What is 17 * 23?", 1)
    assert (route.strategy, route.width, route.reason) == ("direct", 1, "width 1")


def test_a_vote_draws_no_more_than_pays_with_this_model() -> None:
    router = Router(dataclasses.replace(DEFAULT, most=6))
    assert [router.first("What is 17 * 23?", width).width for width in (1, 4, 16)] == [1, 4, 6]


def test_more_numbers_are_harder() -> None:
    router = Router()
    texts = ["What is 3?", "What is 3 + 4?", "What is 3 + 4 - 5 times 123?"]
    difficulties = [router.first(text, 8).difficulty for text in texts]
    assert difficulties == sorted(difficulties)


# Second look


def draft(
    logprob: float = -0.1, *, finish: str = "stop", answer: str | None = "4", tokens: int = 40
) -> Completion:
    doubt = tokens / 2 * (1 - math.exp(logprob))
    made = Signals(logprob, logprob, 5.0, 2 * logprob, tokens, doubt, doubt)
    return Completion("4", "", answer, made, finish)  # type: ignore[arg-type]


DIRECT = Route("direct", 8, "one pass first", 0.4)


def test_a_sure_draft_is_accepted_and_an_unsure_one_goes_to_a_vote() -> None:
    router = Router()
    assert router.confidence(draft(-0.0001), None) > 1 - DEFAULT.least_gain
    assert router.next(DIRECT, draft(-0.0001)) is None
    confidence = router.confidence(draft(-1.0), None)
    route = router.next(DIRECT, draft(-1.0))
    assert confidence < 0.5
    assert route is not None
    assert (route.strategy, route.width, route.difficulty) == ("vote", 8, 0.4)
    # Nothing is known of this model: a vote is taken to mend whatever is wrong.
    assert route.reason == f"a vote mends it with P = {1 - confidence:.2f}"


WRONG = (Objection(1, "2 + 2 = 4, not 5"),)


def test_a_draft_that_a_verifier_objects_to_goes_to_a_vote() -> None:
    router = Router()
    wrong = dataclasses.replace(draft(-0.3), objections=WRONG, score=0.0)
    voted = router.next(DIRECT, wrong)
    assert voted is not None and voted.describe() == "vote of 8"


def test_the_winner_of_a_vote_is_revised_only_on_an_objection_and_once() -> None:
    router = Router()
    vote = dataclasses.replace(DIRECT, strategy="vote")
    assert router.next(vote, draft(-5.0)) is None
    wrong = dataclasses.replace(draft(-0.3), objections=WRONG, score=0.0)
    refined = router.next(vote, wrong)
    assert refined is not None and refined.describe() == "refine(vote of 8)"
    assert router.next(refined, wrong) is None


@pytest.mark.parametrize("field", ["mean_logprob", "answer_logprob", "lowest_window"])
@given(low=st.floats(-20, 0), high=st.floats(-20, 0))
def test_the_second_look_never_falls_as_a_logprob_rises(
    field: str, low: float, high: float
) -> None:
    low, high = min(low, high), max(low, high)
    probabilities = []
    for value in (low, high):
        base = draft(-0.3)
        changed = dataclasses.replace(base.signals, **{field: value})  # type: ignore[arg-type]
        completion = dataclasses.replace(base, signals=changed)
        probabilities.append(Router().confidence(completion, None))
    assert probabilities[0] <= probabilities[1]


@pytest.mark.parametrize("field", ["early_doubt", "late_doubt"])
@given(low=st.floats(0, 50), high=st.floats(0, 50))
def test_the_second_look_never_rises_with_a_doubt(field: str, low: float, high: float) -> None:
    base = draft(-0.3)
    found = []
    for value in sorted((low, high)):
        signals = dataclasses.replace(base.signals, **{field: value})  # type: ignore[arg-type]
        found.append(Router().confidence(dataclasses.replace(base, signals=signals), None))
    assert found[0] >= found[1]


def test_a_cut_or_answerless_draft_is_trusted_less() -> None:
    router = Router()
    sure = router.confidence(draft(), None)
    assert router.confidence(draft(finish="length"), None) < sure
    assert router.confidence(draft(answer=None), None) < sure


def test_agreement_makes_a_vote_surer() -> None:
    router = Router()
    split, united = Ballot(8, 4, 0.25, 0.3), Ballot(4, 1, 1.0, 1.0)
    assert router.confidence(draft(), split) < router.confidence(draft(), united)


def test_only_a_direct_route_with_room_escalates() -> None:
    router = Router()
    bad = draft(-5.0)
    assert router.next(dataclasses.replace(DIRECT, width=1), bad) is None
    assert router.next(DIRECT, bad) is not None


# Calibrations


def test_a_calibration_survives_json_and_a_damaged_one_is_one_clear_line() -> None:
    stopping = Stopping(0.01, ((0.4, 0.0, 0.5, 1.0), (0.6, 0.8, 0.0, 5.0)))
    fitted = dataclasses.replace(
        DEFAULT, floor=-2.5, stopping=stopping, data="abc", problems=500, error=0.03
    )
    again = Calibration.from_json(fitted.to_json())
    assert again.hard == fitted.hard and again.floor == -2.5 and again.problems == 500
    assert again.stopping == stopping
    row, text = "0.8,\n    0.0,\n    5.0", fitted.to_json()
    assert row in text
    texts = {
        "": "damaged",
        "[]": "damaged",
        "{}": "damaged",
        fitted.to_json().replace('"version": 3', '"version": 99'): "another version",
        fitted.to_json().replace('"share"', '"sharp"'): "no signal is called 'sharp'",
        text.replace('"least_gain": 0.4', '"least_gain": NaN'): "not a number",
        text.replace(row, "1.0,\n    0.0,\n    5.0"): "is no urn",
        text.replace('"price": 0.01', '"price": 0'): "no price",
        text.replace('"most": null', '"most": 1'): "two samples at least",
        text.replace('"most": null', '"most": "ten"'): "two samples at least",
        text.replace('"most": null', '"most": true'): "two samples at least",
        fitted.to_json().replace('"problems"', '"problem"'): "damaged",
    }
    for text, message in texts.items():
        with pytest.raises(ConfigError, match=message):
            Calibration.from_json(text)


def test_calibrations_are_kept_for_each_model(tmp_path: Path) -> None:
    assert load_calibration(tmp_path, "some model", 10) == (DEFAULT, ())
    fitted = dataclasses.replace(DEFAULT, least_gain=0.1, error=0.1, auroc=0.8)
    path = save_calibration(tmp_path, "some model", 10, fitted)
    assert load_calibration(tmp_path, "some model", 10) == (fitted, ())
    assert load_calibration(tmp_path, "some model", 11) == (DEFAULT, ())
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    older = fitted.to_json().replace('"version": 3', '"version": 1')
    for text in ("{", older, "\udcff"):
        path.write_bytes(text.encode(errors="surrogateescape"))
        found, notices = load_calibration(tmp_path, "some model", 10)
        assert found == DEFAULT and len(notices) == 1
    odd = calibration_file(tmp_path, "../../etc/passwd", 1)
    assert odd.parent == tmp_path / "calibrations"


# Explaining


@pytest.mark.parametrize("model", [DEFAULT.hard, DEFAULT.correct, DEFAULT.gain, DEFAULT.agreed])
@given(values=st.lists(st.floats(-3, 3), min_size=10, max_size=10))
def test_contributions_add_up_to_the_logit(model: Logistic, values: list[float]) -> None:
    given_signals = dict(zip(model.weights, values, strict=False))
    probability, reasons = model.explain(given_signals)
    logit = model.bias + sum(reason.contribution for reason in reasons)
    assert {reason.signal for reason in reasons} == set(model.weights)
    assert probability == pytest.approx(1 / (1 + math.exp(-max(-30.0, min(30.0, logit)))))
    sizes = [abs(reason.contribution) for reason in reasons]
    assert sizes == sorted(sizes, reverse=True)


def test_extreme_logits_do_not_overflow() -> None:
    for bias in (1e6, -1e6):
        probability, _ = Logistic(bias, {}).explain({})
        assert 0 < probability < 1


def test_every_weight_has_its_signal() -> None:
    assert KNOWN["hard"] <= set(prompt_signals("x"))
    assert KNOWN["correct"] == set(draft_signals(draft()))
    assert KNOWN["agreed"] == set(vote_signals(draft(), Ballot(8, 1, 1.0, 1.0)))
