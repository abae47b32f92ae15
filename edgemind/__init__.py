"""edgemind: on-device reasoning within a fixed budget.

    import edgemind

    with edgemind.load() as mind:
        answer = mind.ask("What is 17 * 23?", budget=edgemind.Budget(seconds=5))
        print(answer.text)

Importing it imports nothing: each name comes at its first use, and a model's library when a model
is opened. So the program's own children, which never answer, start sooner, and its command line
comes to handle Ctrl-C before anything else.
"""

TYPE_CHECKING = False  # typing's, which takes longer to import than all of this
if TYPE_CHECKING:
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
    from edgemind.events import Event, Finished, Text
    from edgemind.loading import load
    from edgemind.runtime import Mind
    from edgemind.types import Answer, Budget, Chat, Message, Sampling, Spent, Token
del TYPE_CHECKING

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
    if name in __all__:
        import importlib

        # From what is soonest imported to what is latest.
        for place in ("errors", "types", "events", "runtime", "loading"):
            module = importlib.import_module(f"edgemind.{place}")
            if (found := getattr(module, name, None)) is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
