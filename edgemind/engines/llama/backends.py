"""llama.cpp's code for the processor, where it is a file for each kind of processor.

An ordinary build of llama.cpp is made for one processor and has that code inside; nothing is to do
then. A portable one (`packaging/build_portable_wheel`) holds it several times, from what every
processor of the architecture knows to the newest, and llama.cpp loads the best that runs here.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from edgemind.errors import ConfigError, ModelError

VARIANT: Final = "EDGEMIND_CPU_VARIANT"
"""Names the variant to load instead of the best, to tell a fault of one from a fault of all."""
_FILE: Final = re.compile(r"(?:lib)?ggml-cpu-(.+)\.(?:so|dylib|dll)")


def variants(folder: Path) -> dict[str, Path]:
    """The files with code for the processor in `folder`, by name; none in an ordinary build."""
    try:
        found = ((_FILE.fullmatch(path.name), path) for path in folder.iterdir())
        return {match[1]: path for match, path in found if match is not None}
    except OSError:
        return {}


def load_backends(
    api: Any, folder: Path | None = None, environment: Mapping[str, str] = os.environ
) -> None:
    """Let llama.cpp load what lies in `folder`, by default where its own library lies.

    The second time does nothing. Raises `ConfigError` where `EDGEMIND_CPU_VARIANT` names none,
    `ModelError` where nothing could be loaded.
    """
    folder = folder or Path(api.__file__).parent / "lib"
    known = variants(folder)
    if not known:
        return
    library = api._lib  # it leads to the functions of the libraries that it needs, too
    library.ggml_backend_reg_count.restype = ctypes.c_size_t
    if library.ggml_backend_reg_count():
        return
    # Otherwise what it loads is told on stderr; whoever wants the log asks for it later.
    silent = ctypes.cast(ctypes.CDLL(None).abs, api.llama_log_callback)
    api.llama_log_set(silent, ctypes.c_void_p(0))
    if name := environment.get(VARIANT):
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise ConfigError(f"{VARIANT}: this build has no variant {name!r}; {hint}")
        library.ggml_backend_load(os.fsencode(known[name]))
    else:
        library.ggml_backend_load_all_from_path(os.fsencode(folder))
    if not library.ggml_backend_reg_count():
        which = f"{name!r}, which {VARIANT} names," if name else f"any of {folder}"
        raise ModelError(f"llama.cpp could not load {which}: it is not for this processor")
