"""Permission to read is a thing of the user that runs the tests: here it is a thing of the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From the call on, files whose name begins so cannot be opened by the meters."""

    def denied(prefix: str) -> None:
        def guarded_open(path: Path, *arguments: Any, **options: Any) -> IO[Any]:
            if path.name.startswith(prefix):
                raise PermissionError(13, "Permission denied", str(path))
            return open(path, *arguments, **options)  # type: ignore[no-any-return]

        monkeypatch.setattr("edgemind.meters.base.open", guarded_open, raising=False)

    return denied
