"""edgemind: on-device reasoning within a fixed budget.

    import edgemind

    with edgemind.load() as mind:
        answer = mind.ask("What is 17 * 23?", budget=edgemind.Budget(seconds=5))
        print(answer.text)

Importing it loads no engine library; opening a model does.
"""

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
from edgemind.runtime import Mind, load
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
