"""Model files: defaults they bring, damage they carry, caches that fill up; the bundled model.

What might end the process runs in one of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgemind.engines.llama import LlamaEngine
from edgemind.errors import ModelError, ModelInvalid, ModelNotFound
from edgemind.types import Sampling

ROOT = Path(__file__).parents[2]


def run_apart(script: str, *arguments: object) -> list[Any]:
    """What a script prints, as JSON lines, from a process that ends well."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", script, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


# Files that are no models


def test_missing_files_folders_and_other_files(tmp_path: Path) -> None:
    text = tmp_path / "text.gguf"
    text.write_text("hello there")
    empty = tmp_path / "empty.gguf"
    empty.touch()
    with pytest.raises(ModelNotFound, match="nothing"):
        LlamaEngine(tmp_path / "nothing.gguf")
    with pytest.raises(ModelNotFound):
        LlamaEngine(text / "inside.gguf")
    with pytest.raises(ModelInvalid, match="folder"):
        LlamaEngine(tmp_path)
    with pytest.raises(ModelInvalid, match="not a GGUF file"):
        LlamaEngine(text)
    with pytest.raises(ModelInvalid, match="not a GGUF file"):
        LlamaEngine(empty)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.gguf"
    path.write_bytes(b"GGUF")
    path.chmod(0)
    with pytest.raises(ModelError, match="cannot read"):
        LlamaEngine(path)


DAMAGED = """
import json, sys
from pathlib import Path
from edgemind.engines.llama import LlamaEngine
from edgemind.errors import ModelError

for name in sys.argv[1:]:
    try:
        LlamaEngine(Path(name), context=64, width=1, threads=1).close()
        told = ["loaded", ""]
    except ModelError as error:
        told = [type(error).__name__, str(error)]
    print(json.dumps([Path(name).stem, *told]), flush=True)
"""


