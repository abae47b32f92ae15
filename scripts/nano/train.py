"""Train edgemind-nano: one command, restartable, paced by a budget of minutes.

    python scripts/nano/train.py --out /tmp/nano/run --minutes 85

Run again with the same command, it goes on from the checkpoint in --out. The rate is constant
and falls linearly to zero over the last part of the budget, so a run is good whenever it ends:
write a number of minutes into --decay-file and the fall starts at once. While --pause-file
exists, nothing is computed and no budget is used.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer

from nano_answer import answer_of
from nano_data import Batch, ShardStream
from nano_decode import TorchDecoder, decode_problems
from nano_model import ModelConfig, NanoModel
from nano_muon import Muon
from nano_skills import trained_on
from nano_start import StartFile
from nano_tokenizer import train_tokenizer
from problems import LEVELS, Split, choose, generate, scored_skills, weigh

CPU_SIZE = ModelConfig()
# The most that stays below 12 MB at eight bits.
GPU_SIZE = ModelConfig(layers=12, hidden=768)


@dataclass(slots=True)
class Progress:
    """What a checkpoint remembers besides weights; `seconds` excludes pauses."""

    step: int = 0
    shard: int = 0
    batch: int = 0
    tokens: int = 0
    answer_tokens: int = 0
    seconds: float = 0.0
    decay_start: float = 0.0
    decay_end: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)


def level_weights(fraction: float, last: tuple[float, float, float]) -> tuple[float, float, float]:
    """Curriculum: mostly easy problems at first, from a fifth of the run on as in `last`."""
    if fraction < 0.06:
        return (1.0, 0.2, 0.0)
    if fraction < 0.18:
        return (1.0, 0.7, 0.2)
    return last


class Trainer:
    """Owns the model, its moving average, the optimisers and the progress of one run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.out: Path = options.out
        self.out.mkdir(parents=True, exist_ok=True)
        self.device = "cuda" if torch.cuda.is_available() and not options.cpu else "cpu"
        on_gpu = self.device == "cuda"
        options.batch_tokens = options.batch_tokens or (65536 if on_gpu else 8192)
        options.documents = options.documents or (64000 if on_gpu else 8000)
        options.workers = options.workers or (max(1, (os.cpu_count() or 2) - 2) if on_gpu else 1)
        torch.manual_seed(options.seed)
        self.tokenizer_path = self.out / "tokenizer.json"
        begun = (self.out / "checkpoint.pt").exists()
        start = StartFile(options.start) if options.start else None
        self.tokens_before = start.tokens() if start else 0
        self.start = None if begun else start
        config = self._config()
        self.weights = self._skills()
        self.tokenizer = self._tokenizer(config.vocabulary)
        self.model = NanoModel(config)
        if self.start is not None:
            # Blocks that the file lacks stay as they are made, which is the identity.
            missing = self.model.load_state_dict(self.start.weights(), strict=False)
            if missing.unexpected_keys:
                raise ValueError(f"{options.start} has more layers than --layers asks for")
        self.model = self.model.to(self.device)
        self.average = NanoModel(config).to(self.device).eval().requires_grad_(False)
        self.average.load_state_dict(self.model.state_dict())
        matrices = [p for block in self.model.blocks for p in block.parameters() if p.ndim == 2]
        norms = [p for p in self.model.parameters() if p.ndim == 1]
        rate = options.rate
        self.muon = Muon(matrices, rate, weight_decay=options.weight_decay)
        groups = [
            {"params": [self.model.embedding.weight], "lr": rate * 0.25},
            {"params": norms, "lr": rate * 0.15},
        ]
        if not config.tied:
            groups.append({"params": [self.model.head.weight], "lr": rate * 0.15})
        self.adam = torch.optim.AdamW(
            groups, betas=(0.8, 0.95), eps=1e-10, weight_decay=0.0, fused=True
        )
        self.rates = [g["lr"] for o in (self.muon, self.adam) for g in o.param_groups]
        budget = options.minutes * 60
        self.progress = Progress(
            decay_start=budget * (1 - options.decay_share),
            decay_end=budget,
            settings={"minutes": options.minutes, "decay_share": options.decay_share},
        )
        self._load()
        if options.compile:
            torch._dynamo.config.cache_size_limit = 64
            for block in self.model.blocks:
                block.compile(dynamic=False)

    def _config(self) -> ModelConfig:
        saved = self.out / "checkpoint.pt"
        if saved.exists():
            return ModelConfig(**torch.load(saved, weights_only=True)["config"])
        if self.start is not None:
            base, free = self.start.config(), ["layers"]
        else:
            base = GPU_SIZE if self.device == "cuda" else CPU_SIZE
            free = ["layers", "hidden", "vocabulary"]
        given = {name: value for name in free if (value := getattr(self.options, name))}
        return ModelConfig(**(base.as_dict() | given))

    def _skills(self) -> dict[str, float]:
        """Weights of the skills asked for, or of those that the checkpoint was trained on."""
        path, wanted = self.out / "checkpoint.pt", self.options.skills
        if not wanted and path.exists():
            saved = torch.load(path, weights_only=True, map_location="cpu")
            return weigh(trained_on(saved.get("skills")), self.options.weight)
        return weigh(choose(wanted), self.options.weight)

    def _tokenizer(self, vocabulary: int) -> Tokenizer:
        if not self.tokenizer_path.exists():
            if self.start is not None:
                tokenizer = self.start.tokenizer()
            else:
                tokenizer = train_tokenizer(vocabulary, self.options.seed, weights=self.weights)
            tokenizer.save(str(self.tokenizer_path))
        return Tokenizer.from_file(str(self.tokenizer_path))

    def _load(self) -> None:
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        saved = torch.load(path, weights_only=True, map_location=self.device)
        self.model.load_state_dict(saved["model"])
        self.average.load_state_dict(saved["average"])
        self.muon.load_state_dict(saved["muon"])
        self.adam.load_state_dict(saved["adam"])
        kept = Progress(**saved["progress"])
        if kept.settings != self.progress.settings:
            # Another budget was asked for; with the same one a fall that has begun goes on.
            kept.decay_start, kept.decay_end = self.progress.decay_start, self.progress.decay_end
            kept.settings = self.progress.settings
        self.progress = kept

    def save(self) -> None:
        """Write the checkpoint beside the old one and swap, so that a crash leaves one whole."""
        state = {
            "config": self.model.config.as_dict(),
            "skills": [name for name, weight in self.weights.items() if weight],
            "tokens_before": self.tokens_before,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
            "progress": {name: getattr(self.progress, name) for name in Progress.__slots__},
        }
        path = self.out / "checkpoint.pt"
        torch.save(state, path.with_suffix(".tmp"))
        os.replace(path.with_suffix(".tmp"), path)

    def log(self, **record: Any) -> None:
        print(json.dumps(record), flush=True)
        with (self.out / "log.jsonl").open("a") as file:
            file.write(json.dumps(record) + "\n")

    def fall(self) -> float:
        """1 until the fall begins, then linearly to 0."""
        now = self.progress
        if now.seconds <= now.decay_start:
            return 1.0
        span = max(1e-9, now.decay_end - now.decay_start)
        return max(0.0, 1 - (now.seconds - now.decay_start) / span)

    def rate_factor(self) -> float:
        """The fall, with a short warm-up at the very start."""
        return self.fall() * min(1.0, (self.progress.step + 1) / 40)

    def check_decay_file(self) -> None:
        """Let the rate fall to 0 within the minutes written in the file, from where it stands."""
        file: Path | None = self.options.decay_file
        if file is None or not file.exists():
            return
        seconds = 60 * float(file.read_text())
        file.unlink()
        now = self.progress
        reached = max(0.05, self.fall())
        now.decay_end = now.seconds + seconds
        now.decay_start = now.decay_end - seconds / reached
        self.log(event="decay", minutes=seconds / 60)

    def step(self, batch: Batch) -> torch.Tensor:
        factor = self.rate_factor()
        groups = [g for o in (self.muon, self.adam) for g in o.param_groups]
        for group, rate in zip(groups, self.rates, strict=True):
            group["lr"] = rate * factor
        arrays = (batch.ids, batch.places, batch.wanted)
        ids, places, wanted = (torch.from_numpy(a).to(self.device) for a in arrays)
        with torch.autocast(self.device, dtype=torch.bfloat16):
            loss = self.model.loss(ids, places, wanted)
        loss.backward()
        self.muon.step()
        self.adam.step()
        self.muon.zero_grad()
        self.adam.zero_grad()
        now = self.progress
        now.step += 1
        now.tokens += batch.ids.size
        now.answer_tokens += batch.wanted.size
        keep = min(self.options.average, (now.step + 1) / (now.step + 10))
        with torch.no_grad():
            mine, theirs = list(self.average.parameters()), list(self.model.parameters())
            torch._foreach_lerp_(mine, theirs, 1 - keep)
        return loss.detach()

    def validate(self, each: int) -> dict[str, float]:
        """Greedy accuracy of the averaged weights per skill and level on the validation split."""
        problems = [
            generate(Random(f"v/{skill}/{level}/{number}"), skill, level, Split.VALIDATION)
            for skill in scored_skills(self.weights)
            for level in range(len(LEVELS))
            for number in range(each)
        ]
        texts = decode_problems(TorchDecoder(self.average), self.tokenizer, problems)
        table: dict[str, list[bool]] = {}
        for problem, text in zip(problems, texts, strict=True):
            right = answer_of(text) == problem.answer
            for key in (f"{problem.skill}/{problem.level}", problem.level):
                table.setdefault(key, []).append(right)
        return {key: round(sum(rows) / len(rows), 3) for key, rows in table.items()}

    def pause(self) -> None:
        file: Path | None = self.options.pause_file
        while file is not None and file.exists():
            time.sleep(1)

    def over(self) -> bool:
        steps: int | None = self.options.steps
        now = self.progress
        return now.seconds >= now.decay_end or (steps is not None and now.step >= steps)

    def run(self) -> None:
        """Train until the budget is used up."""
        options, now = self.options, self.progress
        last_save = last_validation = now.seconds
        marks, losses = (now.seconds, now.tokens), torch.zeros((), device=self.device)
        count = 0
        with ShardStream(
            self.tokenizer_path, options.seed, now.shard, options.documents,
            options.batch_tokens, options.workers, self.weights,
        ) as stream:  # fmt: skip
            while not self.over():
                # Weights that come from a file have left the curriculum behind them.
                fraction = 1.0 if self.tokens_before else now.seconds / now.decay_end
                shard = stream.take(level_weights(fraction, tuple(options.levels)))
                for batch in shard[now.batch :]:
                    self.pause()
                    self.check_decay_file()
                    began = time.monotonic()
                    losses += self.step(batch)
                    count += 1
                    now.batch += 1
                    if now.step % 20 == 0:
                        mean = losses.item() / count
                        elapsed = now.seconds + time.monotonic() - began - marks[0]
                        self.log(
                            step=now.step, minutes=round(now.seconds / 60, 2), tokens=now.tokens,
                            loss=round(mean, 4), rate=round(self.rate_factor(), 3),
                            tokens_per_second=round((now.tokens - marks[1]) / elapsed),
                        )  # fmt: skip
                        losses.zero_()
                        count = 0
                        marks = (now.seconds + time.monotonic() - began, now.tokens)
                    now.seconds += time.monotonic() - began
                    if now.seconds - last_save > options.save_seconds:
                        self.save()
                        last_save = now.seconds
                    if now.seconds - last_validation > options.validate_minutes * 60:
                        began = time.monotonic()
                        table = self.validate(options.validate_each)
                        now.seconds += time.monotonic() - began
                        last_validation = now.seconds
                        self.log(event="validation", minutes=round(now.seconds / 60, 2), **table)
                        marks = (now.seconds, now.tokens)
                    if self.over():
                        break
                else:
                    now.shard, now.batch = now.shard + 1, 0
        self.save()
        table = self.validate(options.validate_each)
        self.log(event="finished", minutes=round(now.seconds / 60, 2), tokens=now.tokens, **table)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="train edgemind-nano")
    add = parser.add_argument
    add("--out", type=Path, required=True, help="folder of checkpoint, tokenizer and log")
    add("--start", type=Path, help="go on from the weights and tokenizer of this GGUF file of "
        "export_gguf.py; more --layers than it has are added")  # fmt: skip
    add("--minutes", type=float, default=85, help="budget, pauses excluded")
    add("--steps", type=int, help="stop after so many steps even if budget is left")
    add("--decay-share", type=float, default=0.35, help="last share of the budget: falling rate")
    add("--decay-file", type=Path, help="a file with minutes: the rate falls from now on")
    add("--pause-file", type=Path, help="while it exists, wait")
    add("--seed", type=int, default=1)
    add("--rate", type=float, default=0.02, help="Muon's rate; AdamW's are fractions of it")
    add("--weight-decay", type=float, default=0.1, help="of the matrices, as a share of the rate; "
        "without it attention saturates and stops learning")  # fmt: skip
    add("--average", type=float, default=0.995, help="decay of the moving average of weights")
    add("--batch-tokens", type=int, help="8192, with a GPU 65536")
    add("--documents", type=int, help="problems per shard: 8000, with a GPU 64000")
    add("--workers", type=int, help="processes that make problems")
    add("--layers", type=int)
    add("--hidden", type=int)
    add("--vocabulary", type=int)
    add("--threads", type=int, default=2)
    add("--save-seconds", type=float, default=150)
    add("--validate-minutes", type=float, default=10)
    add("--validate-each", type=int, default=12, help="validation problems per skill and level")
    add("--no-compile", dest="compile", action="store_false")
    add("--cpu", action="store_true", help="leave a GPU alone")
    add("--skills", nargs="+", default=[], metavar="SKILL", help="names, `first` or `all`; all, or "
        "what the checkpoint was trained on")  # fmt: skip
    add("--levels", nargs=3, type=float, default=[1.0, 1.0, 0.5],
        metavar=("EASY", "MIDDLE", "HARD"), help="shares of problems after the start")  # fmt: skip
    add("--weight", nargs="+", default=[], metavar="SKILL=NUMBER", help="another share of a skill")
    options = parser.parse_args(arguments)
    try:
        weigh(choose(options.skills), options.weight)
    except ValueError as error:
        parser.error(str(error))
    return options


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    with contextlib.suppress(KeyboardInterrupt):
        Trainer(options).run()


if __name__ == "__main__":
    main()
