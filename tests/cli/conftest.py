"""Fixtures of the command line's tests: a scripted model behind `load`, and a real, tiny one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from typer.testing import CliRunner, Result

from edgemind.cli.main import app
from edgemind.engines.scripted import Line, ScriptedEngine
from edgemind.runtime import Mind
from edgemind.usage.account import Usage
from tests.helpers import StillWatchdog, scripted_mind


@dataclass
class Program:
    """The command line over a scripted model."""

    says: list[str] = field(default_factory=lambda: ["#### 4"])
    logprob: float = -0.0001
    context: int = 4096
    answer_cue: str | None = "#### "
    loads: list[tuple[object, dict[str, object]]] = field(default_factory=list)
    minds: list[Mind] = field(default_factory=list)
    on_step: Callable[[ScriptedEngine], None] | None = None

    def load(self, model: object = None, **options: object) -> Mind:
        """Stands for `edgemind.loading.load`."""
        self.loads.append((model, options))
        lines = [Line(tuple(text), (self.logprob,)) for text in self.says]
        engine = ScriptedEngine(
            lines, context=self.context, on_step=self.on_step, answer_cue=self.answer_cue
        )
        usage = options.get("usage")
        assert usage is None or isinstance(usage, Usage)
        self.minds.append(scripted_mind(engine, usage=usage))
        return self.minds[-1]

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Result:
        """Run it with these arguments."""
        return CliRunner().invoke(app, arguments, input=stdin)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    made = Program()
    monkeypatch.setattr("edgemind.cli.ask.load", made.load)
    monkeypatch.setattr("edgemind.cli.chat.load", made.load)
    monkeypatch.setattr("edgemind.stepping.Watchdog", StillWatchdog)
    return made
