"""Fake homes laid out as each program does: every model is found once, and nothing is touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgemind.catalog.finding import find_model
from edgemind.catalog.places import all_places, everything
from edgemind.catalog.places.base import quantisation
from edgemind.catalog.scan import Candidate, scan
from edgemind.errors import ModelNotFound
from tests.catalog.small import adapter, gguf, parts, vocabulary
from tests.engines import onnx_models

Home = Callable[[Path], dict[str, str]]
"""Lays a home out; what scan has to find there: name → file."""


def blob_name(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def hub_file(cache: Path, repo: str, revision: str, name: str, made: Path) -> Path:
    """Put a file into the cache as huggingface_hub does: a blob, and a link in a snapshot."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    blob = folder / "blobs" / blob_name(made)
    blob.parent.mkdir(parents=True, exist_ok=True)
    made.rename(blob)
    link = folder / "snapshots" / revision / name
    link.parent.mkdir(parents=True, exist_ok=True)
    up = "../" * (len(Path(name).parts) + 1)
    link.symlink_to(f"{up}blobs/{blob.name}")
    return link


OLD, NEW = "a" * 40, "b" * 40


def huggingface(home: Path) -> dict[str, str]:
    cache = home / ".cache" / "huggingface" / "hub"
    work = home / "work"
    new = hub_file(cache, "org/m-GGUF", NEW, "m-Q4_K_M.gguf", gguf(work / "m-Q4_K_M.gguf"))
    other = hub_file(cache, "org/m-GGUF", NEW, "m-Q8_0.gguf", gguf(work / "m-Q8_0.gguf"))
    snapshots = new.parents[1]
    (snapshots / OLD).mkdir()
    # An older revision leads to the same blob, and has one of its own that was replaced since.
    (snapshots / OLD / "m-Q4_K_M.gguf").symlink_to(f"../../blobs/{new.resolve().name}")
    (snapshots.parent / "refs").mkdir()
    (snapshots.parent / "refs" / "main").write_text(NEW)
    (snapshots / NEW / "gone-Q2_K.gguf").symlink_to("../../blobs/gone")
    (new.resolve().with_name("half.incomplete")).write_bytes(b"GGUF")
    for name in ("mmproj-m-F16.gguf",):
        hub_file(cache, "org/m-GGUF", NEW, name, gguf(work / name))
    split = parts(work / "split", "big-Q6_K")
    for part in sorted(split.parent.iterdir()):
        hub_file(cache, "org/big-GGUF", NEW, f"Q6_K/{part.name}", part)
    first = cache / "models--org--big-GGUF" / "snapshots" / NEW / "Q6_K" / split.name
    plain = hub_file(cache, "org/no-quant", NEW, "weights.gguf", gguf(work / "weights.gguf"))
    folder = onnx_models.write(work / "onnx", onnx_models.Kind())
    config = json.loads((folder / "config.json").read_text()) | {"architectures": ["XForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(config))
    for path in sorted(folder.iterdir()):
        inside = f"onnx/{path.name}" if path.suffix == ".onnx" else path.name
        hub_file(cache, "onnx-community/tiny", NEW, inside, path)
    # An encoder, and a repository without models.
    hub_file(cache, "org/bert", NEW, "model.onnx", gguf(work / "b"))
    hub_file(cache, "org/bert", NEW, "config.json", gguf(work / "c"))
    (cache / "models--org--empty" / "snapshots").mkdir(parents=True)
    (cache / "version.txt").write_text("1")
    return {
        "org/m-GGUF:Q4_K_M": str(new),
        "org/m-GGUF:Q8_0": str(other),
        "org/big-GGUF:Q6_K": str(first),
        "org/no-quant": str(plain),
        "onnx-community/tiny": str(cache / "models--onnx-community--tiny" / "snapshots" / NEW),
    }


def ollama(home: Path) -> dict[str, str]:
    store = home / ".ollama" / "models"
    found = {}
    for name, mark in (("library/qwen2.5/0.5b", "-"), ("someone/own/latest", ":")):
        made = gguf(home / "work" / f"{name.replace('/', '-')}.gguf")
        digest = blob_name(made)
        blob = store / "blobs" / f"sha256{mark}{digest}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        made.rename(blob)
        layers = [
            {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:" + "0" * 64},
            {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"},
        ]
        manifest = store / "manifests" / "registry.ollama.ai" / name
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps({"schemaVersion": 2, "layers": layers}))
        shown = name.removeprefix("library/")
        found[":".join(shown.rsplit("/", 1))] = str(blob)
    # The same blob by a second tag, one that is gone, one that is no manifest.
    same = store / "manifests" / "registry.ollama.ai" / "library" / "qwen2.5"
    (same / "latest").write_text((same / "0.5b").read_text())
    (same / "gone").write_text(
        json.dumps({"layers": [{**layers[1], "digest": "sha256:" + "1" * 64}]})
    )
    (same / "broken").write_text("{")
    (same / "list").write_text("[1, 2]")
    return found


def lmstudio(home: Path) -> dict[str, str]:
    models = home / ".lmstudio" / "models"
    one = gguf(models / "pub" / "Model-GGUF" / "model-Q4_K_M.gguf")
    gguf(models / "pub" / "Model-GGUF" / "mmproj-model-f16.gguf")
    (models / "pub" / "Model-GGUF" / "downloading_other.gguf").write_bytes(b"GGUF")
    moved = home / "disk" / "lm"
    (home / ".lmstudio" / "settings.json").write_text(json.dumps({"downloadsFolder": str(moved)}))
    two = gguf(moved / "pub" / "Second" / "second.gguf")
    linked = home / "elsewhere" / "Third"
    three = gguf(linked / "third-Q5_0.gguf")
    (models / "pub" / "Third").symlink_to(linked)
    return {
        "pub/Model-GGUF:Q4_K_M": str(one),
        "pub/Second": str(two),
        "pub/Third:Q5_0": str(models / "pub" / "Third" / three.name),
    }


def gpt4all(home: Path) -> dict[str, str]:
    app = home / ".local" / "share" / "nomic.ai" / "GPT4All"
    (app / "localdocs_v3.db").parent.mkdir(parents=True)
    (app / "incomplete-big.Q4_0.gguf").write_bytes(b"GGUF")
    (app / "old-model.bin").write_bytes(b"ggml")
    return {
        "Llama-3.2-1B.Q4_0": str(gguf(app / "Llama-3.2-1B.Q4_0.gguf")),
        "orca": str(gguf(home / ".cache" / "gpt4all" / "orca.gguf")),
    }


def jan(home: Path) -> dict[str, str]:
    data = home / ".config" / "Jan" / "data"
    models = data / "llamacpp" / "models"
    inside = gguf(models / "org" / "jan-nano" / "model.gguf", "jan")
    (inside.parent / "model.yml").write_text(
        "name: Jan nano\nmodel_path: llamacpp/models/org/jan-nano/model.gguf\nsize_bytes: 1\n"
    )
    outside = gguf(home / "Downloads" / "mine-Q8_0.gguf")
    (models / "imported").mkdir()
    (models / "imported" / "model.yml").write_text(f'model_path: "{outside}"\n')
    (models / "gone").mkdir()
    (models / "gone" / "model.yml").write_text("model_path: /no/such.gguf\n")
    older = gguf(data / "models" / "tinyllama" / "tiny.gguf")
    return {"org/jan-nano": str(inside), "imported": str(outside), "tinyllama": str(older)}


def llamacpp(home: Path) -> dict[str, str]:
    cache = home / ".cache" / "llama.cpp"
    new = gguf(cache / "ggml-org_gemma-GGUF_gemma-Q4_K_M.gguf")
    (cache / "manifest=ggml-org=gemma-GGUF=latest.json").write_text('{"ggufFile": {}}')
    gguf(cache / "ggml-org_gemma-GGUF_mmproj-model-f16.gguf")
    (cache / "ggml-org_gemma-GGUF_other.gguf.downloadInProgress").write_bytes(b"GGUF")
    old = gguf(cache / "old-Q8_0.gguf")
    url = "https://huggingface.co/org/old-GGUF/resolve/main/old-Q8_0.gguf"
    (cache / "old-Q8_0.gguf.json").write_text(json.dumps({"url": url, "etag": "x"}))
    by_url = gguf(cache / "plain.gguf")
    return {
        "ggml-org/gemma-GGUF:Q4_K_M": str(new),
        "org/old-GGUF:Q8_0": str(old),
        "plain": str(by_url),
    }


def llm(home: Path) -> dict[str, str]:
    plugin = home / ".config" / "io.datasette.llm" / "gguf"
    fetched = gguf(plugin / "models" / "Llama-3.1-8B-Q4_K_M.gguf")
    own = gguf(home / "Documents" / "own.gguf")
    models = {
        "gguf/Llama-3.1-8B-Q4_K_M": {"path": str(fetched), "aliases": ["l31"]},
        "own": {"path": str(own)},
        "gone": {"path": "/no/such.gguf"},
        "odd": 5,
    }
    (plugin / "models.json").write_text(json.dumps(models))
    return {"gguf/Llama-3.1-8B-Q4_K_M": str(fetched), "own": str(own)}


HOMES: dict[str, Home] = {
    "huggingface": huggingface,
    "ollama": ollama,
    "lmstudio": lmstudio,
    "gpt4all": gpt4all,
    "jan": jan,
    "llamacpp": llamacpp,
    "llm": llm,
}


def tree(folder: Path) -> dict[str, object]:
    """Everything in a folder: kind, content, times, rights."""
    seen: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        known = path.lstat()
        content: object = None
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
        seen[str(path)] = (known.st_mode, known.st_mtime_ns, known.st_ctime_ns, content)
    return seen


def usable(found: list[Candidate]) -> dict[str, str]:
    assert len({one.found.path for one in found}) == len(found)
    return {one.found.name: str(one.found.path) for one in found if not one.problem}


def test_every_program_has_a_home_here() -> None:
    assert set(all_places()) == set(HOMES)


@pytest.mark.parametrize("program", HOMES)
def test_each_program(program: str, tmp_path: Path) -> None:
    expected = HOMES[program](tmp_path)
    before = tree(tmp_path)
    found = scan(tmp_path, {})
    assert usable(found) == expected
    assert {one.found.program for one in found} == {program}
    assert tree(tmp_path) == before


def test_all_at_once(tmp_path: Path) -> None:
    expected: dict[str, str] = {}
    for lay_out in HOMES.values():
        expected |= lay_out(tmp_path)
    before = tree(tmp_path)
    assert usable(scan(tmp_path, {})) == expected
    assert tree(tmp_path) == before


def test_a_folder_without_rights_and_odd_files(tmp_path: Path) -> None:
    lmstudio(tmp_path)
    (tmp_path / ".lmstudio" / "settings.json").write_bytes(b"\xff\xfe{")
    (tmp_path / ".lmstudio-home-pointer").write_bytes(b"\xff")
    (tmp_path / ".ollama").write_text("a file where a folder should be")
    shut = tmp_path / ".cache" / "gpt4all"
    shut.mkdir(parents=True)
    shut.chmod(0)
    try:
        assert "pub/Model-GGUF:Q4_K_M" in usable(scan(tmp_path, {}))
    finally:
        shut.chmod(0o700)


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    folder = gguf(tmp_path / ".lmstudio" / "models" / "a" / "b" / "c.gguf").parent
    (folder / "again").symlink_to(tmp_path / ".lmstudio" / "models")
    assert len(scan(tmp_path, {})) == 1


def test_what_is_no_language_model_is_told_apart(tmp_path: Path) -> None:
    app = tmp_path / ".cache" / "gpt4all"
    adapter(app / "lora.gguf")
    vocabulary(app / "vocabulary.gguf")
    (app / "broken.gguf").write_bytes(b"GGUF\x03")
    parts(app, "half").with_name("half-00002-of-00002.gguf").unlink()
    found = {one.found.name: one.problem for one in scan(tmp_path, {})}
    assert set(found) == {"lora", "vocabulary", "broken", "half"}
    assert "not a language model but a 'adapter'" in found["lora"]
    assert "holds no weights" in found["vocabulary"]
    assert "not a sound GGUF file" in found["broken"]
    assert "is missing" in found["half"]


def test_one_model_by_several_programs(tmp_path: Path) -> None:
    """A hard link, a link and a blob of the same hash are one model, named by the first."""
    first = gguf(tmp_path / "m.gguf")
    digest = blob_name(first)
    cache = tmp_path / ".cache" / "huggingface" / "hub"
    link = hub_file(cache, "org/m", NEW, "m-Q4_0.gguf", first)
    studio = tmp_path / ".lmstudio" / "models" / "org" / "m" / "m-Q4_0.gguf"
    studio.parent.mkdir(parents=True)
    studio.hardlink_to(link.resolve())
    other = tmp_path / ".cache" / "gpt4all" / "linked.gguf"
    other.parent.mkdir(parents=True)
    other.symlink_to(studio)
    store = tmp_path / ".ollama" / "models"
    (store / "blobs").mkdir(parents=True)
    (store / "blobs" / f"sha256-{digest}").write_bytes(link.read_bytes())
    manifest = store / "manifests" / "registry.ollama.ai" / "library" / "m" / "latest"
    manifest.parent.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}"}
    manifest.write_text(json.dumps({"layers": [layer]}))
    [one] = scan(tmp_path, {})
    assert (one.found.program, one.found.name) == ("huggingface", "org/m:Q4_0")
    assert [way.program for way in one.also] == ["ollama", "lmstudio", "gpt4all"]
    assert one.found.sha256 == digest


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"HF_HUB_CACHE": "x/a", "HUGGINGFACE_HUB_CACHE": "x/b"}, "x/a"),
        ({"HUGGINGFACE_HUB_CACHE": "x/b", "HF_HOME": "x/c"}, "x/b"),
        ({"HF_HOME": "x/c", "XDG_CACHE_HOME": "x/d"}, "x/c/hub"),
        ({"XDG_CACHE_HOME": "x/d"}, "x/d/huggingface/hub"),
        ({"OLLAMA_MODELS": "x/o"}, None),
        ({"LLAMA_CACHE": "x/l"}, None),
    ],
)
def test_variables_move_the_folders(
    tmp_path: Path, variables: dict[str, str], place: str | None
) -> None:
    given = {name: str(tmp_path / value) for name, value in variables.items()}
    if place is not None:
        made = gguf(tmp_path / "m-Q4_0.gguf")
        hub_file(tmp_path / place, "org/m", NEW, "m-Q4_0.gguf", made)
        assert [one.name for one in everything(tmp_path, given)] == ["org/m:Q4_0"]
    elif "OLLAMA_MODELS" in given:
        ollama(tmp_path)
        (tmp_path / ".ollama" / "models").rename(tmp_path / "x-o")
        given["OLLAMA_MODELS"] = str(tmp_path / "x-o")
        assert {one.name for one in everything(tmp_path, given)} >= {"qwen2.5:0.5b"}
    else:
        gguf(tmp_path / "x" / "l" / "m.gguf")
        assert [one.name for one in everything(tmp_path, given)] == ["m"]


