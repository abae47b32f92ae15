"""An engine that replays given tokens: for exact tests of everything above an engine.

    script = {"2+2?": ["2 + 2 = 4\\n#### 4"]}
    engine = ScriptedEngine([["4"], ["5"], ["4"]])

Each *script* is what one sample says. The first child forked from a prefilled prompt replays the
first script, the next the second, and so on, round and round; so does a prompt that is stepped
itself. The five verbs behave as those of a
real engine: pending tokens, interruption, a context that fills up, prefixes re-used. A grammar is
checked as a real engine checks it, but not applied: a script says what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgemind.engines.base import Branch, BranchesFailed, Interrupted, ModelInfo
from edgemind.errors import ContextFull, ModelError
from edgemind.structure.grammar import Grammar
from edgemind.types import Sampling, Token

END = 0
FIRST_CHARACTER = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One scripted sample: its pieces of text, and how sure the model is of each.

    `logprobs` is one value for all pieces or one for each. In place of piece number `fails` the
    branch fails.
    """

    pieces: tuple[str, ...]
    logprobs: tuple[float, ...] = (-0.1,)
    margin: float = 5.0
    ends: bool = True
    fails: int | None = None


UNSAID = Line(())


class ScriptedVocabulary:
    """Every character is a token; id 0 ends a generation."""

    specials: Mapping[str, int] = {"<|end|>": END}
    bos: int | None = None

    def encode(self, text: str, special: bool) -> list[int]:
        """One token a character; with `special`, `<|end|>` is the end token."""
        if special and "<|end|>" in text:
            before, after = text.split("<|end|>", 1)
            return [*self.encode(before, True), END, *self.encode(after, True)]
        return [FIRST_CHARACTER + ord(character) for character in text]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`."""
        return "".join("<|end|>" if t == END else chr(t - FIRST_CHARACTER) for t in tokens)


@dataclass(eq=False, slots=True)
class ScriptedBranch(Branch):
    """A branch that knows its script and how far it has come in it."""

    line: Line = UNSAID
    position: int = 0


class ScriptedEngine:
    """`edgemind.engines.base.Engine` that replays scripts.

    `lines` are the samples in the order of their forks. `context` bounds a branch and `cells` all
    branches together, in tokens. `on_step` is called before each step with the engine: a test's
    place to move a fake clock, to interrupt or to raise.
    """

    def __init__(
        self,
        lines: Sequence[Line | Sequence[str]],
        *,
        context: int = 4096,
        cells: int = 1 << 30,
        width: int = 16,
        on_step: object = None,
        answer_cue: str | None = None,
    ) -> None:
        self.lines = [line if isinstance(line, Line) else Line(tuple(line)) for line in lines]
        self.vocabulary = ScriptedVocabulary()
        self.info = ModelInfo(
            "scripted", "scripted", 0, 1_000_000, context, None, "", "<|end|>", Sampling(),
            answer_cue,
        )  # fmt: skip
        self.device = "scripted"
        self.shares = False
        self.context_length = context
        self.max_width = width
        self.evaluated_tokens = 0
        self.cells = cells
        self.on_step = on_step
        self.branches: list[ScriptedBranch] = []
        self.kept: ScriptedBranch | None = None
        self.step_widths: list[int] = []
        self._next_line = 0
        self._interrupted = False

    def room(self, tokens: int) -> int:
        """Every branch; `cells` show when a step finds them full."""
        return self.max_width

    def prefill(self, tokens: Sequence[int], sampling: Sampling) -> Branch:
        """Take the prompt in; see `Engine.prefill`."""
        if self._interrupted:
            raise Interrupted
        if not tokens:
            raise ContextFull("the prompt is empty: there is nothing to continue")
        if len(tokens) >= self.context_length:
            raise ContextFull(f"the prompt has {len(tokens)} tokens: shorten it")
        check_grammar(sampling)
        held = 0
        for branch in (*self.branches, *([self.kept] if self.kept else [])):
            known = branch.tokens[: branch.evaluated]
            pairs = zip(known, tokens[:-1], strict=False)
            same = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
            held = max(held, min(len(known), len(tokens) - 1) if same is None else same)
        self.kept = None
        self.evaluated_tokens += len(tokens) - 1 - held
        root = ScriptedBranch(0, [*tokens], len(tokens) - 1, sampling)
        self.branches.append(root)
        return root

    def fork(self, branch: Branch, samplings: Sequence[Sampling]) -> list[Branch]:
        """One child for each sampling, each with the next script; see `Engine.fork`."""
        own = self._own(branch)
        children: list[Branch] = []
        for sampling in samplings:
            check_grammar(sampling)
            line, position = own.line, own.position
            if not line.pieces or own.tokens[-1] == END:  # a fresh one, or one that goes on anew
                line, position = self._next(), 0
            child = ScriptedBranch(
                0, [*own.tokens], own.evaluated, sampling, line=line, position=position
            )
            self.branches.append(child)
            children.append(child)
        return children

    def _next(self) -> Line:
        self._next_line += 1
        return self.lines[(self._next_line - 1) % len(self.lines)]

    def step(self, branches: Sequence[Branch]) -> list[Token]:
        """The next piece of every branch; see `Engine.step`."""
        own = [self._own(branch) for branch in branches]
        if len(set(own)) != len(own):
            raise ValueError("a branch stands twice in one step")
        if len(own) > self.max_width:
            raise ValueError(f"{len(own)} branches in one step; at most {self.max_width}")
        if callable(self.on_step):
            self.on_step(self)
        if self._interrupted:
            raise Interrupted
        used = sum(len(branch.tokens) for branch in self.branches) + len(own)
        if used > self.cells or any(len(b.tokens) >= self.context_length for b in own):
            raise ContextFull("the cache is full: think with fewer branches")
        self.step_widths.append(len(own))
        for branch in own:
            branch.line = self._next() if branch.line is UNSAID else branch.line
        failing = [branch.line.fails == branch.position for branch in own]
        if not any(failing):
            return [self._advance(branch) for branch in own]
        tokens = [
            None if fails else self._advance(branch)
            for branch, fails in zip(own, failing, strict=True)
        ]
        raise BranchesFailed(tokens, ModelError("this branch fails, as its script says"))

    def _advance(self, branch: ScriptedBranch) -> Token:
        self.evaluated_tokens += len(branch.pending)
        branch.evaluated = len(branch.tokens)
        line, position = branch.line, branch.position
        branch.position += 1
        if position >= len(line.pieces):
            if not line.ends:
                branch.position = position
                branch.tokens.append(FIRST_CHARACTER + ord(" "))
                return Token(branch.tokens[-1], " ", line.logprobs[-1], line.margin)
            branch.tokens.append(END)
            return Token(END, "", line.logprobs[-1], line.margin, end=True)
        piece = line.pieces[position]
        logprob = line.logprobs[min(position, len(line.logprobs) - 1)]
        branch.tokens.append(FIRST_CHARACTER + ord(piece[-1]) if piece else FIRST_CHARACTER)
        return Token(branch.tokens[-1], piece, logprob, line.margin)

    def extend(self, branch: Branch, tokens: Sequence[int]) -> None:
        """Append known tokens; see `Engine.extend`."""
        self._own(branch).tokens.extend(tokens)

    def drop(self, branch: Branch, keep: bool = False) -> None:
        """Forget a branch; see `Engine.drop`."""
        if branch.alive:
            own = self._own(branch)
            own.alive = False
            self.branches.remove(own)
            if keep:
                self.kept = own

    def _own(self, branch: Branch) -> ScriptedBranch:
        if not isinstance(branch, ScriptedBranch) or branch not in self.branches:
            raise ValueError("this branch was dropped, or belongs to another engine")
        return branch

    def interrupt(self) -> None:
        """Refuse verbs until `resume`."""
        self._interrupted = True

    def resume(self) -> None:
        """Let verbs run again."""
        self._interrupted = False

    def close(self) -> None:
        """Nothing to free."""


def check_grammar(sampling: Sampling) -> None:
    """Raise `ConfigError` where a sampling's grammar is none."""
    if sampling.grammar is not None:
        Grammar(sampling.grammar)
