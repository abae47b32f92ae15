"""onnxruntime sessions, and one run of a decoder over buffers that belong to us.

Past and present are bound by address (`IOBinding`), so no run copies a cache through Python. The
one thing that a graph copies is its own concatenation of past and new keys.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgemind.engines.base import Interrupted
from edgemind.engines.onnx.folder import ModelFiles
from edgemind.engines.onnx.layout import BRANCH, IDS, MASK, POSITIONS, SLOTS, read_layout
from edgemind.errors import ModelError, ModelInvalid, ModelUnsupported

Array = npt.NDArray[Any]
Logits = npt.NDArray[np.float32]
CPU = "CPUExecutionProvider"
SILENT = 4
"""onnxruntime's severity "fatal": refused models are reported by exceptions, not on stderr."""
LOGITS_BYTES = 64 << 20
"""Most memory for the logits of a chunk of a prompt, where a graph gives those of every token."""
CHUNK_TOKENS = 512
WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
LEAST_CHUNK_TOKENS = 16
LONG_CHUNK_TOKENS = 256
"""From so many on memory is given back after a run; the next long one takes milliseconds more."""


def load_onnxruntime() -> Any:
    """The library, told before its import that it must not report anything to anybody."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        library = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ModelError(
            f"onnxruntime is missing ({error}): run `pip install onnxruntime`"
        ) from None
    library.set_default_logger_severity(SILENT)
    return library


class Binding:
    """Binds arrays by address. What stays where it was is not bound again.

    An array has to live until the run that it is bound for is over.
    """

    def __init__(self, session: Any) -> None:
        self.raw: Any = session.io_binding()
        # What the public methods call: they make the same device anew each time, which takes
        # longer than the binding itself, and a step binds four arrays for each layer.
        inner: Any = getattr(self.raw, "_iobinding", None)
        device = _processor() if inner is not None else None
        owner = self.raw if device is None else inner
        self._where = ("cpu", 0) if device is None else (device,)
        self._input, self._output = owner.bind_input, owner.bind_output
        self._bound: dict[str, tuple[int, tuple[int, ...]]] = {}

    def take(self, name: str, array: Array) -> None:
        """Let an input be read from an array."""
        self._bind(self._input, name, array)

    def give(self, name: str, array: Array) -> None:
        """Let an output be written into an array."""
        self._bind(self._output, name, array)

    def take_at(self, name: str, kind: Any, shape: tuple[int, ...], address: int) -> None:
        """Let an input be read from an address: whoever knows it saves the asking."""
        self._input(name, *self._where, kind, shape, address)
        self._bound.pop(name, None)

    def give_at(self, name: str, kind: Any, shape: tuple[int, ...], address: int) -> None:
        """Let an output be written to an address."""
        self._output(name, *self._where, kind, shape, address)
        self._bound.pop(name, None)

    def _bind(self, bind: Any, name: str, array: Array) -> None:
        # `array.ctypes` would take longer than all the rest.
        place = (array.__array_interface__["data"][0], array.shape)
        if self._bound.get(name) != place:
            bind(name, *self._where, array.dtype.type, place[1], place[0])
            self._bound[name] = place


class Runner:
    """The sessions of a model. `interrupt` may come from any thread, all else from one.

    `providers` are onnxruntime's names, the processor among them; `threads` of the processor.
    `rewritten` is what stands for the graph: a model, and the folder that its weights are named
    from.
    """

    def __init__(
        self,
        files: ModelFiles,
        providers: Sequence[str],
        threads: int,
        rewritten: tuple[bytes, Path] | None = None,
    ) -> None:
        self._library = library = load_onnxruntime()
        self._stopped = False
        self._options = library.RunOptions()
        # What a long chunk of a prompt takes for its activations is given back after it.
        self._chunk_options = library.RunOptions()
        self._chunk_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        for options in (self._options, self._chunk_options):
            options.log_severity_level = SILENT
            # The default, but written down: where it is not, onnxruntime's Python throws and
            # catches an exception of C++ at each run to learn that, 60 µs and more.
            options.add_run_config_entry("gpu_graph_id", "0")
        settings = library.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = SILENT
        # It keeps a plan for every shape it has seen, and here every step has another shape.
        settings.enable_mem_pattern = False
        self._sessions: list[Any] = []
        if rewritten is not None:
            settings.add_session_config_entry(WEIGHTS_FOLDER, str(rewritten[1]))
        for path in files.paths:
            model = str(path) if rewritten is None else rewritten[0]
            try:
                session = library.InferenceSession(model, settings, providers=list(providers))
            except Exception as error:  # its exceptions have no common base but this one
                raise _refused(str(path), error) from None
            self._sessions.append(session)
        pair = len(self._sessions) > 1
        self.layouts = [
            read_layout(session, str(path), first_of_pair=pair and index == 0)
            for index, (session, path) in enumerate(zip(self._sessions, files.paths, strict=True))
        ]
        self.layout = self.layouts[-1]
        if not self.layout.past:
            raise ModelUnsupported(f"{files.paths[-1]} takes no past")
        if {t.present for t in self.layouts[0].tensors} != {t.present for t in self.layout.tensors}:
            raise ModelUnsupported(f"the two graphs of {files.home} keep different caches")
        self.bindings = [Binding(session) for session in self._sessions]
        self.providers: list[str] = list(self._sessions[-1].get_providers())
        self.metadata: dict[str, str] = dict(self._sessions[0].get_modelmeta().custom_metadata_map)
        self.vocabulary_size = 0
        self._logits: Array = np.empty(0, self.layout.logits_kind)
        self._given: Array | None = None

    @property
    def chunk_tokens(self) -> int:
        """Tokens of a prompt for one run, so that its logits stay small."""
        if self.layout.keep or self.layout.last_only:
            return CHUNK_TOKENS
        fitting = LOGITS_BYTES // (4 * max(1, self.vocabulary_size))
        return max(LEAST_CHUNK_TOKENS, min(CHUNK_TOKENS, fitting))

    @property
    def is_stopped(self) -> bool:
        """Whether the next run is refused."""
        return self._stopped

    def interrupt(self) -> None:
        """Cut the running run between two nodes and refuse the next. Any thread."""
        self._stopped = self._options.terminate = self._chunk_options.terminate = True

    def resume(self) -> None:
        """Let runs go again."""
        self._stopped = self._options.terminate = self._chunk_options.terminate = False

    def run(
        self,
        ids: Array,
        mask: Array,
        positions: Array,
        past: Sequence[Array],
        present: Sequence[Array],
    ) -> Logits:
        """Evaluate `ids` of (rows, new tokens); the logits of each row's last, (rows, vocabulary).

        `mask` is of (rows, slots + new tokens), `positions` as `ids`. `past` holds a contiguous
        array of (rows, heads, slots, width) for each tensor of the layout, `present` those to be
        written, with the new tokens in them; the same ones where the graph writes in place. The
        logits are overwritten by the next run. Raises `Interrupted` (then `past` is as before).
        """
        rows, length = ids.shape
        slots = past[0].shape[2]
        which = 0 if not slots else len(self._sessions) - 1
        layout, binding = self.layouts[which], self.bindings[which]
        values = {
            IDS: ids,
            MASK: mask,
            POSITIONS: positions,
            SLOTS: np.arange(slots, slots + length),
            layout.keep: np.ones((1,) * layout.keep_rank),
        }
        alive = []
        for name, kind in layout.integers.items():
            value = np.asarray(values[name], dtype=kind, order="C")
            alive.append(value)
            binding.take(name, value)
        if layout.branch:
            flag = np.array([slots > 0])
            alive.append(flag)
            binding.take(BRANCH, flag)
        for tensor, old, new in zip(layout.tensors, past, present, strict=True):
            if layout.past:
                binding.take(tensor.past, old)
            binding.give(tensor.present, new)
        last_only = bool(layout.keep) or layout.last_only
        self.bind_logits(which, rows, 1 if last_only else length)
        return self.execute(which, length >= LONG_CHUNK_TOKENS)

    def execute(self, which: int, long: bool = False) -> Logits:
        """Run a session over what is bound to it; the logits of each row's last token.

        After a `long` chunk its activations are given back. Raises as `run` does.
        """
        if self._stopped:
            raise Interrupted
        binding, options = self.bindings[which], self._chunk_options if long else self._options
        try:
            self._sessions[which].run_with_iobinding(binding.raw, options)
        except Exception as error:  # onnxruntime raises RuntimeError and types of its own
            if self._stopped:
                raise Interrupted from None
            raise ModelError(f"onnxruntime failed in a run: {_first_line(error)}") from None
        logits = self._given
        if logits is None:
            logits = binding.raw.get_outputs()[-1].numpy()  # bound last
            self.vocabulary_size = int(logits.shape[2])
        last = logits[:, -1, :]
        return last if last.dtype == np.float32 else last.astype(np.float32)

    def bind_logits(self, which: int, rows: int, length: int = 1) -> None:
        """Bind a buffer for a session's logits, once a first run has told the vocabulary's size."""
        binding = self.bindings[which]
        if not self.vocabulary_size:
            binding.raw.bind_output("logits", "cpu")
            return
        size = rows * length * self.vocabulary_size
        if self._logits.size < size or self._logits.size > 4 * size:
            self._logits = np.empty(size, self.layout.logits_kind)
        self._given = self._logits[:size].reshape(rows, length, self.vocabulary_size)
        binding.give("logits", self._given)

    def close(self) -> None:
        """Free the sessions."""
        self.bindings.clear()
        self._sessions.clear()
        self._given = None
        self._logits = np.empty(0, np.float32)


def _processor() -> Any:
    """onnxruntime's object for the processor's memory; None where it cannot be had."""
    try:
        return load_onnxruntime().OrtDevice.make("cpu", 0)._get_c_device()
    except AttributeError:
        return None


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _refused(name: str, error: BaseException) -> ModelError:
    """An exception of onnxruntime while it opened a file, as one of ours."""
    text = _first_line(error)
    kind = type(error).__name__
    if kind in ("NotImplemented", "InvalidGraph") or "not a registered function" in text:
        return ModelUnsupported(f"onnxruntime cannot run {name}: {text}")
    return ModelInvalid(f"cannot load {name}: {text}")
