"""What an answer is made with where nobody says otherwise; apart, so that help and completion of
the command line load nothing else.
"""

from __future__ import annotations

from typing import Final

AUTO: Final = "auto"
"""The strategy's name that lets the router decide."""
WIDTH: Final = 8
"""Most samples of a vote, unless the person says otherwise."""
MAX_SAMPLES: Final = 256
