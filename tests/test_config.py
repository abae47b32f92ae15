"""config.toml: what it may say, and how it complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.config import Config, Limits, config_file, load_config
from edgemind.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_no_file_is_the_default(home: Path) -> None:
    assert load_config() == Config()
    assert load_config().usage.record
    assert load_config().low_battery is None
    assert config_file() == home / ".config" / "edgemind" / "config.toml"


def test_a_whole_file(file: Path) -> None:
    file.write_text(
        """
        [budget]
        seconds = 30
        tokens = 2_000
        joules_per_day = 20_000
        seconds_per_day = 3600.5
        joules_per_conversation = 900
        below_battery = { percent = 25, joules = 20, joules_per_day = 2_000 }

        [usage]
        record = true
        """
    )
    config = load_config(file)
    assert config.budget.seconds == 30.0
    assert config.budget.tokens == 2000
    assert config.budget.seconds_per_day == 3600.5
    assert config.low_battery == (25.0, Limits(joules=20.0, joules_per_day=2000.0))
    low = config.budget.under(config.low_battery[1])
    assert low == Limits(
        seconds=30.0,
        joules=20.0,
        tokens=2000,
        joules_per_conversation=900.0,
        seconds_per_day=3600.5,
        joules_per_day=2000.0,
    )


def test_a_profile_for_a_low_battery(file: Path) -> None:
    file.write_text(
        """
        budget.below_battery = { profile = "saving", seconds = 4 }
        [profile.saving.budget]
        seconds = 10
        joules = 5
        """
    )
    assert load_config(file).low_battery == (20.0, Limits(seconds=4.0, joules=5.0))


def test_the_environment_names_the_file(file: Path) -> None:
    file.write_text("usage.record = false")
    assert not load_config(environment={"EDGEMIND_CONFIG": str(file)}).usage.record
    with pytest.raises(ConfigError, match=r"no configuration file .*none"):
        load_config(environment={"EDGEMIND_CONFIG": str(file.with_name("none"))})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "budget.joules_per_dya = 5",
            "budget.joules_per_dya is no setting: did you mean joules_pe",
        ),
        ("bugdet.seconds = 5", "bugdet is no setting: did you mean budget"),
        (
            "zzz = 5",
            "zzz is no setting: there are budget, desktop, gpu_layers, history, model, profile,",
        ),
        ("budget = 5", "budget has to be a table, not 5"),
        ("profile = 5", "profile has to be a table, not 5"),
        ("budget.seconds = 0", "budget.seconds has to be a number above 0, not 0"),
        ("budget.seconds = -1.5", "above 0, not -1.5"),
        ("budget.seconds = nan", "above 0, not nan"),
        ("budget.seconds = inf", "above 0, not inf"),
        ("budget.seconds = true", "above 0, not True"),
        ("budget.seconds = '5'", "above 0, not '5'"),
        ("budget.tokens = 1.5", "whole number from 1, not 1.5"),
        ("budget.tokens = 0", "whole number from 1, not 0"),
        ("usage.record = 'no'", "true or false, not 'no'"),
        ("budget.below_battery = 20", "budget.below_battery has to be a table"),
        ("budget.below_battery = { percent = 101, joules = 1 }", "from 1 to 100, not 101"),
        ("budget.below_battery = { percent = 20 }", "sets no limit"),
        ("budget.below_battery = { profile = '' }", "a name in quotes"),
        ("budget.below_battery = { profile = 'a' }", "'a' is no profile: there are none"),
        (
            "budget.below_battery = { profile = 'savin' }\nprofile.saving.budget.joules = 1",
            "did you mean saving",
        ),
        ("profile.a.budget.joule = 1", "profile.a.budget.joule is no setting: did you mean joules"),
        ("usage.record = false\nbudget.joules_per_day = 5", "joules_per_day needs the record"),
        ("budget.seconds = ", "Invalid value"),
        ("x = '" + "y" * 100 + "'\nbudget.seconds = 'z'", "x is no setting"),
    ],
)
def test_what_is_wrong_is_said(file: Path, text: str, complaint: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="utf-8"):
        load_config(file)
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(file)
