"""`config.toml` and `EDGEMIND_*`: one strict schema of frozen dataclasses, filled in by a reader.

    model = "qwen3"
    threads = 4

    [budget]
    joules_per_day = 20_000
    below_battery = { percent = 20, joules = 20, joules_per_day = 2_000 }

    [usage]
    record = true

    [history]
    keep = false

    [profile.pi]
    width = 4
    budget.seconds = 20

A value stands in the file, a chosen profile of it goes before that, and an environment variable
before both (`EDGEMIND_WIDTH`, `EDGEMIND_BUDGET_SECONDS`); a command's own options go before all.
`edgemind.settings` puts them together. A table is a dataclass, a key is one of its fields made by
`setting` with the function that checks its value; a new key is one more field. A key that no field
has is refused with the nearest name.
`EDGEMIND_CONFIG` names another file than the one in the person's configuration folder.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from edgemind.errors import ConfigError
from edgemind.folders import config_folder

MAX_BYTES = 1 << 20
T = TypeVar("T")
Reader = Callable[[object, str], Any]
"""Checks one value; the text says where it stands, for `ConfigError`."""


def setting(reader: Reader, default: Any = None, says: str = "") -> Any:
    """A field of a table: how its value is read, and what it is where the file is silent.

    What it `says` stands in the documentation; what is called as an option says what that says.
    """
    made = {"reader": reader, "says": says}
    if callable(default):
        return field(default_factory=default, metadata=made)
    return field(default=default, metadata=made)


def positive(value: object, where: str) -> float:
    """A finite number above 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    raise ConfigError(f"{where} has to be a number above 0, not {_shown(value)}")


def whole(value: object, where: str) -> int:
    """A whole number from 1."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ConfigError(f"{where} has to be a whole number from 1, not {_shown(value)}")


def not_negative(value: object, where: str) -> float:
    """A finite number from 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise ConfigError(f"{where} has to be a number from 0, not {_shown(value)}")


def layers(value: object, where: str) -> int:
    """A whole number from 0, or -1 for all."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= -1:
        return value
    raise ConfigError(
        f"{where} has to be a whole number from 0, or -1 for all, not {_shown(value)}"
    )


def percentage(value: object, where: str) -> float:
    """A number from 1 to 100."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 100:
        return float(value)
    raise ConfigError(f"{where} has to be a number from 1 to 100, not {_shown(value)}")


def switch(value: object, where: str) -> bool:
    """`true` or `false`."""
    if isinstance(value, bool):
        return value
    raise ConfigError(f"{where} has to be true or false, not {_shown(value)}")


def text(value: object, where: str) -> str:
    """A text that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise ConfigError(f"{where} has to be a name in quotes, not {_shown(value)}")


def table(kind: type[T]) -> Reader:
    """A reader of a whole table into the dataclass `kind`."""

    def read(value: object, where: str) -> T:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} has to be a table, not {_shown(value)}")
        fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
        values = {}
        for key, one in value.items():
            place = f"{where}.{key}" if where else str(key)
            if key not in fields:
                raise ConfigError(f"{place} is no setting: {nearest(key, fields)}")
            values[key] = fields[key].metadata["reader"](one, place)
        return kind(**values)

    return read


def inner(kind: type[T], default: Any = None) -> Any:
    """A field that is a table of its own."""
    made = {"reader": table(kind), "table": kind}
    if callable(default):
        return field(default_factory=default, metadata=made)
    return field(default=default, metadata=made)


def named(reader: Reader) -> Reader:
    """A reader of a table whose keys are names that the person chose."""

    def read(value: object, where: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{where} has to be a table, not {_shown(value)}")
        return {str(key): reader(one, f"{where}.{key}") for key, one in value.items()}

    return read


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent. None is no limit.

    `seconds`, `joules`, `tokens` are for one answer that was asked for without such a limit.
    """

    seconds: float | None = setting(positive)
    joules: float | None = setting(positive)
    tokens: int | None = setting(whole)
    seconds_per_conversation: float | None = setting(positive, says="Most seconds for one chat.")
    joules_per_conversation: float | None = setting(positive, says="Most joules for one chat.")
    seconds_per_day: float | None = setting(positive, says="Most seconds for all answers of a day.")
    joules_per_day: float | None = setting(positive, says="Most joules for all answers of a day.")

    def under(self, other: Limits) -> Limits:
        """These limits, with those that `other` sets in their place."""
        names = [each.name for each in dataclasses.fields(Limits)]
        set_there = {key: value for key in names if (value := getattr(other, key)) is not None}
        return Limits(**{key: getattr(self, key) for key in names} | set_there)

    def shared(self) -> list[str]:
        """Names of the limits that only a record can keep: those over many processes."""
        return [
            each.name
            for each in dataclasses.fields(Limits)
            if each.name.endswith("_per_day") and getattr(self, each.name) is not None
        ]


