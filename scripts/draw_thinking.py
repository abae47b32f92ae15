"""Draws what each loop does to the tree of branches, from real runs on a model.

    python scripts/draw_thinking.py --out docs/thinking.svg [--model FILE.gguf]

Every strategy answers a question; each verb that the engine is asked for is noted. One lane is one
branch, from left to right one batched step: blocks are tokens that were drawn, pale ones those that
a lane above said alike, evaluated once for both (before a lane's begin: it went where another had
gone, which takes no step), dark ones known text that was put in (a prompt, an
objection, a role), thin lines the branch from which another was forked. The bundled model was not
trained on instructions and is told no roles; for its panel's picture it is.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import edgemind
from edgemind.catalog.bundled import bundled_model
from edgemind.engines.base import Branch
from edgemind.engines.llama import LlamaEngine
from edgemind.engines.trails import twins
from edgemind.events import Checked, Finished, Revised, Sampled
from edgemind.runtime import Mind
from edgemind.types import Sampling, Token

QUESTION = "Nora has 8 boxes with 25 pencils each and gives 9 away. How many pencils are left?"
LOOPS = (
    ("direct", "direct", 1),
    ("majority", "majority of 6: always six", 6),
    ("vote", "vote of 6: ends when its result is clear", 6),
    ("best_of", "best_of 4: no vote, one is chosen", 4),
    ("panel", "panel of 4: three are told how to work", 4),
    ("refine", "refine: an objection, and the answer again", 8),
)
STEP, LANE, LEFT, TOP = 6, 16, 24, 46
DRAWN, ALIKE, KNOWN, LINE, INK = "#7aa6d6", "#dfe9f5", "#33475b", "#b9c2cc", "#1d2733"


@dataclass(slots=True)
class Lane:
    """One branch: where it began, and what was evaluated in it.

    `marks` are (step, whether it was evaluated there, not as one with a lane above), `known`
    (step, tokens) of known text, `followed` how many tokens it went where another lane went.
    """

    begun: int
    parent: int | None
    marks: list[tuple[int, bool]] = field(default_factory=list)
    known: list[tuple[int, int]] = field(default_factory=list)
    followed: int = 0
    label: str = ""


class Recorder:
    """An engine that notes what it is asked for, and does it."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.info = engine.info
        self.lanes: list[Lane] = []
        self.steps = 0
        self._told = -1
        self._stems: list[Branch] = []
        self._lane: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def prefill(self, tokens: Sequence[int], sampling: Sampling) -> Branch:
        before = self._engine.evaluated_tokens
        branch: Branch = self._engine.prefill(tokens, sampling)
        if self.lanes and self._engine.evaluated_tokens == before:
            # Found whole in the prompt's lane: a fork of its beginning, drawn when it grows.
            self._lane[id(branch)] = 0
            self._stems.append(branch)
            return branch
        lane = self._new(branch, None)
        lane.known.append((self.steps, len(tokens)))
        self.steps += 4  # a prompt is a wide block, whatever its length
        return branch

    def fork(self, branch: Branch, samplings: Sequence[Sampling]) -> list[Branch]:
        children: list[Branch] = self._engine.fork(branch, samplings)
        for child in children:
            self._new(child, self._lane[id(branch)])
        return children

    def extend(self, branch: Branch, tokens: Sequence[int]) -> None:
        self._engine.extend(branch, tokens)
        begun = self.steps - 2 * (self._told == self.steps)  # one step evaluates what all are told
        if branch in self._stems:
            self._stems.remove(branch)
            self._new(branch, 0).begun = begun
        self.steps = begun + 2
        self.lanes[self._lane[id(branch)]].known.append((begun, len(tokens)))
        self._told = self.steps

    def step(self, branches: Sequence[Branch]) -> list[Token]:
        known = self._engine.foreseen(branches)
        for branch in known:
            self.lanes[self._lane[id(branch)]].followed += 1
        groups = twins([branch for branch in branches if branch not in known])
        tokens: list[Token] = self._engine.step(branches)
        for group in groups:
            for branch in group:
                lane = self.lanes[self._lane[id(branch)]]
                lane.marks.append((self.steps, branch is group[0]))
        self.steps += bool(groups)
        return tokens

    def _new(self, branch: Branch, parent: int | None) -> Lane:
        self.lanes.append(Lane(self.steps, parent))
        self._lane[id(branch)] = len(self.lanes) - 1
        self._kept = [*getattr(self, "_kept", []), branch]  # ids stay unique while they live
        return self.lanes[-1]


