"""`edgemind models pull` against a hub on loopback: cuts, kills, wrong hashes, mirrors."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgemind.catalog.entry import Entry
from edgemind.catalog.hub import TRIES, Cut, Hub
from edgemind.catalog.library import FILE, Library
from edgemind.catalog.shelf import Shelf
from edgemind.cli.models_pull import drop, pull
from edgemind.errors import ConfigError, ModelError, ModelInvalid, ModelNotFound
from tests.catalog.hub_server import COMMIT, REPO, FakeHub, serving
from tests.catalog.small import gguf, parts

pytestmark = pytest.mark.network

ROOT = Path(__file__).parents[2]
BIG = "tiny-Q4_K_M.gguf"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub with one model of 300 kB in it."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    data = gguf(tmp_path / BIG).read_bytes()
    held = FakeHub({BIG: data + random.Random(1).randbytes(300_000), "README.md": b"read me"})
    held.small.add("README.md")
    with serving(held) as served:
        yield served


def open_hub(hub: FakeHub) -> Hub:
    return Hub(hub.endpoint, sleep=lambda seconds: None)


def fetched(hub: FakeHub, target: Path) -> None:
    """What one process does for the big file."""
    client = open_hub(hub)
    listing = client.list(REPO)
    client.fetch(listing, listing.files[0], target, lambda count: None)


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("point", range(20))
def test_a_cut_at_any_point(hub: FakeHub, tmp_path: Path, point: int) -> None:
    """The connection breaks and the hub stays away; the next process goes on from there."""
    data = hub.files[BIG]
    target = tmp_path / "models" / BIG
    cut = random.Random(point).randrange(len(data) * point // 20, len(data) * (point + 1) // 20)
    hub.cuts, hub.down_after_cut = [cut], True
    with pytest.raises(Cut, match=r"the same command goes on from there"):
        fetched(hub, target)
    assert not target.exists()
    kept = target.with_name(f"{BIG}.part").stat().st_size
    assert kept <= cut
    hub.down, hub.sent, asked = False, 0, len(hub.ranges)
    fetched(hub, target)
    assert hash_of(target) == hashlib.sha256(data).hexdigest()
    assert hub.ranges[asked:] == [f"bytes={kept}-" if kept else None]
    assert hub.sent == len(data) - kept  # nothing came twice
    assert [path.name for path in target.parent.iterdir()] == [BIG]


def test_most_of_what_came_before_a_cut_is_kept(hub: FakeHub, tmp_path: Path) -> None:
    hub.cuts, hub.down_after_cut = [290_000], True
    with pytest.raises(Cut):
        fetched(hub, tmp_path / BIG)
    assert (tmp_path / f"{BIG}.part").stat().st_size > 280_000


def test_many_cuts_in_one_go(hub: FakeHub, tmp_path: Path) -> None:
    size = len(hub.files[BIG])
    hub.cuts = [size * number // 12 for number in range(1, 12)]
    hub.statuses = [503, 429, 500]
    fetched(hub, tmp_path / BIG)
    assert (tmp_path / BIG).read_bytes() == hub.files[BIG]


def test_a_hub_that_stays_away_is_given_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.down = True
    with pytest.raises(Cut, match=r"cut off at 0 of .* \(the server answers 503\)"):
        fetched(hub, tmp_path / BIG)
    assert len(hub.ranges) == TRIES


def test_a_server_without_parts(hub: FakeHub, tmp_path: Path) -> None:
    """It gives the whole file whatever part is asked for: what came before does not precede it."""
    hub.cuts, hub.whole_only = [100_000], True
    fetched(hub, tmp_path / BIG)
    assert (tmp_path / BIG).read_bytes() == hub.files[BIG]


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 10_000_000])
def test_what_was_left_is_of_something_else(hub: FakeHub, tmp_path: Path, left: bytes) -> None:
    (tmp_path / f"{BIG}.part").write_bytes(left)
    if len(left) < len(hub.files[BIG]):
        with pytest.raises(ModelInvalid, match="another hash"):
            fetched(hub, tmp_path / BIG)
    fetched(hub, tmp_path / BIG)
    assert (tmp_path / BIG).read_bytes() == hub.files[BIG]


def test_a_wrong_hash_is_refused_and_removed(hub: FakeHub, tmp_path: Path) -> None:
    hub.spoil = True
    with pytest.raises(ModelInvalid, match=r"another hash than .* it was removed"):
        fetched(hub, tmp_path / "models" / BIG)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_small_file_is_held_against_gits_hash(hub: FakeHub, tmp_path: Path) -> None:
    client = open_hub(hub)
    listing = client.list(REPO)
    small = next(one for one in listing.files if one.name == "README.md")
    assert small.sha256 is None
    client.fetch(listing, small, tmp_path / "README.md", lambda count: None)
    assert (tmp_path / "README.md").read_bytes() == b"read me"
    hub.spoil = True
    with pytest.raises(ModelInvalid):
        client.fetch(listing, small, tmp_path / "again", lambda count: None)


def test_what_is_told_adds_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.cuts, hub.whole_only = [100_000], True
    told: list[int] = []
    client = open_hub(hub)
    listing = client.list(REPO)
    client.fetch(listing, listing.files[0], tmp_path / BIG, told.append)
    assert sum(told) == len(hub.files[BIG])


def test_names_that_lead_elsewhere(hub: FakeHub) -> None:
    for name in ("../out.gguf", "/etc/out.gguf", "a\\b.gguf", "a//b.gguf", "a\nb.gguf"):
        hub.files = {name: b"x"}
        with pytest.raises(ModelInvalid, match="has a file"):
            open_hub(hub).list(REPO)


def test_what_is_not_there(hub: FakeHub) -> None:
    with pytest.raises(ModelNotFound, match=r"there is no org/none at http.*HF_TOKEN"):
        open_hub(hub).list("org/none")
    with pytest.raises(ModelError, match="cannot be asked"):
        Hub("http://127.0.0.1:1").list(REPO)


def person(tmp_path: Path) -> tuple[Library, Shelf]:
    return Library(tmp_path / "data" / FILE, pytest.fail), Shelf(tmp_path / "data" / "models")


def pulled(hub: FakeHub, tmp_path: Path, quant: str | None = None) -> Entry:
    library, shelf = person(tmp_path)
    try:
        return pull(library, shelf, REPO, quant, hub=open_hub(hub))
    finally:
        library.close()


def test_a_model_is_added_once_it_is_whole(hub: FakeHub, tmp_path: Path) -> None:
    hub.cuts, hub.down_after_cut = [100_000], True
    with pytest.raises(Cut):
        pulled(hub, tmp_path)
    library, shelf = person(tmp_path)
    assert [one.how for one in library.entries()] == ["bundled"]
    shelf.sweep(lambda: [])  # what was cut off is no rubbish
    hub.down = False
    entry = pulled(hub, tmp_path)
    assert (entry.name, entry.how, entry.facts.sha256) == (
        f"{REPO}:Q4_K_M",
        "pull",
        hash_of(entry.path),
    )
    assert entry.source == f"{hub.endpoint}/{REPO} at {COMMIT[:12]}"
    assert entry.path.read_bytes() == hub.files[BIG]
    assert [path.name for path in entry.path.parent.iterdir()] == [BIG]
    asked = len(hub.ranges)
    assert pulled(hub, tmp_path) == entry  # nothing is fetched twice
    assert len(hub.ranges) == asked


def test_a_newer_commit_takes_the_old_ones_place(hub: FakeHub, tmp_path: Path) -> None:
    old = pulled(hub, tmp_path)
    hub.files[BIG] += b"newer"
    hub.commit = COMMIT[::-1]
    new = pulled(hub, tmp_path)
    assert new.name == old.name and new.path != old.path
    assert new.path.read_bytes() == hub.files[BIG] and not old.path.parent.exists()
    library, _ = person(tmp_path)
    assert len(library.entries()) == 2


def test_parts_and_quantisations(hub: FakeHub, tmp_path: Path) -> None:
    first = parts(tmp_path / "split", "tiny-Q8_0")
    for path in first.parent.iterdir():
        hub.files[f"Q8_0/{path.name}"] = path.read_bytes()
    hub.files["mmproj-tiny-F16.gguf"] = b"a projector"
    entry = pulled(hub, tmp_path, "q8_0")
    assert entry.name == f"{REPO}:Q8_0" and entry.path.name == first.name
    assert len(list(entry.path.parent.iterdir())) == 2
    assert pulled(hub, tmp_path).name == f"{REPO}:Q4_K_M"  # the usual one
    with pytest.raises(
        ModelNotFound, match=r"has no Q4_K: did you mean Q4_K_M\? It has Q4_K_M, Q8_0"
    ):
        pulled(hub, tmp_path, "Q4_K")
    del hub.files[f"Q8_0/{first.name.replace('00001-of', '00002-of')}"]
    hub.commit = COMMIT[::-1]
    with pytest.raises(ModelError, match="holds 1 of the 2 parts"):
        pulled(hub, tmp_path, "Q8_0")


def test_an_onnx_model_with_what_it_needs(hub: FakeHub, tmp_path: Path) -> None:
    from tests.engines import onnx_models

    folder = onnx_models.write(tmp_path / "onnx", onnx_models.Kind())
    hub.files = {
        f"onnx/{path.name}" if path.suffix == ".onnx" else path.name: path.read_bytes()
        for path in folder.iterdir()
    }
    hub.files["onnx/model_fp16.onnx"] = b"another variant"
    hub.files["pytorch_model.bin"] = b"not wanted"
    hub.small = {name for name in hub.files if name.endswith(".json")}
    entry = pulled(hub, tmp_path)
    assert entry.name == REPO and entry.path.is_dir()
    kept = sorted(
        str(one.relative_to(entry.path)) for one in entry.path.rglob("*") if one.is_file()
    )
    assert "onnx/model.onnx" in kept and "tokenizer.json" in kept
    assert "onnx/model_fp16.onnx" not in kept and "pytorch_model.bin" not in kept
    assert entry.facts.architecture == "llama"


def test_dropping_what_was_cut_off(hub: FakeHub, tmp_path: Path) -> None:
    hub.cuts, hub.down_after_cut = [250_000], True
    with pytest.raises(Cut):
        pulled(hub, tmp_path)
    _, shelf = person(tmp_path)
    assert drop(shelf, "org/other", None) == 0
    assert drop(shelf, REPO, None) > 100_000
    assert [one.name for one in shelf.folder.iterdir()] == [".lock"]


def command(hub: FakeHub, tmp_path: Path, *arguments: str, **variables: str) -> list[object]:
    """Arguments of `subprocess.Popen` for the program itself, with a home of its own."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "PYTHONPATH": str(ROOT),
        "HF_ENDPOINT": hub.endpoint,
        "EDGEMIND_DATA_DIR": str(tmp_path / "data"),
        **variables,
    }
    return [[sys.executable, "-m", "edgemind", "models", "pull", *arguments], environment]


