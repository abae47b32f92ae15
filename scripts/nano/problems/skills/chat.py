"""Small talk, questions about the model itself, and requests that are out of its reach."""

from __future__ import annotations

from random import Random

from ..base import Draft, Split, skill
from ..composite import SHORT, owned, reply
from ..requests import HELLO, SELF, hello_reply, out_of_scope, self_reply


@skill("chat", weight=1.2, scored=False)
def make_chat(rng: Random, level: int, split: Split) -> Draft:
    """A greeting, a question about the model, or an out-of-scope request; at the hard level
    at times after a solved problem."""
    roll = rng.random()
    if roll < 0.15:
        ask, said = HELLO.pick(rng, split), hello_reply(rng)
    elif roll < 0.35:
        ask, said = SELF.pick(rng, split), self_reply(rng)
    else:
        ask, said = out_of_scope(rng, split)
    history: tuple[tuple[str, str], ...] = ()
    if level == 2 and rng.random() < 0.3:
        draft = owned(rng, rng.choice(SHORT), 0, split)
        history = ((draft.prompt, reply(draft)),)
    return Draft(ask, (said,), "", None, history)
