"""A vocabulary as a tree: each token hangs on the longest other token that it begins with.

A grammar that refuses the beginning of a token refuses the token. So the tokens that a grammar
allows are found from the roots on, without looking at what hangs on refused ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]


class Pieces(Protocol):
    """A vocabulary whose tokens are known as bytes."""

    @property
    def size(self) -> int:
        """How many tokens there are."""

    def piece(self, token: int) -> bytes:
        """The bytes of a token."""

    def is_end(self, token: int) -> bool:
        """Whether a token ends a generation."""


class Prefixes:
    """The tree of a vocabulary's pieces. Making one takes about 2 µs for each token."""

    def __init__(self, vocabulary: Pieces) -> None:
        pieces = sorted((vocabulary.piece(token), token) for token in range(vocabulary.size))
        parents = np.full(vocabulary.size, -1, np.int32)
        ends: list[int] = []
        rooted: list[list[int]] = [[] for _ in range(256)]
        above: list[tuple[bytes, int]] = []
        for piece, token in pieces:
            # Tokens that end a generation are judged as such and not by their text.
            if vocabulary.is_end(token):
                ends.append(token)
                continue
            if not piece:  # would change nothing, for ever
                continue
            while above and not piece.startswith(above[-1][0]):
                above.pop()
            if above:
                parents[token] = above[-1][1]
            else:
                rooted[piece[0]].append(token)
            above.append((piece, token))
        self.ends: Ids = np.array(ends, np.int32)
        """What ends a generation, in no tree."""
        self.rooted: list[Ids] = [np.array(tokens, np.int32) for tokens in rooted]
        """The roots by their first byte."""
        # The children of each token lie together: `first[token]` to `first[token + 1]`.
        inner = np.flatnonzero(parents >= 0).astype(np.int32)
        self._children: Ids = inner[np.argsort(parents[inner], kind="stable")]
        counts = np.bincount(parents[inner], minlength=vocabulary.size)
        self._first = np.concatenate([[0], np.cumsum(counts)])
        sizes = [1] * vocabulary.size
        for _, token in reversed(pieces):  # what hangs on a token comes after it
            if (parent := int(parents[token])) >= 0:
                sizes[parent] += sizes[token]
        self._sizes = np.array(sizes, np.int32)

    def size(self, tokens: Ids) -> int:
        """How many tokens these are with all that hang on them."""
        return int(self._sizes[tokens].sum())

    def below(self, tokens: Ids, among: Callable[[Ids], Ids]) -> Ids:
        """`tokens`, and of those that hang on them all that `among` keeps.

        It is asked level by level, gets ids and returns some of them.
        """
        found = [tokens]
        while found[-1].size:
            starts = self._first[found[-1]]
            counts = self._first[found[-1] + 1] - starts
            # Indices of all children: a running number in each token's own range.
            before = np.cumsum(counts) - counts
            level = self._children[np.repeat(starts - before, counts) + np.arange(counts.sum())]
            found.append(among(level))
        return np.concatenate(found)
