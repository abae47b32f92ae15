"""What holds for every test: no real home folder, no network, no chance.

- HOME, XDG_* and the like point into temporary folders, EDGEMIND_* are unset: once for the session
  (for what wider fixtures do) and afresh for each test.
- Sockets that could leave the process tree are blocked but for the one module with
  `pytestmark = pytest.mark.network`.
- hypothesis draws the same examples every time; `--hypothesis-profile=explore` looks further.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

NANO = Path(__file__).parents[1] / "models" / "edgemind-nano.gguf"

hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("explore", deadline=None, database=None, max_examples=1000)
hypothesis.settings.load_profile("steady")

# Where edgemind, and the programs whose models it finds, keep their things.
FOLDERS = {
    "HOME": "home",
    "XDG_CACHE_HOME": "home/.cache",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
    "XDG_RUNTIME_DIR": "run",
}
FOREIGN = (
    "HF_HOME",
    "HF_HUB_CACHE",
    "HUGGINGFACE_HUB_CACHE",
    "LLAMA_CACHE",
    "OLLAMA_MODELS",
    "NO_COLOR",
    "FORCE_COLOR",
)


def settle(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Move the user's folders under `folder`, and forget the user's settings."""
    for variable, place in FOLDERS.items():
        (folder / place).mkdir(parents=True, exist_ok=True)
        patch.setenv(variable, str(folder / place))
    for variable in (*FOREIGN, *(name for name in os.environ if name.startswith("EDGEMIND_"))):
        patch.delenv(variable, raising=False)


@pytest.fixture(scope="session", autouse=True)
def _user_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        settle(tmp_path_factory.mktemp("user"), patch)
        # A test that opens onnxruntime without the guard must not send anything either.
        patch.setenv("ORT_DISABLE_TELEMETRY", "1")
        yield


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This test's own, empty home folder; every test has one."""
    folder = tmp_path_factory.mktemp("user")
    settle(folder, monkeypatch)
    return folder / FOLDERS["HOME"]


class NetworkBlocked(RuntimeError):
    """A test outside the module marked `network` used a socket."""


OPEN: dict[str, Any] = {
    name: getattr(socket.socket, name)
    for name in ("bind", "connect", "connect_ex", "sendto", "sendmsg")
}
LOOK_UP: dict[str, Any] = {
    name: getattr(socket, name)
    for name in ("getaddrinfo", "gethostbyaddr", "gethostbyname", "gethostbyname_ex")
}


def refuse(*arguments: Any, **_options: Any) -> NoReturn:
    raise NetworkBlocked(f"no network in tests: {arguments!r}")


def unless_local(original: Any) -> Any:
    """A socket's method that works for Unix sockets only: they lead to this machine."""

    def method(self: socket.socket, *arguments: Any) -> Any:
        return (original if self.family == socket.AF_UNIX else refuse)(self, *arguments)

    return method


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, original in OPEN.items():
            patch.setattr(socket.socket, name, unless_local(original))
        for name in LOOK_UP:
            patch.setattr(socket, name, refuse)
        yield


@pytest.fixture(scope="module", autouse=True)
def _network_where_marked(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("network"):
            for name, original in OPEN.items():
                patch.setattr(socket.socket, name, original)
            for name, original in LOOK_UP.items():
                patch.setattr(socket, name, original)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One module may use the network: a second would be a second place to look."""
    modules = {str(item.path) for item in items if item.get_closest_marker("network")}
    if len(modules) > 1:
        raise pytest.UsageError(f"only one module may be marked network, not {sorted(modules)}")


@pytest.fixture(scope="session")
def nano() -> Path:
    """The bundled model."""
    if not NANO.is_file():
        pytest.fail(f"{NANO} is missing: it belongs to the checkout")
    return NANO
