"""Write generated problems as JSON lines; the same arguments give the same file.

    python scripts/nano/make_data.py --split heldout --seed 1 --size 200 --out problems.jsonl

Each line has prompt, answer, skill and level; with --chats also problems that lean on earlier
turns, which then have `history` as [user, assistant] pairs. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

from nano_skills import skills_of
from problems import LEVELS, SKILLS, Problem, Split, choose, scored_skills, stratified

# Their problems always lean on earlier turns.
CHAT_SKILLS = {"follow_up", "dialogue", "revise"}


def record(problem: Problem, solutions: bool = False) -> dict[str, object]:
    """The line of one problem."""
    fields: dict[str, object] = {
        "prompt": problem.prompt,
        "answer": problem.answer,
        "skill": problem.skill,
        "level": problem.level,
    }
    if problem.history:
        fields["history"] = [list(turn) for turn in problem.history]
    if solutions:
        fields["solution"] = problem.solution
    return fields


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="generated problems as JSON lines")
    parser.add_argument("--split", choices=[split.value for split in Split], default="heldout")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=200)
    parser.add_argument("--skills", nargs="+", default=[], metavar="SKILL",
                        help=f"`first`, `all` or some of {', '.join(sorted(SKILLS))}")  # fmt: skip
    parser.add_argument("--model", type=Path, help="a GGUF file: only skills it was trained on")
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--mix", type=int, nargs=3, metavar=("EASY", "MIDDLE", "HARD"),
                        help="problems of each level in a round, as in 6 3 1")  # fmt: skip
    parser.add_argument("--chats", action="store_true", help="also follow-up questions")
    parser.add_argument("--solutions", action="store_true", help="add the worked solution")
    parser.add_argument("--out", type=Path, help="a file; standard output without it")
    options = parser.parse_args(arguments)
    try:
        if options.model is not None and not options.skills:
            options.skills = scored_skills(skills_of(options.model))
        elif options.skills:
            options.skills = list(choose(options.skills))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    wanted = set(options.skills or scored_skills())
    if wanted <= CHAT_SKILLS and not options.chats:
        parser.error(f"{sorted(wanted)[0]} needs --chats")
    return options


def main() -> None:
    options = parse()
    levels = [LEVELS.index(level) for level in options.levels]
    if options.mix:
        levels = [level for level, count in enumerate(options.mix) for _ in range(count)]
    split = Split(options.split)
    problems = stratified(split, options.seed, options.skills, levels, options.chats)
    lines = (
        json.dumps(record(problem, options.solutions), ensure_ascii=False) + "\n"
        for problem in itertools.islice(problems, options.size)
    )
    if options.out is None:
        sys.stdout.writelines(lines)
    else:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with options.out.open("w", encoding="utf-8") as file:
            file.writelines(lines)


if __name__ == "__main__":
    main()
