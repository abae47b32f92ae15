"""The first opening of a model file that nobody vouches for: read, then tried in a locked child.

`check_model` is called before an engine opens a file. It reads the file's header without a library
(`edgemind.catalog`), then lets a child of the program load it, tokenise texts of all kinds and
decode a few tokens: a file that makes llama.cpp abort or hang does so there. What survives is
remembered (`edgemind.catalog.trusted`), so that the next start pays nothing.

The child has limits on memory, processor time and seconds that grow with the file, and the locks of
`edgemind.guard`: no network, no processes, no writing. It runs on the processor, whatever the
engine will use afterwards. It shows that the library survives the file, not that the library has
no hole that a file could use quietly.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from edgemind.catalog.inspection import ONNX, Model, hash_of_template, inspect
from edgemind.catalog.trusted import Fingerprint, TrustedFiles
from edgemind.chat import ChatTemplate
from edgemind.errors import EdgemindError, ModelError, ModelInvalid, ModelUnsupported, plain
from edgemind.types import Message, Sampling
from edgemind.verify.children import CHILDREN, OPEN_FILES, Limits, Say, Task, call

CHECKS: Final = 2
"""Number of the checks' version: a new one makes every file unknown again."""
BASE_SECONDS: Final = 10.0
BYTES_PER_SECOND: Final = 20 << 20
"""A slow disk's; what a large file adds to the seconds."""
BASE_MEMORY: Final = 3 << 30
MEMORY_PER_BYTE: Final = 3
"""The file mapped, its weights once more in the order that the processor likes, and room."""
CONTEXT, WIDTH, BRANCHES = 64, 16, 2
TEMPLATE, TEMPLATE_DONE = "template", "template done"
TEMPLATE_SECONDS: Final = 5.0
LONGEST_REASON, LONGEST_ERROR = 200, 1000

_ERRORS: Final[Mapping[str, type[EdgemindError]]] = MappingProxyType(
    {kind.__name__: kind for kind in (ModelError, ModelInvalid, ModelUnsupported)}
)


def check_model(path: Path, trusted: TrustedFiles) -> None:
    """Raise where the model at `path` (GGUF or ONNX) should not be opened in this process.

    `ModelInvalid` with the reason for a file that is damaged or that its library does not survive,
    `ModelUnsupported` and `ModelNotFound` as they say. A file that was tried before and has not
    changed since costs a look at its size and time.
    """
    if not trusted.holds(path):
        try_model(path, inspect(path), trusted)


def try_model(path: Path, model: Model, trusted: TrustedFiles) -> None:
    """Let a child open the model that was read from `path`, and remember it if that went well."""
    try:
        before = [Fingerprint.of(part) for part in model.parts]
        _probe(path, model)
        after = [Fingerprint.of(part) for part in model.parts]
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from None
    if before != after:
        raise ModelInvalid(f"{path} changed while it was looked at: wait until it is whole")
    trusted.add(path, before, hash_of_template(model))


def trusted_files(folder: Path) -> TrustedFiles:
    """What was tried before, kept in `folder` (edgemind's own data)."""
    return TrustedFiles(folder / "trusted", f"{CHECKS} {_library()}")


