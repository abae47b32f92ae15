"""A grammar over a row of logits that numpy draws from."""

from __future__ import annotations

import numpy as np

from edgemind.engines import grammars
from edgemind.engines.grammars import Reading
from edgemind.engines.onnx.sampling import Logits
from edgemind.types import Sampling

__all__ = ["Grammars", "Reading"]


class Grammars(grammars.Grammars):
    """`edgemind.engines.grammars.Grammars`, for whole rows."""

    def restrict(self, logits: Logits, reading: Reading, sampling: Sampling, said: int) -> Logits:
        """A row of logits with all but the `candidates` at minus infinity."""
        found = self.candidates(logits, reading, sampling, said)
        restricted = np.full_like(logits, -np.inf)
        restricted[found] = logits[found]
        return restricted