def test_damaged_files(tiny: Path, tmp_path: Path) -> None:
    whole = tiny.read_bytes()
    cuts = [4, 8, 16, 24, 37, 64, 100, 1000, 5000, 10_000, len(whole) // 2, len(whole) - 1]
    damaged = {f"cut{cut}": whole[:cut] for cut in cuts}
    damaged["version"] = whole[:4] + b"\xff\xff\0\0" + whole[8:]
    damaged["name"] = whole.replace(b"qwen2", b"qwenX")
    damaged["tensor"] = whole.replace(b"blk.1.ffn_up", b"blk.1.ffn_xx")
    paths = []
    for name, content in damaged.items():
        paths.append(tmp_path / f"{name}.gguf")
        paths[-1].write_bytes(content)
    told = run_apart(DAMAGED, *paths)
    assert [(name, kind) for name, kind, _ in told] == [(n, "ModelInvalid") for n in damaged]
    for _, _, message in told:
        assert "\n" not in message
        reason = message.rpartition(": ")[2]
        assert len(reason) > 5, f"says nothing: {message}"


LOADED = """
import json, sys
import edgemind

for name in sys.argv[1:]:
    try:
        edgemind.load(name, context=64, width=1, threads=1).close()
        told = ["loaded", ""]
    except edgemind.ModelError as error:
        told = [type(error).__name__, str(error)]
    print(json.dumps(told), flush=True)
"""


def test_a_file_with_one_token_twice(tiny: Path, tmp_path: Path) -> None:
    """llama.cpp would abort: `load` looks at the file first."""
    length = (2).to_bytes(8, "little")
    path = tmp_path / "twice.gguf"
    path.write_bytes(tiny.read_bytes().replace(length + b"eo", length + b"et", 1))
    [[kind, message]] = run_apart(LOADED, path)
    assert kind == "ModelInvalid"
    assert "token 'et' is number 257 and 259 of its vocabulary" in message


def test_a_file_name_that_is_no_text(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"m\xff.gguf")
    try:
        path.write_bytes(tiny.read_bytes())
    except OSError:
        pytest.skip("this file system wants text")
    LlamaEngine(path, context=64, width=1, threads=1).close()


# What a file says of itself


def test_what_the_file_says(tiny: Path) -> None:
    engine = LlamaEngine(tiny, context=100_000, width=2, threads=1)
    try:
        info = engine.info
        assert (info.name, info.architecture, info.context_length) == ("random", "qwen2", 2048)
        assert engine.context_length == 2048, "the model's own bound applies"
        assert engine.device == "cpu:1"
        assert info.template is not None and "im_start" in info.template
        assert (info.bos_text, info.eos_text) == ("<|endoftext|>", "<|im_end|>")
        assert info.sampling == Sampling()
        assert info.bytes > 0 and info.parameters > 0
        assert {"<|im_start|>", "<|im_end|>"} <= set(engine.vocabulary.specials)
        assert engine.vocabulary.bos is None
    finally:
        engine.close()


def test_sampling_defaults_of_the_file(written_with: Callable[..., Path]) -> None:
    path = written_with(
        general__sampling__temp=0.0,
        general__sampling__top_k=7,
        general__sampling__top_p=0.5,
        general__sampling__min_p=0.25,
        general__sampling__penalty_repeat=1.5,
        general__sampling__penalty_last_n=33,
        edgemind__answer_cue="\n#### ",
    )
    engine = LlamaEngine(path, context=256, width=2, threads=1)
    try:
        sampling = engine.info.sampling
        assert (sampling.temperature, sampling.top_k, sampling.top_p) == (0.0, 7, 0.5)
        assert (sampling.min_p, sampling.repeat_penalty) == (0.25, 1.5)
        assert sampling.repeat_last_n == 33
        assert engine.info.answer_cue == "\n#### "
        # An explicit 0 is not "absent": this model draws greedily, whatever the seed.
        said = []
        for seed in (1, 2):
            branch = engine.prefill([40, 41, 42], Sampling(seed=seed))
            said.append([engine.step([branch])[0].id for _ in range(6)])
            engine.drop(branch)
        assert said[0] == said[1]
        assert len(set(said[0])) > 1, "repetition is penalised"
    finally:
        engine.close()


@pytest.mark.parametrize("value", ["nan", "inf", "much", ""])
def test_defaults_that_are_no_numbers_count_as_absent(
    written_with: Callable[..., Path], value: str
) -> None:
    path = written_with(general__sampling__top_k=value, general__sampling__temp=value)
    engine = LlamaEngine(path, context=64, width=1, threads=1)
    assert (engine.info.sampling.top_k, engine.info.sampling.temperature) == (None, None)
    engine.close()


def test_text_goes_in_and_out_unchanged(tiny: Path) -> None:
    engine = LlamaEngine(tiny, context=64, width=1, threads=1)
    vocabulary = engine.vocabulary
    try:
        for text in ("", "hello there", "é🙂\n\t 42", "<|im_end|>", "a\0b", "x" * 5000):
            for special in (False, True):
                assert vocabulary.decode(vocabulary.encode(text, special)) == text
        assert len(vocabulary.encode("<|im_end|>", True)) == 1
        assert len(vocabulary.encode("<|im_end|>", False)) > 1
        assert vocabulary.encode("\ud800", False) == vocabulary.encode("?", False)
        assert vocabulary.text_of(-1) == vocabulary.text_of(10**6) == ""
    finally:
        engine.close()


# Caches that fill up

FULL = """
import json, sys
from pathlib import Path
from edgemind.engines.llama import LlamaEngine
from edgemind.errors import ContextFull
from edgemind.types import Sampling

greedy = Sampling(temperature=0.0)
for mode in ("unified", "split"):
    engine = LlamaEngine(Path(sys.argv[1]), context=200, width=6, threads=1, cache=mode)
    # Five prompts of their own need 5 x 190 cells; a unified cache has 200 + 6 x 50 of them.
    branches, refused = [], 0
    for start in range(5):
        try:
            branches.append(engine.prefill([start * 100 + i % 90 for i in range(190)], greedy))
        except ContextFull:
            refused += 1
    steps, full = 0, None
    while full is None:
        try:
            engine.step(branches)
            steps += 1
        except ContextFull as error:
            full = str(error)
    lengths = [len(branch.tokens) - branch.evaluated for branch in branches]
    survivors = len(branches)
    for branch in branches[1:]:
        engine.drop(branch)
    try:
        engine.step(branches[:1])
        alone = "stepped"
    except ContextFull as error:
        alone = "full"
    engine.drop(branches[0], keep=True)
    again = engine.prefill([7] * 190, greedy)
    engine.step([again])
    children = engine.fork(again, [greedy] * 6)
    width = len(engine.step(children))
    engine.close()
    print(json.dumps([mode, refused, survivors, steps, lengths, alone, width]))
"""


def test_a_full_cache_never_ends_the_process(tiny: Path) -> None:
    unified, split = run_apart(FULL, tiny)
    assert unified[0] == "unified" and unified[1] >= 1
    assert split[:4] == ["split", 0, 5, 10]
    for _, _, survivors, _, lengths, _, width in (unified, split):
        assert lengths == [1] * survivors, "a step that is refused changes nothing"
        assert width == 6


SHORT = """
import json, sys
from pathlib import Path
from edgemind.engines.llama import LlamaEngine
from edgemind.types import Sampling

for context, width, mode in ((1, 16, "unified"), (2, 16, "unified"), (3, 4, "split")):
    engine = LlamaEngine(Path(sys.argv[1]), context=context, width=width, threads=1, cache=mode)
    tokens = []
    if context > 1:
        branch = engine.prefill([5], Sampling(seed=1))
        tokens = engine.step([branch])
    engine.close()
    print(json.dumps(len(tokens)))
"""


def test_a_context_shorter_than_it_is_wide(tiny: Path) -> None:
    assert run_apart(SHORT, tiny) == [0, 1, 1]


# The bundled model


def test_the_bundled_model_says_what_it_is(nano: Path) -> None:
    engine = LlamaEngine(nano, threads=1, width=2, context=512)
    try:
        assert "nano" in engine.info.name.lower()
        assert engine.info.template
        ends = [t for t in range(engine.vocabulary.size) if engine.vocabulary.is_end(t)]
        assert ends
    finally:
        engine.close()
