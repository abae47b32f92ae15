"""A rendered chat becomes token ids: special tokens only where the template wrote them.

`edgemind.chat` renders it, cut wherever a message spells a special token; a model's engine brings
the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Vocabulary(Protocol):
    """What `tokenize` needs of a model's tokens."""

    @property
    def specials(self) -> Mapping[str, int]:
        """Text → id of every control, unknown and user-defined token."""

    @property
    def bos(self) -> int | None:
        """Id of the beginning-of-sequence token, if prompts of this model start with one."""

    def encode(self, text: str, special: bool) -> list[int]:
        """Token ids of `text` and nothing more; with `special`, texts of special tokens too."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, special tokens written out."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A chat as text, cut inside every special token's text that a message wrote.

    `opened_thought` says that the text ends inside a thought.
    """

    pieces: tuple[str, ...]
    opened_thought: bool

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def tokenize(rendered: Rendered, vocabulary: Vocabulary) -> list[int]:
    """The token ids of a rendered chat: special tokens only where the template wrote them.

    The beginning-of-sequence token is put in front where the vocabulary wants one and the text
    does not start with it.
    """
    tokens = vocabulary.encode(rendered.pieces[0], True)
    for piece in rendered.pieces[1:]:
        tokens += _continued(piece, vocabulary)
    if vocabulary.bos is not None and tokens[:1] != [vocabulary.bos]:
        tokens.insert(0, vocabulary.bos)
    return tokens


def _continued(piece: str, vocabulary: Vocabulary) -> list[int]:
    """Token ids of a text that goes on in the middle of a line.

    Some tokenizers put a space in front of every text. Behind a line break it comes before the
    break, and both can be taken away.
    """
    lead = vocabulary.encode("\n", False)
    tokens = vocabulary.encode("\n" + piece, True)
    if tokens[: len(lead)] == lead:
        return tokens[len(lead) :]
    return vocabulary.encode(piece, True)
