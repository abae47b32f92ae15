"""The recipe at toy size: generate, train a few steps, export twice, run in both libraries."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gguf")
pytest.importorskip("onnx")
pytest.importorskip("tokenizers")

STEPS = 20
QUESTION = "What is 12 + 7?"


@dataclass(frozen=True, slots=True)
class Toy:
    run: Path
    gguf: Path


def trainer(out: Path, steps: int, start: Path | None = None) -> Any:
    import train

    begun = f"--start {start} " if start else ""
    options = train.parse(
        f"{begun}--out {out} --minutes 5 --steps {steps} --no-compile --cpu --layers 1 "
        "--hidden 256 --vocabulary 400 --batch-tokens 1024 --documents 600 --validate-each 1 "
        "--threads 1 --save-seconds 3600".split()
    )
    return train.Trainer(options)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    from export_gguf import export_gguf
    from nano_tokenizer import train_tokenizer

    run = tmp_path_factory.mktemp("nano")
    train_tokenizer(400, problems=500).save(str(run / "tokenizer.json"))
    trainer(run, STEPS).run()
    gguf = run / "toy.gguf"
    facts = export_gguf(run, gguf, "f32")
    assert facts["bytes"] == gguf.stat().st_size
    return Toy(run, gguf)


@pytest.fixture(scope="module")
def engine(toy: Toy) -> Any:
    from llama_cpp import Llama

    return Llama(str(toy.gguf), n_ctx=256, n_threads=1, logits_all=True, verbose=False)


def torch_side(run: Path) -> tuple[Any, Any]:
    from tokenizers import Tokenizer

    from nano_model import ModelConfig, NanoModel

    saved = torch.load(run / "checkpoint.pt", weights_only=True)
    model = NanoModel(ModelConfig(**saved["config"])).eval()
    model.load_state_dict(saved["average"])
    return model, Tokenizer.from_file(str(run / "tokenizer.json"))


def question() -> Any:
    from problems import Problem

    return Problem(QUESTION, "", "19", "add", "easy")


def test_the_loss_falls_and_a_restart_goes_on(toy: Toy, tmp_path: Path) -> None:
    first, *_, last = _records(toy.run)
    assert first["step"] == STEPS
    assert last["event"] == "finished" and "easy" in last
    copy = shutil.copytree(toy.run, tmp_path / "run")
    again = trainer(copy, 2 * STEPS)
    assert again.progress.step == STEPS
    again.run()
    second = _records(copy)[-2]
    # At first a tied head repeats what it reads: worse than guessing, log(2048) = 7.6.
    assert second["step"] == 2 * STEPS and second["loss"] < min(7.6, first["loss"] - 2)


def _records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def test_a_decay_file_starts_the_fall(toy: Toy, tmp_path: Path) -> None:
    some = trainer(shutil.copytree(toy.run, tmp_path / "run"), STEPS)
    some.options.decay_file = tmp_path / "decay"
    some.progress.seconds = 30.0
    some.options.decay_file.write_text("2")
    some.check_decay_file()
    assert not some.options.decay_file.exists()
    assert (some.progress.decay_start, some.progress.decay_end) == (30.0, 150.0)
    some.progress.seconds = 90.0
    assert some.fall() == pytest.approx(0.5)
    # Asked again, it goes on from the rate it has reached.
    some.options.decay_file.write_text("3")
    some.check_decay_file()
    assert some.fall() == pytest.approx(0.5)
    assert some.progress.decay_end == 270.0


def test_llama_cpp_computes_the_same_logits(toy: Toy, engine: Any) -> None:
    import numpy as np

    from nano_decode import prompt_ids

    model, tokenizer = torch_side(toy.run)
    ids = prompt_ids(tokenizer, question())
    with torch.no_grad():
        ours = model(torch.tensor([ids]))[0].numpy()
    engine.reset()
    engine.eval(ids)
    theirs = np.asarray(engine.scores[: len(ids)])
    # llama.cpp keeps keys and values in half precision.
    assert np.abs(ours - theirs).max() < 0.02 * max(1.0, np.abs(ours).max())


def test_the_template_in_the_file_renders_the_training_format(toy: Toy, engine: Any) -> None:
    from nano_decode import TorchDecoder, decode_problems

    model, tokenizer = torch_side(toy.run)
    ours = decode_problems(TorchDecoder(model), tokenizer, [question()])[0]
    reply = engine.create_chat_completion(
        [{"role": "user", "content": QUESTION}], temperature=0.0, max_tokens=12
    )
    theirs = reply["choices"][0]["message"]["content"]
    assert theirs and ours.startswith(theirs[: len(ours)])


def test_metadata(engine: Any) -> None:
    data = engine.metadata
    assert data["general.name"] == "edgemind-nano"
    assert data["general.license"] == "apache-2.0"
    assert data["tokenizer.ggml.add_bos_token"] == "false"
    assert float(data["general.sampling.temp"]) > 0


def test_the_file_names_the_skills_of_the_run(toy: Toy, engine: Any, tmp_path: Path) -> None:
    import evaluate
    from nano_skills import skills_of
    from problems import FIRST_SKILLS, SKILLS

    assert (
        engine.metadata["edgemind.skills"].split(",") == list(SKILLS) == list(skills_of(toy.gguf))
    )
    assert evaluate.chosen_skills([], None, toy.run) == tuple(SKILLS)
    # A checkpoint from before skills were named has the first ones; a restart keeps them.
    run = shutil.copytree(toy.run, tmp_path / "run")
    saved = torch.load(run / "checkpoint.pt", weights_only=True)
    del saved["skills"]
    torch.save(saved, run / "checkpoint.pt")
    assert set(evaluate.chosen_skills([], None, run)) == set(FIRST_SKILLS)
    assert set(trainer(run, STEPS).weights) == set(FIRST_SKILLS)


def test_tokenizers_agree(toy: Toy, engine: Any) -> None:
    from tokenizers import Tokenizer

    from nano_fuzz import first_difference

    tokenizer = Tokenizer.from_file(str(toy.run / "tokenizer.json"))
    assert first_difference(tokenizer, engine, 10000, 1) is None
    digits = tokenizer.encode("a 1234").tokens
    assert digits[-4:] == list("1234")


def decoders(toy: Toy) -> dict[str, Any]:
    """The torch model and both ONNX exports of it."""
    from export_onnx import FILES, export_onnx
    from nano_decode import TorchDecoder
    from onnx_decode import OnnxDecoder

    found: dict[str, Any] = {"torch": TorchDecoder(torch_side(toy.run)[0])}
    for kind, name in FILES.items():
        export_onnx(toy.run, toy.run / "onnx", kind)
        found[kind] = OnnxDecoder(toy.run / "onnx", name, threads=1)
    return found


def test_padding_and_batching_change_no_answer(toy: Toy) -> None:
    from nano_decode import decode, prompt_ids

    _, tokenizer = torch_side(toy.run)
    one = prompt_ids(tokenizer, question())
    long = prompt_ids(tokenizer, question()) * 3
    for name, decoder in decoders(toy).items():
        alone = decode(decoder, tokenizer, [one], limit=10)[0]
        assert decode(decoder, tokenizer, [long, one], limit=10)[1] == alone, name


def test_onnx_computes_the_same_logits(toy: Toy) -> None:
    import torch as torch_again

    from nano_decode import prompt_ids

    _, tokenizer = torch_side(toy.run)
    ids = torch_again.tensor([prompt_ids(tokenizer, question())])
    seen = torch_again.ones(1, ids.shape[1] + 4, dtype=torch_again.bool)
    first = {name: decoder.begin(ids, seen) for name, decoder in decoders(toy).items()}
    assert (first["torch"] - first["f32"]).abs().max() < 1e-4
    assert (first["torch"] - first["q8"]).abs().max() < 0.1 * first["torch"].abs().max()


def test_the_onnx_folder_is_complete_and_needs_no_other_library(toy: Toy) -> None:
    import onnx

    from export_onnx import export_onnx

    out = toy.run / "folder"
    sizes = export_onnx(toy.gguf, out, "q8")
    assert set(sizes) == {"config.json", "generation_config.json", "model_quantized.onnx",
                          "tokenizer.json", "tokenizer_config.json"}  # fmt: skip
    assert json.loads((out / "config.json").read_text())["model_type"] == "llama"
    settings = json.loads((out / "tokenizer_config.json").read_text())
    assert "add_generation_prompt" in settings["chat_template"]
    model = onnx.load(str(out / "model_quantized.onnx"))
    names = [entry.name for entry in model.graph.input]
    assert names[:3] == ["input_ids", "attention_mask", "position_ids"]
    assert names[3:] == ["past_key_values.0.key", "past_key_values.0.value"]
    assert {node.domain for node in model.graph.node} <= {"", "com.microsoft"}


def test_eight_bits_are_those_of_the_gguf_file(toy: Toy) -> None:
    import numpy as np
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize, quantize

    from onnx_graph import eight_bit_blocks

    matrix = np.random.default_rng(1).normal(size=(6, 64)).astype(np.float32)
    matrix[2] = 0
    scales, quants = eight_bit_blocks(matrix)
    ours = (quants.astype(np.float32) - 128) * scales.reshape(6, 2, 1)
    kind = GGMLQuantizationType.Q8_0
    assert np.array_equal(ours.reshape(6, 64), dequantize(quantize(matrix, kind), kind))


def test_both_exports_give_the_same_greedy_answers(toy: Toy) -> None:
    import itertools

    from check_exports import compare
    from problems import Split, stratified

    problems = list(itertools.islice(stratified(Split.HELD_OUT, 1, ["add", "units"]), 6))
    pairs = compare(toy.run, problems)
    assert [pair.problem for pair in pairs] == problems
    assert all(pair.same and pair.gguf for pair in pairs)
    assert max(pair.gap for pair in pairs) < 1e-3


def test_a_run_may_start_from_a_finished_file(toy: Toy, tmp_path: Path) -> None:
    from nano_checkpoint import load_checkpoint

    again = trainer(tmp_path / "run", STEPS, toy.gguf)
    before, ours = load_checkpoint(toy.run), again.model.state_dict()
    assert all((ours[name].numpy() == array).all() for name, array in before.weights.items())
    tokenizer = torch_side(toy.run)[1]
    for text in ("Tom has 12 apples.", "<|im_start|>x", "né 7"):
        assert again.tokenizer.encode(text).ids == tokenizer.encode(text).ids
    again.save()
    kept = load_checkpoint(tmp_path / "run")
    assert kept.tokens == round(before.tokens, -5)  # the file gives tenths of a million


@pytest.mark.parametrize("quantisation", ["q8_0", "q4_0"])
def test_quantised_files_load_and_answer(toy: Toy, quantisation: str) -> None:
    from llama_cpp import Llama

    from export_gguf import export_gguf

    out = toy.run / f"{quantisation}.gguf"
    facts = export_gguf(toy.run, out, quantisation)
    assert facts["bytes"] < toy.gguf.stat().st_size / 2
    model = Llama(str(out), n_ctx=64, n_threads=1, verbose=False)
    assert model.create_completion("7 + 5", max_tokens=2)["usage"]["completion_tokens"] > 0


def test_a_missing_checkpoint_is_one_clear_line(tmp_path: Path) -> None:
    from export_gguf import export_gguf

    with pytest.raises(SystemExit, match="no checkpoint at"):
        export_gguf(tmp_path, tmp_path / "x.gguf")
