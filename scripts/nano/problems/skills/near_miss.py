"""Requests that sound out of scope and are not: "write down what 3 + 4 is", a recipe for four."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..narrate import told
from ..words import counted, people, things
from .arithmetic import expression

_PLAIN = Family(
    train=("Write down what {e} is.", "Tell me a story with a happy end: what is {e}?",
           "Explain to me how to work out {e}.",
           "Write a Python program in your head: what is {e}?",
           "Who can tell me what {e} is?", "In history class someone asked me what {e} is.",
           "Translate into one number: {e}", "What do you think {e} is?", "Teach me {e}.",
           "I have a headache from this: {e}. Please solve it.", "My teacher wants to know {e}.",
           "Do you know what {e} is?", "Show me how you solve {e}.", "Write the result of {e}.",
           "What is the meaning of {e} as one number?", "Give me the recipe for solving {e}.",
           "Define x as {e}. What is x?", "Why is it so hard for me to find {e}? What is it?",
           "print({e})", "Summarise {e} in one number."),
    valid=("Describe step by step what {e} is.", "Say what {e} makes in your own words."),
    held=("Can you explain what {e} makes?", "Write me the answer to {e} as a short text.",
          "Give me your opinion: what is {e}?", "Sing it if you like: what is {e}?"),
)  # fmt: skip
_TIMES = Family(
    train=("A recipe for one cake needs {a} eggs. How many eggs are needed for {b} cakes?",
           "A poem has {b} verses with {a} lines each. How many lines does it have?",
           "{n} writes {a} lines of code a day. How many lines in {b} days?",
           "A doctor says to take {a} pills a day for {b} days. How many pills is that?",
           "A king ruled {b} lands with {a} castles each. How many castles were there?",
           "In a film there are {b} robots with {a} arms each. How many arms?",
           "{n} translates {a} pages per day. How many pages are done after {b} days?",
           "A song with {a} words is sung {b} times. How many words are sung?",
           "A planet has {b} moons with {a} craters each. How many craters in all?"),
    valid=("A history book has {b} chapters of {a} pages. How many pages is that?",),
    held=("A poet writes {a} poems a month. How many poems in {b} months?",
          "A soup for one person needs {a} carrots. How many carrots for {b} people?"),
)  # fmt: skip
_MINUS = Family(
    train=("A war began in {y} and ended in {z}. How many years did it last?",
           "A writer was born in {y} and died in {z}. How old did the writer become at most?",
           "A bridge was built in {y} and fell in {z}. How many years did it stand?",
           "{n} bought a computer in {y} and sold it in {z}. After how many years?"),
    valid=("A queen ruled from {y} to {z}. How many years was that?",),
    held=("A castle was built in {y} and burnt in {z}. How many years later was that?",
          "A painter worked from {y} to {z}. How many years is that?"),
)  # fmt: skip
_MORE = Family(
    train=("{n} read {k} about {t} and {m} read {j} more. How many did {m} read?",
           "My story has {a} pages and yours {b} more. How many pages has yours?",
           "{n} knows {a} jokes and learns {b} new ones. How many jokes are that?",
           "Write this as one number: {a} poems and {b} poems."),
    valid=("{n} sang {a} songs and then {b} more. How many songs?",),
    held=("{n} wrote {a} poems and {m} wrote {b}. How many poems is that in all?",),
)  # fmt: skip


@skill("near_miss", weight=0.8)
def make_near_miss(rng: Random, level: int, split: Split) -> Draft:
    """Small numbers; two digits; three digits."""
    (name, other), (thing,) = people(rng, split, 2), things(rng, split)
    words = {"n": name, "m": other, "t": thing[1]}
    top = (12, 60, 400)[level]
    a, b = rng.randint(2, top), rng.randint(2, top)
    kind = rng.choice(("plain", "plain", "times", "minus", "more"))
    if kind == "plain":
        op = rng.choice("++-*")
        if op == "*":
            b = rng.randint(2, 9)
        if op == "-" and b > a:
            a, b = b, a
        text = _PLAIN.say(rng, split, e=expression(rng, a, op, b))
        answer = {"+": a + b, "-": a - b, "*": a * b}[op]
        return Draft(text, tuple(told(rng, a, op, b)), str(answer), f"near{a}{op}{b}")
    if kind == "times":
        b = rng.randint(2, (9, 12, 20)[level])
        text = _TIMES.say(rng, split, a=a, b=b, **words)
        return Draft(text, tuple(told(rng, a, "*", b)), str(a * b), f"near{a}x{b}")
    if kind == "minus":
        first = rng.randint(1100, 1990)
        last = first + rng.randint(2, (20, 99, 300)[level])
        text = _MINUS.say(rng, split, y=first, z=last, **words)
        return Draft(text, tuple(told(rng, last, "-", first)), str(last - first),
                     f"near{last}-{first}")  # fmt: skip
    text = _MORE.say(rng, split, a=a, b=b, k=counted(a, ("book", "books")), j=b, **words)
    return Draft(text, tuple(told(rng, a, "+", b)), str(a + b), f"near{a}&{b}")