def record(engine: Any, strategy: str, width: int, seed: int) -> tuple[Recorder, str]:
    """One strategy's lanes, and what came of it in words."""
    recorder = Recorder(engine)
    if strategy == "panel":
        recorder.info = dataclasses.replace(engine.info, answer_cue=None)
    mind = Mind(recorder)
    said: list[str] = []
    for event in mind.stream(
        QUESTION, strategy=strategy, width=width, sampling=edgemind.Sampling(seed=seed)
    ):
        match event:
            case Sampled(index, completion):
                # Lane 0 is the prompt, samples follow in the order in which they were begun.
                mark = " ✗" if completion.objections else ""
                recorder.lanes[index + 1].label = f"{completion.answer or '–'}{mark}"
            case Checked(_, decided) if decided:
                said.append(decided)
            case Revised(objection, _, kept):
                said.append(f"{objection} {'Kept.' if kept else 'Not kept.'}")
            case Finished(answer):
                said.insert(0, f"→ {answer.answer}, {answer.spent.tokens} tokens")
    return recorder, " · ".join(said)


def draw(recorder: Recorder, title: str, words: str, top: int) -> tuple[list[str], int]:
    """The lanes as SVG elements, and the height that they take."""
    parts = [f'<text x="{LEFT}" y="{top}" class="t">{escape(title)}</text>',
             f'<text x="{LEFT}" y="{top + 15}" class="w">{escape(words)}</text>']  # fmt: skip
    for number, lane in enumerate(recorder.lanes):
        y = top + 26 + number * LANE
        x = LEFT + lane.begun * STEP
        if lane.parent is not None:
            above = top + 26 + lane.parent * LANE + 5
            parts.append(f'<path d="M{x} {above} V{y + 5} h3" stroke="{LINE}" fill="none"/>')
        for at, count in lane.known:
            wide = STEP * (4 if lane.parent is None else 2) - 1
            parts.append(
                f'<rect x="{LEFT + at * STEP}" y="{y}" width="{wide}" height="10" fill="{KNOWN}">'
                f"<title>{count} known tokens</title></rect>"
            )
        for back in range(lane.followed):
            at = x - (back + 1) * STEP
            parts.append(f'<rect x="{at}" y="{y}" width="{STEP - 1}" height="10" '
                         f'fill="{ALIKE}"/>')  # fmt: skip
        for at, own in lane.marks:
            parts.append(f'<rect x="{LEFT + at * STEP}" y="{y}" width="{STEP - 1}" height="10" '
                         f'fill="{DRAWN if own else ALIKE}"/>')  # fmt: skip
        if lane.label:
            end = max([lane.begun + 1, *(at for at, _ in lane.marks)]) + 1
            parts.append(f'<text x="{LEFT + end * STEP + 4}" y="{y + 9}" class="w">'
                         f"{escape(lane.label)}</text>")  # fmt: skip
    return parts, 26 + len(recorder.lanes) * LANE + 22


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    engine = LlamaEngine(arguments.model or bundled_model())
    parts: list[str] = []
    top, wide = TOP, 0
    for strategy, title, width in LOOPS:
        recorder, words = record(engine, strategy, width, arguments.seed)
        some, height = draw(recorder, title, words, top)
        parts += some
        top += height
        wide = max(wide, LEFT + recorder.steps * STEP + 60)
    engine.close()
    style = f".t{{font:bold 13px sans-serif;fill:{INK}}}.w{{font:11px sans-serif;fill:{INK}}}"
    head = f'<text x="{LEFT}" y="22" class="w">{escape(QUESTION)}</text>'
    wide = max(wide, 760)
    arguments.out.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {top}" width="{wide}">'
        f"<style>{style}</style>"
        f'<rect width="{wide}" height="{top}" fill="#ffffff"/>{head}{"".join(parts)}</svg>\n',
        encoding="utf-8",
    )
    print(f"{arguments.out}: {len(LOOPS)} loops")


if __name__ == "__main__":
    main()
