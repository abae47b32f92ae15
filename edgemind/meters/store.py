"""Where a device's fitted watts are kept: one small JSON file in the cache folder.

A file that is damaged, of another version or of another processor is as good as none: the typical
figures apply again, and nothing fails.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from dataclasses import asdict
from pathlib import Path

from edgemind.device.processor import processor
from edgemind.folders import cache_folder, replace_file
from edgemind.meters.estimate import Power

VERSION = 1


def processor_name(root: Path = Path("/")) -> str:
    """The processor's own name where the system tells it, else its kind; and its cores."""
    return f"{processor(root)} x{os.cpu_count() or 1}"


def power_file(folder: Path, processor: str) -> Path:
    """The file of one processor."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", processor).strip("-.")[:60] or "processor"
    tag = hashlib.sha256(processor.encode()).hexdigest()[:12]
    return folder / "power" / f"{safe}-{tag}.json"


def load_power(folder: Path | None = None, processor: str | None = None) -> Power | None:
    """What was fitted to this device, None if nothing (readable) was."""
    path = power_file(folder or cache_folder(), processor or processor_name())
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields["version"] != VERSION:
            return None
        power = Power(
            name=str(fields["name"]),
            core_watts=float(fields["core_watts"]),
            idle_watts=float(fields["idle_watts"]),
            error=float(fields["error"]),
            fitted_to=str(fields["fitted_to"]),
        )
        numbers = (power.core_watts, power.idle_watts, power.error)
        sound = all(math.isfinite(number) and number >= 0 for number in numbers)
        return power if sound and power.core_watts > 0 else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def save_power(power: Power, folder: Path | None = None, processor: str | None = None) -> Path:
    """Write it, all at once; the file's path."""
    path = power_file(folder or cache_folder(), processor or processor_name())
    replace_file(path, json.dumps({"version": VERSION, **asdict(power)}, indent=1) + "\n")
    return path
