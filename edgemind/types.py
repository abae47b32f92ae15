"""The values that cross module borders: messages, limits, results. All are frozen, with slots.

They import nothing of ours; `edgemind.events`, which a stream yields, is made of them.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "length", "budget", "interrupted", "dropped"]
"""Why generation ended: the model stopped, a length limit, the budget, `stop()`; or a sample was
given up, since it was too unsure or the engine could not go on with it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function call that an assistant's earlier message made; `arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat. `reasoning` is an assistant's thought, kept apart from its content."""

    role: Role
    content: str
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()


Chat = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw tokens. `None` means "what the model's own file says, else the usual default".

    `temperature` 0 is greedy. `max_tokens` bounds one sample. `seed` is unsigned 32-bit.
    `grammar` (GBNF, from its rule `root`) is what every answer has to keep to; what a model thinks
    before it answers is free.
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    confidence: bool = False
    grammar: str | None = None

    def over(self, defaults: Sampling) -> Sampling:
        """This sampling, with what it leaves open taken from `defaults`."""
        changes = {
            field.name: getattr(defaults, field.name)
            for field in dataclasses.fields(self)
            if getattr(self, field.name) is None
        }
        return dataclasses.replace(self, stop=self.stop or defaults.stop, **changes)


@dataclass(frozen=True, slots=True)
class Budget:
    """What one answer may cost; each limit is optional.

    `seconds` of wall-clock time, `joules` of energy, `tokens` generated over all samples.
    """

    seconds: float | None = None
    joules: float | None = None
    tokens: int | None = None


PhaseName = Literal["planning", "prefill", "draft", "samples", "verification", "reserve"]
"""What a part of a budget went to: making the prompt ready, evaluating it, the first answer,
further samples and revisions, verifiers, and forcing an answer where the limit came."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What one part of answering cost; a phase that came several times is added up."""

    name: PhaseName
    seconds: float = 0.0
    joules: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What an answer did cost. `prompt_tokens` were evaluated, not merely found in the cache.

    `tokens` are those of all samples; what several said alike was generated once, and counts once.

    `energy_source` is `measured:<meter>`, or `estimated`, with the reason in brackets where a meter
    was there and failed. The `phases` add up to the whole.
    """

    seconds: float = 0.0
    joules: float = 0.0
    tokens: int = 0
    prompt_tokens: int = 0
    energy_source: str = "estimated"
    phases: tuple[Phase, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A prediction: with 5, 50, 90, 95 % probability it is at most this."""

    p5: float
    p50: float
    p90: float
    p95: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What an answer was expected to cost, before its first token."""

    seconds: Quantiles
    joules: Quantiles
    tokens: Quantiles


@dataclass(frozen=True, slots=True)
class Token:
    """One sampled token.

    `text` is what it adds to the output (empty in the middle of a UTF-8 character), `logprob`
    its natural-log probability under the model before any temperature, `margin` the distance in
    logits between the best and the second-best token, `confidence` minus the mean
    log-probability of the 20 best tokens (DeepConf, arXiv 2508.15260; only when
    `Sampling.confidence` asks for it). `end` marks an end-of-generation token.
    """

    id: int
    text: str
    logprob: float
    margin: float
    confidence: float | None = None
    end: bool = False


@dataclass(frozen=True, slots=True)
class Signals:
    """What the model's own probabilities say about one completion.

    `mean_logprob` over all its tokens, `answer_logprob` (mean) and `answer_margin` (lowest) over
    the answer's tokens, `lowest_window` the lowest mean log-probability of any 16 neighbouring
    tokens, `tokens` its length. `early_doubt` and `late_doubt` are how many tokens of its first and
    its second half the model would be expected to choose otherwise, were each drawn again: the sums
    of 1 - p.
    """

    mean_logprob: float
    answer_logprob: float
    answer_margin: float
    lowest_window: float
    tokens: int
    early_doubt: float = 0.0
    late_doubt: float = 0.0


@dataclass(frozen=True, slots=True)
class Objection:
    """What a verifier outside the model found wrong; `line` counts from 1, 0 is the whole text."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says about a text: a score from 0 to 1, and what it objects to, in order.

    A score of 1 with no objection is a text that passed, or that the verifier cannot judge.
    """

    score: float = 1.0
    objections: tuple[Objection, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One finished (or cut) sample: its text, thought, extracted answer, signals.

    `score` is the lowest of all verifiers' scores, `objections` are all of theirs. `key` is the
    key under which a structured answer votes; others vote by what their answer means.
    """

    text: str
    reasoning: str
    answer: str | None
    signals: Signals
    finish: Finish
    objections: tuple[Objection, ...] = ()
    score: float = 1.0
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One signal's contribution to a routing decision (logistic: value × weight)."""

    signal: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Ballot:
    """How a vote went: samples drawn, different answers, the leader's share of votes and weight."""

    drawn: int
    distinct: int
    share: float
    weight: float


@dataclass(frozen=True, slots=True)
class Stopping:
    """When a vote of one model is no longer worth another sample.

    `price` is what a sample has to bring, as probability of a right answer; `urns` tell how the
    model's answers spread (rows of `edgemind.strategies.urns.Urn`).
    """

    price: float
    urns: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """What the router decided: a strategy's key, how many samples at most, and why.

    `difficulty` is the probability, before a token was generated, that one pass is wrong. A route
    is a small tree: `inner` is how the answer comes about that this strategy works on ("refine the
    winner of a vote of 8"), None is the draft. `votable` is False where answers are free text,
    which cannot be compared. A sample whose window of log-probabilities sinks under `floor` is
    given up; `worth` is how many seconds a better answer is worth, None any number. `stopping` is
    what is known of the model's votes, None what is known of models in general.
    """

    strategy: str
    width: int
    reason: str
    difficulty: float
    reasons: tuple[Reason, ...] = ()
    inner: Route | None = None
    votable: bool = True
    floor: float | None = None
    worth: float | None = None
    stopping: Stopping | None = None

    def describe(self) -> str:
        """The whole route in words: `refine(vote of 8)`."""
        name = self.strategy if self.width == 1 else f"{self.strategy} of {self.width}"
        return f"{self.strategy}({self.inner.describe()})" if self.inner else name


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one prompt, its receipt included. `to_json` gives it as one JSON object.

    `agreement` is the share of samples with an answer that gave this one (1.0 for one sample);
    `seed` the first sample's, drawn at random unless `Sampling.seed` gave one. `predicted` was
    made before the first token; `notes` say what went differently (a hot processor, little memory).
    `network` is `locked:<mechanism>` where the kernel refuses this process every network, as was
    tried, and `open` where it does not.
    """

    text: str
    answer: str | None
    reasoning: str
    confidence: float
    agreement: float
    route: Route
    samples: int
    spent: Spent
    budget: Budget
    finish: Finish
    seed: int
    model: str
    predicted: Prediction | None = None
    notes: tuple[str, ...] = ()
    network: str = "open"

    def to_json(self, indent: int | None = None) -> str:
        """This answer as JSON text."""
        values: dict[str, Any] = dataclasses.asdict(self)
        route = values["route"]
        while route is not None:
            del route["stopping"]  # the model's, not this answer's
            route = route["inner"]
        return json.dumps(values, indent=indent, ensure_ascii=False)
