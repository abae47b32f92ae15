"""edgemind: on-device reasoning within a fixed budget.

    import edgemind

    with edgemind.load() as mind:
        answer = mind.ask("What is 17 * 23?", budget=edgemind.Budget(seconds=5))
        print(answer.text)

Importing it loads no engine library; opening a model does. What answers (`Mind`, `load`) is itself
imported at its first use, so that the program's own children, which never answer, start sooner.
"""

import typing

from edgemind.errors import (
    BudgetError,
    BudgetTooSmall,
    ConfigError,
    ContextFull,
    EdgemindError,
    ModelError,
    ModelInvalid,
    ModelNotFound,
    ModelUnsupported,
    PrivacyError,
)
from edgemind.types import (
    Answer,
    Budget,
    Chat,
    Event,
    Finished,
    Message,
    Sampling,
    Spent,
    Text,
    Token,
)

if typing.TYPE_CHECKING:
    from edgemind.loading import load
    from edgemind.runtime import Mind

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Budget",
    "BudgetError",
    "BudgetTooSmall",
    "Chat",
    "ConfigError",
    "ContextFull",
    "EdgemindError",
    "Event",
    "Finished",
    "Message",
    "Mind",
    "ModelError",
    "ModelInvalid",
    "ModelNotFound",
    "ModelUnsupported",
    "PrivacyError",
    "Sampling",
    "Spent",
    "Text",
    "Token",
    "__version__",
    "load",
]


def __getattr__(name: str) -> object:
    if name == "load":
        from edgemind.loading import load

        return load
    if name == "Mind":
        from edgemind.runtime import Mind

        return Mind
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
