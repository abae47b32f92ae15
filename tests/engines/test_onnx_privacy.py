"""onnxruntime reports by default; opened by edgemind it writes no file and opens no socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engines.onnx_models import write

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, os, sys
from pathlib import Path
from edgemind.engines.onnx import OnnxEngine
from edgemind.types import Sampling

engine = OnnxEngine(Path(sys.argv[1]), threads=1)
engine.step([engine.prefill([1, 2, 3], Sampling())])
links = []
for number in os.listdir("/proc/self/fd"):
    try:
        links.append(os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        pass
engine.close()
print(json.dumps([os.environ["ORT_DISABLE_TELEMETRY"], links]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_no_file_and_no_socket(tmp_path: Path) -> None:
    folder, home = write(tmp_path / "m"), tmp_path / "home"
    home.mkdir()
    places = {"HOME": home, "XDG_CACHE_HOME": home / "cache", "TMPDIR": home / "tmp"}
    (home / "tmp").mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment | {name: str(place) for name, place in places.items()},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    switch, links = json.loads(done.stdout)
    assert switch == "1"
    assert not [link for link in links if link.startswith("socket")]
    assert [*home.rglob("*")] == [home / "tmp"]
