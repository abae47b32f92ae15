"""What a person asked, made ready for a run: a checked chat, token ids, complete samplings."""

from __future__ import annotations

import dataclasses
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgemind.chat import ChatTemplate
from edgemind.engines.base import Engine
from edgemind.errors import ConfigError
from edgemind.structured import Structure
from edgemind.thoughts import ThoughtTags
from edgemind.tokenizing import tokenize
from edgemind.types import Answer, Chat, Completion, Message, Sampling
from edgemind.verify.arithmetic import arithmetic
from edgemind.verify.base import Verifier

USUAL_TEMPERATURE = 0.8
"""For samples of a model whose file asks for greedy decoding: equal samples cannot vote."""


STEPS = (
    "Work it out step by step. End with a line that says: The answer is, followed by the answer."
)
"""Asked of models that neither think nor were trained to write their steps."""

Revision = Callable[[Completion, str], tuple[tuple[int, ...], bool]]
"""(an answer, what is wrong with it) → the tokens of the whole chat up to the model's next turn,
and whether they end inside a thought."""

Instructed = Callable[[str], tuple[tuple[int, ...], bool]]
"""An instruction → the tokens of the chat with it after the person's last words, and whether they
end inside a thought. It stands last so that all before it need not be evaluated again."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt and how to sample after it.

    `opened_thought` tells whether it ends inside a thought, which `tags` mark. `draft` is the
    first sample's sampling, `samples` that of all others (their seeds count up from its own).
    `instructed` is None where the model was not trained on instructions.
    `verifiers` judge every sample when it is finished; `structure` is what the samplings' grammar
    holds answers to.
    """

    tokens: tuple[int, ...]
    opened_thought: bool
    tags: ThoughtTags
    draft: Sampling
    samples: Sampling
    revision: Revision
    verifiers: tuple[Verifier, ...] = (arithmetic,)
    structure: Structure | None = None
    instructed: Instructed | None = None


def as_chat(prompt: str | Chat, system: str | None) -> Chat:
    """A prompt as a chat that ends with the person's turn; `ConfigError` where it is none."""
    chat = (Message("user", prompt),) if isinstance(prompt, str) else tuple(prompt)
    if not chat or chat[-1].role not in ("user", "tool"):
        raise ConfigError("a chat has to end with a message from the user")
    if not any(message.content.strip() for message in chat):
        raise ConfigError("the prompt is empty: say what to answer")
    if system and chat[0].role == "system":
        raise ConfigError("there are two system prompts: one in the chat, one given apart")
    return (Message("system", system), *chat) if system else chat


def said(answer: Answer) -> Message:
    """An answer as the model's message in a chat."""
    return Message("assistant", answer.text, answer.reasoning or None)


def check_sampling(sampling: Sampling) -> Sampling:
    """`sampling` itself, or `ConfigError` where a value makes no sense."""
    bounds: dict[str, tuple[float, float]] = {
        "temperature": (0, 100),
        "top_k": (0, math.inf),
        "top_p": (0, 1),
        "min_p": (0, 1),
        "repeat_penalty": (1e-3, 100),
        "repeat_last_n": (-1, math.inf),
        "max_tokens": (1, math.inf),
    }
    for name, (least, most) in bounds.items():
        value = getattr(sampling, name)
        if value is not None and not least <= value <= most:
            raise ConfigError(f"{name} is {value}; it has to be from {least:g} to {most:g}")
    return sampling


def with_steps(chat: Chat, wants_steps: Callable[[str], bool]) -> Chat:
    """The chat with `STEPS` after each question that wants them.

    After earlier ones too: a chat that went on must begin as it did before, or nothing of it could
    be used again.
    """
    return tuple(
        dataclasses.replace(message, content=f"{message.content}\n\n{STEPS}")
        if message.role == "user" and wants_steps(message.content)
        else message
        for message in chat
    )


def with_instruction(chat: Chat, instruction: str) -> Chat:
    """The chat with an instruction after the last words of the person."""
    turns = [place for place, message in enumerate(chat) if message.role == "user"]
    at = turns[-1] if turns else len(chat) - 1
    told = dataclasses.replace(chat[at], content=f"{chat[at].content}\n\n{instruction}")
    return (*chat[:at], told, *chat[at + 1 :])


def prepare(
    engine: Engine,
    template: ChatTemplate,
    chat: Chat,
    sampling: Sampling,
    *,
    greedy_draft: bool,
    thinking: bool | None,
    verify: Sequence[Verifier] = (),
    wants_steps: Callable[[str], bool] = lambda _: False,
    structure: Structure | None = None,
) -> Prompt:
    """Render and tokenise `chat`, and settle how its draft and its other samples are drawn.

    Questions for which `wants_steps` holds are followed by `STEPS` where the model was not trained
    to think. A model with a form of its own for answers (`answer_cue`) was trained on that alone,
    and is asked and instructed nothing. `verify` judges every sample, besides the check of written
    arithmetic. A seed is drawn where none was given. With `greedy_draft` the draft is greedy unless
    the person set a temperature.
    """
    if not template.thinks and engine.info.answer_cue is None and structure is None:
        chat = with_steps(chat, wants_steps)
    rendered = template.render(chat, enable_thinking=thinking)
    if structure is not None:
        thinks = rendered.opened_thought or (template.thinks and thinking is not False)
        grammar = structure.grammar_after(
            template.tags if thinks else None, rendered.opened_thought
        )
        sampling = dataclasses.replace(sampling, grammar=grammar)
    samples = sampling.over(engine.info.sampling)
    if samples.seed is None:
        samples = dataclasses.replace(samples, seed=secrets.randbits(31))
    draft = samples
    if sampling.temperature is None:
        if greedy_draft:
            draft = dataclasses.replace(samples, temperature=0.0)
        if samples.temperature == 0:
            samples = dataclasses.replace(samples, temperature=USUAL_TEMPERATURE)

    def other(longer: Chat) -> tuple[tuple[int, ...], bool]:
        rendered = template.render(longer, enable_thinking=thinking)
        return tuple(tokenize(rendered, engine.vocabulary)), rendered.opened_thought

    def revision(completion: Completion, objection: str) -> tuple[tuple[int, ...], bool]:
        said = Message("assistant", completion.text, completion.reasoning or None)
        return other((*chat, said, Message("user", objection)))

    def instructed(instruction: str) -> tuple[tuple[int, ...], bool]:
        return other(with_instruction(chat, instruction))

    return Prompt(
        tokens=tuple(tokenize(rendered, engine.vocabulary)),
        opened_thought=rendered.opened_thought,
        tags=template.tags,
        draft=draft,
        samples=samples,
        revision=revision,
        verifiers=(arithmetic, *verify),
        structure=structure,
        instructed=instructed if engine.info.answer_cue is None else None,
    )
