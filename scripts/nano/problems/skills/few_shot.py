"""Few-shot prompts: two or three worked examples of one kind in a message, then the question."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..composite import SHORT, owned, reply, size

# Question and answer in front of an example, and what stands before and after all of them.
_MARKS = Family(
    train=("Q: |A: ", "Question: |Answer: ", "Problem: |Solution: ", "Q. |A. ", "Input: |Output: ",
           "Example: |Solution: "),
    valid=("Task: |Answer: ",),
    held=("Exercise: |Solution: ", "User: |Model: "),
)  # fmt: skip
_INTRO = Family(
    train=("", "", "", "Here are some examples.\n\n", "Answer like in these examples.\n\n",
           "Examples:\n\n", "Solve the last one as the others were solved.\n\n"),
    valid=("Look at these examples first.\n\n",),
    held=("First some solved problems, then one for you.\n\n",),
)  # fmt: skip


@skill("few_shot", weight=1.2)
def make_few_shot(rng: Random, level: int, split: Split) -> Draft:
    """Two short examples; two or three; three of the hard kind's middle level."""
    kind = rng.choice(SHORT)
    inner = min(level, 1)
    count = (2, rng.randint(2, 3), 3)[level]
    examples: list[Draft] = []
    while len(examples) < count:
        example = owned(rng, kind, inner if level < 2 else rng.randint(0, 1), split)
        if size(example.prompt, example.steps) < 75:
            examples.append(example)
    asked = owned(rng, kind, inner, split)
    question, _, answer = _MARKS.pick(rng, split).partition("|")
    style = rng.randrange(3)
    shown = []
    for example in examples:
        if style == 0:
            text = reply(example)
        elif style == 1:
            text = f"#### {example.answer}"
        else:
            text = example.answer
        shown.append(f"{question}{example.prompt}\n{answer}{text}")
    shown.append(f"{question}{asked.prompt}\n{answer}".rstrip())
    prompt = _INTRO.pick(rng, split) + "\n\n".join(shown)
    return Draft(prompt, asked.steps, asked.answer, asked.key, dress=False)
