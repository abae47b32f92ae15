"""The recipe at toy size: generate, train a few steps, export, run in llama.cpp."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("gguf")
pytest.importorskip("tokenizers")

STEPS = 20
QUESTION = "What is 12 + 7?"


@dataclass(frozen=True, slots=True)
class Toy:
    run: Path
    gguf: Path


def trainer(out: Path, steps: int) -> Any:
    import train

    options = train.parse(
        f"--out {out} --minutes 5 --steps {steps} --no-compile --cpu --layers 1 --hidden 256 "
        "--vocabulary 400 --batch-tokens 1024 --documents 600 --validate-each 1 --threads 1 "
        "--save-seconds 3600".split()
    )
    return train.Trainer(options)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    from export import export
    from nano_tokenizer import train_tokenizer

    run = tmp_path_factory.mktemp("nano")
    train_tokenizer(400, problems=500).save(str(run / "tokenizer.json"))
    trainer(run, STEPS).run()
    gguf = run / "toy.gguf"
    facts = export(run, gguf, "f32")
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
    records = [json.loads(line) for line in (toy.run / "log.jsonl").read_text().splitlines()]
    assert records[0]["step"] == STEPS and records[0]["loss"] < 6.0
    assert records[-1]["event"] == "finished" and "easy" in records[-1]
    copy = shutil.copytree(toy.run, tmp_path / "run")
    again = trainer(copy, STEPS + 3)
    assert again.progress.step == STEPS
    again.run()
    assert again.progress.step == STEPS + 3


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
    from nano_decode import decode_problems

    model, tokenizer = torch_side(toy.run)
    ours = decode_problems(model, tokenizer, [question()])[0]
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


def test_tokenizers_agree(toy: Toy, engine: Any) -> None:
    from tokenizers import Tokenizer

    from nano_fuzz import first_difference

    tokenizer = Tokenizer.from_file(str(toy.run / "tokenizer.json"))
    assert first_difference(tokenizer, engine, 10000, 1) is None
    digits = tokenizer.encode("a 1234").tokens
    assert digits[-4:] == list("1234")


def test_padding_and_batching_change_no_answer(toy: Toy) -> None:
    from nano_decode import decode, prompt_ids

    model, tokenizer = torch_side(toy.run)
    one = prompt_ids(tokenizer, question())
    long = prompt_ids(tokenizer, question()) * 3
    alone = decode(model, tokenizer, [one], limit=10)[0]
    assert decode(model, tokenizer, [long, one], limit=10)[1] == alone


@pytest.mark.parametrize("quantisation", ["q8_0", "q4_0"])
def test_quantised_files_load_and_answer(toy: Toy, quantisation: str) -> None:
    from llama_cpp import Llama

    from export import export

    out = toy.run / f"{quantisation}.gguf"
    facts = export(toy.run, out, quantisation)
    assert facts["bytes"] < toy.gguf.stat().st_size / 2
    model = Llama(str(out), n_ctx=64, n_threads=1, verbose=False)
    assert model.create_completion("7 + 5", max_tokens=2)["usage"]["completion_tokens"] > 0


def test_a_missing_checkpoint_is_one_clear_line(tmp_path: Path) -> None:
    from export import export

    with pytest.raises(SystemExit, match="no checkpoint at"):
        export(tmp_path, tmp_path / "x.gguf")
