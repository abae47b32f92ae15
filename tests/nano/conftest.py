"""Makes the modules of scripts/nano importable, as they are when its scripts run."""

from __future__ import annotations

import sys
from pathlib import Path

_NANO = str(Path(__file__).parents[2] / "scripts" / "nano")
if _NANO not in sys.path:
    sys.path.insert(0, _NANO)
