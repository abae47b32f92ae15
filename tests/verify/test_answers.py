"""Finding the final answer in a worked solution."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgemind.verify.answers import AnswerKind, canonical, extract, extract_span

CPU_SECONDS = 5
"""For what takes milliseconds when linear, minutes when not: loose, for busy machines."""
KINDS: list[AnswerKind | None] = [None, "number", "choice", "yes_no", "date", "time", "text"]

ANY_KIND = [
    # The dataset's own mark.
    ("She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18", "18"),
    ("He made a profit of 200,000-130,000=$70,000\n#### 70,000", "70,000"),
    ("so 9 * 2 = 18 #### 18", "18"),
    ("#### $18.00\n", "$18.00"),
    ("#### -3", "-3"),
    ("#### 5\n\n#### 7", "7"),
    ("#### Step 1\nAdd 3.\nThe answer is 7.", "7"),
    ("#### Final Answer: 12", "12"),
    ("2 + 2 = 4\n####", "4"),
    # Boxed.
    ("so \\boxed{\\frac{1}{2}} as 5 shows", "\\frac{1}{2}"),
    ("first \\boxed{3}, then \\boxed{4}", "4"),
    ("first \\boxed{3}, then \\boxed{4", "3"),
    ("first \\boxed{3}, then \\boxed{}", "3"),
    ("The answer is\n\\[\n\\boxed{(1, 2)}\n\\]", "(1, 2)"),
    ("$\\boxed{\\{1, 2\\}}$", "\\{1, 2\\}"),
    ("\\boxed{5 \\text{ km}}.", "5 \\text{ km}"),
    ("\\boxed{\\boxed{9}}", "9"),
    ("\\boxed{\\$6.50}", "\\$6.50"),
    # Said.
    ("Therefore, the answer is 42 apples.", "42 apples"),
    ("Therefore, the answer is 42 apples because each of 6 boxes holds 7.", "42 apples"),
    ("The answer is **$5.00**.", "$5.00"),
    ("The answer is $5.", "$5"),
    ("The answer is $5$.", "5"),
    ("The answer is 1,000.", "1,000"),
    ("The answer is 10%.", "10%"),
    ("The answer is 5 because 3 is small.", "5"),
    ("The answer is that John has 3 + 4 = 7 apples.", "7"),
    ("The answer to the question is 5.", "5"),
    ("The answer is \\(x = 2\\sqrt{3}\\).", "x = 2\\sqrt{3}"),
    ("The answer is approximately 3.14", "3.14"),
    ("The answer isn't 5. It is 6.", "6"),
    ("The final answer is: $\\frac{3}{4}$.", "\\frac{3}{4}"),
    ("**Final Answer:** 72 miles", "72 miles"),
    ("Final Answer\n\n12", "12"),
    ("Final Answer: The final answer is $13$. I hope it is correct.", "13"),
    ("Answer: 3 1/2 cups", "3 1/2 cups"),
    ("final answer is 12 km/h", "12 km/h"),
    ("My answer: 5 is right.\nBut then the answer would be six.", "six"),
    ("The answer is Paris.", "Paris"),
    ("The answer is therefore Wednesday", "Wednesday"),
    ("The answer is B. Paris", "B"),
    ("Therefore the answer is (C).", "(C)"),
    ("The answer is 2:05 pm.", "2:05 pm"),
    ("The answer is 05/01/2021.", "05/01/2021"),
    ("The answer is May 1, 2021.", "May 1, 2021"),
    ("**Answer:** Yes", "Yes"),
    # A last line that is only a value.
    ("First 3 + 4 = 7.\n\n**42**", "42"),
    ("We solve for x:\nx = 5", "x = 5"),
    ("72 miles", "72 miles"),
    ("Paris", "Paris"),
    ("B", "B"),
    ("True", "True"),
    ("Yes, because 3 < 4.", "Yes"),
    # The last number.
    ("He pays $1,234.50 in total", "$1,234.50"),
    ("It costs $5 and then $3 more", "$3"),
    ("so it must be -3", "-3"),
    ("It started with 12, so on 05/01/2021 it did", "05/01/2021"),
    ("1. Do this\n2. Do that with 5\n3. Stop", "5"),
    ("the ratio is \\frac{2}{3} of it", "\\frac{2}{3}"),
]


@pytest.mark.parametrize(("text", "answer"), ANY_KIND)
def test_extract(text: str, answer: str) -> None:
    assert extract(text) == answer


OF_A_KIND: list[tuple[str, AnswerKind, str | None]] = [
    ("Answer: (B) Paris", "choice", "B"),
    ("The answer is (B).", "choice", "B"),
    ("The answer is b", "choice", "b"),
    ("The correct option is D.", "choice", "D"),
    ("\\boxed{\\text{(C)}}", "choice", "C"),
    ("The answer is A.", "choice", "A"),
    ("The answer is a dog", "choice", None),
    ("The answer: A dog would do", "choice", None),
    ("The correct answer is (C), since A is too small.", "choice", "C"),
    ("The answer is not B but C", "choice", "C"),
    ("A car is fast. I think it is (d).", "choice", "d"),
    ("A", "choice", "A"),
    ("(e)", "choice", "e"),
    ("A car is fast, said Bob.", "choice", None),
    ("So the answer is no.", "yes_no", "no"),
    ("There is no reason to doubt. Yes.", "yes_no", "Yes"),
    ("\\boxed{\\text{Yes}}", "yes_no", "Yes"),
    ("There is no reason.", "yes_no", None),
    ("The answer is May 1, 2021, a Saturday.", "date", "May 1, 2021"),
    ("It was on 5/1/2021 at 3:10 pm", "date", "5/1/2021"),
    ("It was on 5/1/2021 at 3:10 pm", "time", "3:10 pm"),
    ("It was on 5/1/2021 with 17 guests", "number", "17"),
    ("It leaves at 2:05 p.m. today.", "time", "2:05 p.m"),
    ("The answer is Paris, with 2 million people.", "number", "2"),
    ("The answer is Paris.", "number", None),
    ("\\boxed{2\\sqrt{3}}", "number", "2\\sqrt{3}"),
    ("The answer is Paris because of the river.", "text", "Paris"),
    ("I thought about it.\n\nThe Eiffel Tower", "text", "The Eiffel Tower"),
]


@pytest.mark.parametrize(("text", "kind", "answer"), OF_A_KIND)
def test_extract_of_a_kind(text: str, kind: AnswerKind, answer: str | None) -> None:
    assert extract(text, kind) == answer


@pytest.mark.parametrize("text", ["", " \n ", "####", "\\boxed{}", "The answer is", "**", "$$"])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_abstains(text: str, kind: AnswerKind | None) -> None:
    assert extract(text, kind) is None


def test_prose_without_a_value_abstains() -> None:
    assert extract("I do not know how to start, and nobody told me why.") is None


def test_real_solutions_end_in_their_gold_answer() -> None:
    solution = (
        "The cost of the house and repairs came out to 80,000+50,000=$<<80000+50000=130000>>130,000"
        "\nHe increased the value of the house by 80,000*1.5=<<80000*1.5=120000>>120,000\n"
    )
    assert extract(solution + "#### 70000") == "70000"
    assert extract(solution + "So he made **$70,000**") == "$70,000"
    assert extract(solution) == "120,000"


@given(st.text(max_size=300), st.sampled_from(KINDS))
def test_total_and_inside_the_text(text: str, kind: AnswerKind | None) -> None:
    span = extract_span(text, kind)
    answer = extract(text, kind)
    if span is None:
        assert answer is None
    else:
        assert 0 <= span[0] < span[1] <= len(text)
        assert answer == text[span[0] : span[1]]
        assert canonical(answer)


FRAGMENTS = st.lists(
    st.sampled_from(
        ["answer is ", "####", "\\boxed{", "}", "{", "$", "**", "5", "1,000", " ", "\n", "(B)",
        "A ",
         "yes", ". ", "1/2", "5/1/2021", "2:05 pm", "\\frac{1}{2}", "\\text{", "\\(", "\\)",
         "Final "]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(FRAGMENTS, st.sampled_from(KINDS))
def test_total_on_fragments(text: str, kind: AnswerKind | None) -> None:
    answer = extract(text, kind)
    assert answer is None or (answer in text and canonical(answer))


@given(st.integers(), st.sampled_from(["#### {}", "\\boxed{{{}}}", "The answer is {}.", "is {}"]))
def test_a_marked_integer_is_found(value: int, form: str) -> None:
    assert extract("We add 17 to it.\n" + form.format(value)) == str(value)


def test_the_span_points_into_the_whole_text() -> None:
    text = "x " * 50_000 + "\n#### 42"
    span = extract_span(text)
    assert span is not None
    assert text[span[0] : span[1]] == "42"


HOSTILE = [
    "\\boxed{" * 20_000, "{" * 50_000, "#### a\n" * 20_000, "1" * 200_000, "1,111" * 30_000,
    "111," * 50_000, "1 " * 50_000, "1/" * 50_000, "answer is " * 20_000, "$" * 50_000,
    "\\)" * 30_000, "answer of " + "x " * 50_000, "**" * 30_000, "(a) " * 9_000, "\n" * 100_000,
    "May " * 20_000, "yes no " * 9_000, "1:" * 20_000, "$1 " * 20_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:8]))
def test_hostile_texts_take_no_time(text: str) -> None:
    start = time.process_time()
    for kind in KINDS:
        extract(text, kind)
    assert time.process_time() - start < CPU_SECONDS
