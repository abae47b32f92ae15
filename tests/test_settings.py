"""File, profile, environment and options, in this order; what is unknown is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgemind.config import Config, load_config
from edgemind.errors import ConfigError
from edgemind.settings import merged, settings, sources, variable

FILE = """
model = "from-file"
width = 8
threads = 2
[budget]
seconds = 30
tokens = 500
[profile.pi]
width = 4
budget.seconds = 20
[profile.battery]
temperature = 0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    return path


def test_each_goes_before_the_one_in_front(file: Path) -> None:
    plain = load_config(file, {})
    assert (plain.model, plain.width, plain.threads) == ("from-file", 8, 2)
    assert plain.options() == {"model": "from-file", "width": 8, "threads": 2}
    pi = load_config(file, {"EDGEMIND_PROFILE": "pi"})
    assert (pi.width, pi.threads, pi.budget.seconds, pi.budget.tokens) == (4, 2, 20.0, 500)
    both = load_config(
        file,
        {
            "EDGEMIND_PROFILE": "pi",
            "EDGEMIND_WIDTH": "3",
            "EDGEMIND_BUDGET_TOKENS": "7",
            "EDGEMIND_MODEL": "5",
            "EDGEMIND_USAGE_RECORD": "false",
            "EDGEMIND_THREADS": "",
        },
    )
    assert (both.width, both.budget.tokens, both.model) == (3, 7, "5")
    assert not both.usage.record and both.threads == 2 and both.budget.seconds == 20.0


def test_an_explicit_zero_is_set(file: Path) -> None:
    assert load_config(file, {"EDGEMIND_PROFILE": "battery"}).options()["temperature"] == 0.0
    assert load_config(file, {"EDGEMIND_GPU_LAYERS": "-1"}).gpu_layers == -1


def test_without_a_file_the_environment_holds(home: Path) -> None:
    assert load_config(environment={"EDGEMIND_WIDTH": "2"}) == Config(width=2)


def test_each_value_says_where_it_stands(file: Path) -> None:
    found = sources(file, {"EDGEMIND_PROFILE": "pi", "EDGEMIND_BUDGET_TOKENS": "7"})
    names = {}
    for source in found:
        names |= dict(source.names)
    assert names[("model",)] == str(file)
    assert names[("width",)] == names[("budget", "seconds")] == f"{file} [profile.pi]"
    assert names[("budget", "tokens")] == "EDGEMIND_BUDGET_TOKENS"
    assert merged(found)["budget"] == {"seconds": 20, "tokens": 7}


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"EDGEMIND_WIDHT": "3"}, "EDGEMIND_WIDHT in the environment is no setting: did you mean "
                                  "EDGEMIND_WIDTH?"),
        ({"EDGEMIND_ZZZZZZZZZ": "3"}, "no setting: `edgemind config show` lists them"),
        ({"EDGEMIND_WIDTH": "three"}, "a whole number from 1, not 'three'"),
        ({"EDGEMIND_WIDTH": "0"}, "EDGEMIND_WIDTH has to be a whole number from 1"),
        ({"EDGEMIND_TEMPERATURE": "-1"}, "EDGEMIND_TEMPERATURE has to be a number from 0"),
        ({"EDGEMIND_GPU_LAYERS": "-2"}, "or -1 for all"),
        ({"EDGEMIND_USAGE_RECORD": "no"}, "has to be true or false, not 'no'"),
        ({"EDGEMIND_PROFILE": "pie"}, "there is no profile 'pie': did you mean pi?"),
        (
            {"EDGEMIND_USAGE_RECORD": "false", "EDGEMIND_BUDGET_JOULES_PER_DAY": "5"},
            "budget.joules_per_day needs the record that usage.record switches off",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(file: Path, variables: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(file, variables)
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


def test_a_profile_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("width = 2")
    with pytest.raises(ConfigError, match=r"no profile 'pi': .*config.toml has none"):
        load_config(tmp_path / "config.toml", {"EDGEMIND_PROFILE": "pi"})


def test_profiles_have_the_same_schema(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[profile.pi]\nwidht = 3")
    with pytest.raises(ConfigError, match=r"profile.pi.widht is no setting: did you mean width\?"):
        load_config(path, {})


def test_every_setting_has_a_variable_of_its_own() -> None:
    names = [variable(key) for key in settings()]
    assert len(set(names)) == len(names) > 20
    assert {"EDGEMIND_MODEL", "EDGEMIND_BUDGET_JOULES_PER_DAY"} < set(names)
