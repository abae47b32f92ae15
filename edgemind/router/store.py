"""Where calibrations are kept: one JSON file for each model, in the person's data folder.

The bundled model's own lies beside this file, and the person's takes its place.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from edgemind.errors import ConfigError
from edgemind.folders import replace_file
from edgemind.router.calibration import DEFAULT, Calibration

SHIPPED = Path(__file__).parent


def calibration_file(folder: Path, name: str, size: int) -> Path:
    """The file of a model's calibration: by its name and its size in bytes.

    A hash of the whole file would take longer than most answers.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "model"
    tag = hashlib.sha256(f"{name}\0{size}".encode()).hexdigest()[:12]
    return folder / "calibrations" / f"{safe}-{tag}.json"


def load_calibration(folder: Path, name: str, size: int) -> tuple[Calibration, tuple[str, ...]]:
    """The model's own calibration, the shipped one, or the default where it has neither.

    A file that is damaged or of another version is passed over, and a notice says so.
    """
    notices: list[str] = []
    for place in (folder, SHIPPED):
        path = calibration_file(place, name, size)
        try:
            return Calibration.from_json(path.read_text(encoding="utf-8"), str(path)), (*notices,)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (ConfigError, UnicodeDecodeError) as error:
            notices.append(f"{error}; until then it is not used")
    return DEFAULT, (*notices,)


def save_calibration(folder: Path, name: str, size: int, calibration: Calibration) -> Path:
    """Write it, all at once; the file's path."""
    path = calibration_file(folder, name, size)
    replace_file(path, calibration.to_json() + "\n")
    return path