def _library() -> str:
    """The build of llama.cpp that is installed, by its files' sizes and times.

    What a package is called would say less, and `importlib.metadata` takes 30 ms to import. A
    frozen program stands for what is in it: one in a single file unpacks its library each time.
    """
    if getattr(sys, "frozen", False):
        program = os.stat(sys.executable)
        return f"frozen {program.st_size} {program.st_mtime_ns}"
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return "none"
    try:
        with os.scandir(Path(spec.origin).parent / "lib") as files:
            known = sorted((one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in files)
    except OSError:
        known = []  # laid out in another way: then only a changed check counts
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def limits_for(size: int, parts: int) -> Limits:
    """What the child may use for a model of `size` bytes in so many parts."""
    seconds = BASE_SECONDS + size / BYTES_PER_SECOND
    return Limits(seconds, BASE_MEMORY + MEMORY_PER_BYTE * size, OPEN_FILES + parts)


def _probe(path: Path, model: Model) -> None:
    """Load the model in a child; raise what it raised, or how it ended."""
    limits = limits_for(model.bytes, len(model.parts))
    request = {"path": os.path.abspath(model.parts[0])}
    # An absolute path with bytes that are no text becomes one with surrogates: JSON keeps those.
    reply = call("probe", request, limits.seconds, limits=limits, errors=True)
    if reply.code is None:
        raise ModelInvalid(
            f"{path} was not loaded within {limits.seconds:.0f} s, tried in a process of its own "
            "(if the machine was busy, try again)"
        )
    for said in reply.said:
        if said == "done" and reply.code == 0:
            return
        # Nothing of what it says is taken on trust: the file may speak through it.
        if isinstance(said, dict) and (kind := _ERRORS.get(str(said.get("error")))) is not None:
            raise kind(plain(str(said.get("text")))[:LONGEST_ERROR])
    if reply.said[-1:] == (TEMPLATE,):
        raise ModelInvalid(
            f"{path} is not usable: its chat template does not end, or ends what renders it"
        )
    raise ModelInvalid(
        f"{path} is not usable: the library that runs it did not survive it, tried in a process "
        f"of its own ({how_it_ended(reply.code, reply.errors)})"
    )


def how_it_ended(code: int, errors: str) -> str:
    """How the child ended: what the library said last, or its signal."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    telling = [line for line in lines if "GGML_A" in line or "what():" in line or "Error" in line]
    if not lines:
        return f"signal {-code}" if code < 0 else f"exit code {code}"
    # Without the folders of whoever compiled it.
    return plain(re.sub(r"\S*/", "", [*telling, lines[-1]][0]))[:LONGEST_REASON]


# What follows happens in the child.


def _work(request: Any, say: Say, _until: float) -> None:
    """Load the model at the request's path and use it a little; say "done", or the error."""
    path = Path(request["path"])
    # A crash tells of itself in one line; a debugger may not be started here anyway.
    os.environ["GGML_NO_BACKTRACE"] = "1"
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[threads] = "1"  # each thread would reserve address space
    try:
        if path.suffix == ONNX:
            _use_onnx(path)
        else:
            _use_gguf(path, say)
    except EdgemindError as error:
        known = type(error).__name__
        say({"error": known if known in _ERRORS else "ModelUnsupported", "text": str(error)})
    else:
        say("done")


def _use_gguf(path: Path, say: Say) -> None:
    from edgemind.engines.llama import LlamaEngine

    engine = LlamaEngine(path, context=CONTEXT, width=WIDTH, threads=1)
    vocabulary = engine.vocabulary
    for special in (False, True):
        tokens = [token for text in _TEXTS for token in vocabulary.encode(text, special)]
        vocabulary.decode(tokens)
    for token in range(vocabulary.size):
        vocabulary.piece(token)
        vocabulary.is_end(token)
    len(vocabulary.specials)
    _render(engine.info.template, vocabulary.specials, say)
    prompt = (vocabulary.encode("What is 17 * 23?", False) or [0])[:8]
    branch = engine.prefill(prompt, Sampling(seed=1, max_tokens=4))
    branches = engine.fork(branch, [Sampling(seed=seed, max_tokens=4) for seed in range(BRANCHES)])
    for _ in range(2):
        engine.step(branches)
    engine.close()


def _render(source: str | None, specials: Iterable[str], say: Say) -> None:
    """Render a chat by the model's template; one that does not end is ended by a signal."""
    say(TEMPLATE)
    template = ChatTemplate(source, specials=specials)
    signal.setitimer(signal.ITIMER_REAL, TEMPLATE_SECONDS)
    with suppress(ModelUnsupported):  # some refuse a chat that they have reasons to refuse
        template.render((Message("system", "Be brief."), Message("user", "What is 17 * 23?")))
    signal.setitimer(signal.ITIMER_REAL, 0)
    say(TEMPLATE_DONE)


def _use_onnx(path: Path) -> None:
    """Only a session is made: what its inputs are is the engine's business."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(os.fspath(path), options, ["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's own exceptions have no common ancestor but this.
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        raise ModelInvalid(f"{path} is not usable: {reason}") from None


_TEXTS: Final = (
    "What is 17 * 23?\n\n\tIt's 391, isn't it? ",
    "".join(map(chr, range(128))),
    # Every byte that UTF-8 is made of, in characters that few vocabularies hold.
    "".join(chr(lead << 6 | low) for lead in range(2, 32) for low in (0, 21, 42, 63)),
    "".join(chr(lead << 12 | mid << 6) for lead in range(16) for mid in (32, 63) if lead != 13),
    "".join(chr(lead << 18 | 16 << 12 | 63 << 6 | low) for lead in range(4) for low in range(64)),
    "\U0010ffff\U000f0000\ud7fd\ue000\ufffd日本語 Ελληνικά עברית 🙂 ",
    " " * 50 + "a" * 300 + "\0" + "1234567890" * 5,
)

TASKS: Final[Mapping[str, Task]] = MappingProxyType({**CHILDREN, "probe": _work})
"""All children of the program: those of verifiers, and the probe."""
