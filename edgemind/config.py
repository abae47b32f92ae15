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

    [desktop]
    theme = "dark"

    [profile.pi]
    width = 4
    budget.seconds = 20

A value stands in the file, a chosen profile of it goes before that, and an environment variable
before both (`EDGEMIND_WIDTH`, `EDGEMIND_BUDGET_SECONDS`); a command's own options go before all.
`edgemind.settings` puts them together. A table is a dataclass, a key is one of its fields made by
`setting` with the function that checks its value (`edgemind.config_readers`); a new key is one more
field. A key that no field has is refused with the nearest name.
`EDGEMIND_CONFIG` names another file than the one in the person's configuration folder.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgemind.config_readers import (
    inner,
    layers,
    named,
    nearest,
    not_negative,
    one_of,
    percentage,
    positive,
    setting,
    switch,
    table,
    text,
    whole,
)
from edgemind.errors import ConfigError
from edgemind.folders import config_folder

MAX_BYTES = 1 << 20


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
class DesktopTable:
    """`[desktop]`: how the window looks, and what an answer may cost there.

    `effort` is one of its words (quick, balanced, thorough) or limits (`5s 30J`); None takes those
    of `[budget]`, else balanced.
    """

    theme: str = setting(
        one_of("system", "light", "dark"), "system", says="the window's colours; the system's own"
    )
    receipts: bool = setting(switch, True, says="a receipt under every answer in the window")
    thoughts: bool = setting(switch, False, says="whether thoughts stay unfolded in the window")
    effort: str | None = setting(
        text, says="how hard the window lets it think: quick, balanced, thorough, or `5s 30J 200t`"
    )


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
    desktop: DesktopTable = inner(DesktopTable, DesktopTable)  # noqa: RUF009
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