@dataclass(frozen=True, slots=True)
class BelowBattery(Limits):
    """Limits that take the others' place while the battery drains and is below `percent`.

    They stand here, or in a profile of this name.
    """

    percent: float = setting(
        percentage, 20.0, says="The charge below which these limits hold, while it drains."
    )
    profile: str | None = setting(text, says="A profile whose limits hold then.")


@dataclass(frozen=True, slots=True)
class BudgetTable(Limits):
    """`[budget]`."""

    below_battery: BelowBattery | None = inner(BelowBattery)  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class UsageTable:
    """`[usage]`: whether the command line notes what each answer cost (never what it said)."""

    record: bool = setting(switch, True, says="Note what each answer cost, never what it said.")


@dataclass(frozen=True, slots=True)
class HistoryTable:
    """`[history]`: whether the command line keeps what was said (`edgemind history`)."""

    keep: bool = setting(switch, False, says="Keep what was said, for `edgemind history`.")


@dataclass(frozen=True, slots=True)
class Answering:
    """What `ask` and `chat` do where no option says otherwise. Each is called as its option.

    `model` is a name or a path, `width` the most samples of a vote, `worth` the seconds that a
    better answer is worth.
    """

    model: str | None = setting(text)
    strategy: str | None = setting(text)
    width: int | None = setting(whole)
    worth: float | None = setting(not_negative)
    temperature: float | None = setting(not_negative)
    system: str | None = setting(text)
    threads: int | None = setting(whole)
    gpu_layers: int | None = setting(layers)

    def options(self) -> dict[str, Any]:
        """Those that are set, by their options' names."""
        values = ((each.name, getattr(self, each.name)) for each in dataclasses.fields(Answering))
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Profile(Answering):
    """`[profile.NAME]`: settings that take others' place together."""

    budget: Limits = inner(Limits, Limits)  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class Config(Answering):
    """The whole file, or all that holds together with the environment."""

    budget: BudgetTable = inner(BudgetTable, BudgetTable)  # noqa: RUF009
    usage: UsageTable = inner(UsageTable, UsageTable)  # noqa: RUF009
    history: HistoryTable = inner(HistoryTable, HistoryTable)  # noqa: RUF009
    profile: dict[str, Profile] = setting(named(table(Profile)), dict)  # noqa: RUF009

    @property
    def low_battery(self) -> tuple[float, Limits] | None:
        """Below how many per cent which limits hold, those of the profile included."""
        low = self.budget.below_battery
        if low is None:
            return None
        named_limits = Limits() if low.profile is None else self.profile[low.profile].budget
        return low.percent, named_limits.under(low)

    def check(self) -> Config:
        """This configuration, or `ConfigError` where its parts do not go together."""
        low = self.budget.below_battery
        if low is not None and low.profile is not None and low.profile not in self.profile:
            hint = nearest(low.profile, self.profile) if self.profile else "there are none"
            raise ConfigError(f"budget.below_battery.profile {low.profile!r} is no profile: {hint}")
        held = self.low_battery
        if held is not None and held[1] == Limits():
            raise ConfigError("budget.below_battery sets no limit: add joules = … or a profile")
        shared = self.budget.shared() + (held[1].shared() if held is not None else [])
        if shared and not self.usage.record:
            raise ConfigError(f"budget.{shared[0]} needs the record that usage.record switches off")
        return self


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the configuration is: `EDGEMIND_CONFIG`, or the person's configuration folder."""
    if given := environment.get("EDGEMIND_CONFIG"):
        return Path(given).expanduser()
    return config_folder() / "config.toml"


def read_file(path: Path, *, demanded: bool) -> dict[str, Any]:
    """The values in the file at `path`, checked against the schema; none where there is no file.

    Raises `ConfigError` for one that is `demanded` and missing, that cannot be read, is no TOML, or
    sets what cannot be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        if demanded:
            raise ConfigError(f"there is no configuration file {path}") from None
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES >> 20} MiB: that is no configuration")
    import tomllib  # costs a start some milliseconds: only where there is a file

    try:
        values = tomllib.loads(data.decode())
        config: Config = table(Config)(values, "")
        config.check()
        return values
    except (ValueError, ConfigError) as error:  # no UTF-8, no TOML, or not our schema
        raise ConfigError(f"{path}: {error}") from None


def load_config(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """All that holds: the file's values (`path`, or where `config_file` says), those of the profile
    that `EDGEMIND_PROFILE` names, and the environment's.

    Raises `ConfigError` as `read_file` does, and for a profile or a variable that does not exist.
    """
    from edgemind.settings import merged, sources

    config: Config = table(Config)(merged(sources(path, environment)), "")
    return config.check()


def nearest(key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"


def _shown(value: object) -> str:
    return repr(value) if len(repr(value)) <= 40 else f"{repr(value)[:39]}…"