def run(hub: FakeHub, tmp_path: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    line, environment = command(hub, tmp_path, *arguments, **variables)
    done = subprocess.run(
        line,  # type: ignore[call-overload]
        env=environment,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_and_a_mirror(hub: FakeHub, tmp_path: Path) -> None:
    code, out, err = run(hub, tmp_path, f"hf.co/{REPO}:q4_k_m", "--name", "t")
    assert code == 0, err
    assert out.startswith(f"{REPO}:Q4_K_M: {tmp_path}")
    library, _ = person(tmp_path)
    [_, entry] = library.entries()
    assert entry.aliases == ("t",) and entry.path.read_bytes() == hub.files[BIG]
    code, out, err = run(hub, tmp_path, REPO)
    assert (code, err) == (0, f"edgemind: {REPO}:Q4_K_M is here already\n")


def test_how_the_command_complains(hub: FakeHub, tmp_path: Path) -> None:
    for arguments, variables, code, said in (
        (["nonsense"], {}, 2, "'nonsense' is no org/repo or org/repo:QUANT"),
        ([REPO], {"HF_HUB_OFFLINE": "1"}, 2, "HF_HUB_OFFLINE is set"),
        (["org/none"], {}, 3, "there is no org/none"),
        ([f"{REPO}:Q9"], {}, 3, f"{REPO} has no Q9"),
    ):
        found = run(hub, tmp_path, *arguments, **variables)
        assert (found[0], found[1]) == (code, ""), found
        assert found[2].startswith("edgemind: ") and said in found[2] and found[2].count("\n") == 1
    hub.spoil = True
    code, out, err = run(hub, tmp_path, REPO)
    assert (code, out) == (3, "") and "another hash" in err
    assert not list((tmp_path / "data").rglob("*.gguf*"))


def test_a_process_that_is_killed(hub: FakeHub, tmp_path: Path) -> None:
    chance = random.Random(3)
    hub.files[BIG] += chance.randbytes(700_000)
    hub.seconds_per_chunk = 0.004
    line, environment = command(hub, tmp_path, REPO)
    kept = [0]
    for _ in range(3):
        process = subprocess.Popen(line, env=environment, cwd=tmp_path, stderr=subprocess.PIPE)  # type: ignore[call-overload]
        sent, until = hub.sent, time.monotonic() + 60
        while hub.sent < sent + 150_000 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        [partial] = (tmp_path / "data").rglob("*.part")
        kept.append(partial.stat().st_size)
    assert kept == sorted(kept) and kept[-1] > 0
    hub.seconds_per_chunk = 0.0
    code, _, err = run(hub, tmp_path, REPO)
    assert code == 0, err
    library, _ = person(tmp_path)
    assert library.entries()[1].path.read_bytes() == hub.files[BIG]


SPY = """
import json, sys
sys.argv = ["edgemind", *json.loads(sys.argv[1])]
from edgemind.cli.main import main
try:
    main()
finally:
    engines = {"llama_cpp", "onnxruntime", "tokenizers"}
    print(json.dumps(sorted(engines & {name.partition(".")[0] for name in sys.modules})))
"""


def test_no_engine_is_loaded_and_nothing_is_read(hub: FakeHub, tmp_path: Path) -> None:
    _, environment = command(hub, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SPY, json.dumps(["models", "pull", REPO])],
        env=environment,  # type: ignore[call-overload]
        cwd=tmp_path,
        input="a secret prompt",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r"^fetching models needs huggingface_hub: pip install '"):
        Hub()
