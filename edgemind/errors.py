"""Every error that edgemind raises on purpose. Imports nothing of ours.

::

    EdgemindError
    ├── ModelError            the model file cannot be used
    │   ├── ModelNotFound     no such file or name
    │   ├── ModelInvalid      the file (or its chat template) is damaged or not a model
    │   └── ModelUnsupported  a sound file that this runtime cannot run
    ├── BudgetError           the limits and the prompt do not go together
    │   └── BudgetTooSmall    not even a first word fits
    ├── ContextFull           no room left in the context (or its cache)
    ├── PrivacyError          something tried to reach the network
    └── ConfigError           a setting or an option is wrong

Running out of a budget after the first word is not an error but a finish
reason (`Answer.finish == "budget"`). Each message is one line that says what
to do about it.
"""

from __future__ import annotations


def plain(text: str) -> str:
    """One line fit for a terminal, of a text that a file or a library may have had a hand in."""
    return "".join(char if char.isprintable() else "?" for char in text)


class EdgemindError(Exception):
    """Base of all errors that edgemind raises on purpose."""


class ModelError(EdgemindError):
    """The model cannot be used."""


class ModelNotFound(ModelError):
    """No file or known model has this name."""


class ModelInvalid(ModelError):
    """The file is damaged, truncated or not a model at all."""


class ModelUnsupported(ModelError):
    """The file is sound, but this runtime cannot run that kind of model."""


class BudgetError(EdgemindError):
    """The limits are wrong in themselves, or do not go with the prompt."""


class BudgetTooSmall(BudgetError):
    """The budget ends before the first word can be produced.

    `seconds` and `joules` are the least budget that would do, as predicted; None where unknown.
    """

    def __init__(
        self, message: str, *, seconds: float | None = None, joules: float | None = None
    ) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.joules = joules


class ContextFull(EdgemindError):
    """No room is left: the prompt is longer than the context, or the cache is used up."""


class PrivacyError(EdgemindError):
    """Something tried to reach the network while the lock was on."""


class ConfigError(EdgemindError):
    """A setting or an option is wrong."""
