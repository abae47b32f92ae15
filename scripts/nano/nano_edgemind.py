"""What the scripts here use of edgemind itself, from this checkout if it is not installed.

The words of an objection and the check of written arithmetic are edgemind's own: the model is
trained on the very text that `refine` will say to it.
"""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])
if _ROOT not in sys.path:
    sys.path.insert(0, _ROOT)

from edgemind.verify.arithmetic import check_arithmetic  # noqa: E402
from edgemind.verify.objection import false_sum, feedback  # noqa: E402

__all__ = ["check_arithmetic", "false_sum", "feedback"]