@pytest.mark.parametrize(
    ("stem", "quant"),
    [
        ("m-Q4_K_M", "Q4_K_M"),
        ("m.q8_0", "Q8_0"),
        ("m-IQ3_XXS-00001-of-00003", "IQ3_XXS"),
        ("m-UD-Q4_K_XL", "UD-Q4_K_XL"),
        ("m-BF16", "BF16"),
        ("gpt-oss-20b-mxfp4", "MXFP4"),
        ("Qwen2.5-7B", None),
        ("model", None),
    ],
)
def test_quantisations_by_name(stem: str, quant: str | None) -> None:
    assert quantisation(stem) == quant


def test_names_of_other_programs_can_be_used(tmp_path: Path) -> None:
    hub, store = huggingface(tmp_path), ollama(tmp_path)

    def path(text: str) -> str:
        return str(find_model(text, [], lambda: everything(tmp_path, {})).path)

    assert path("org/m-GGUF:Q8_0") == path("ORG/m-gguf:q8_0") == hub["org/m-GGUF:Q8_0"]
    assert path("org/m-GGUF") == hub["org/m-GGUF:Q4_K_M"]  # the usual one
    assert path("qwen2.5:0.5b") == path("qwen2.5") == store["qwen2.5:0.5b"]
    assert path("someone/own") == store["someone/own:latest"]
    with pytest.raises(ModelNotFound, match=r"called 'org/m-GGUF:Q3_K': did you mean org/m-GGUF:Q"):
        path("org/m-GGUF:Q3_K")
