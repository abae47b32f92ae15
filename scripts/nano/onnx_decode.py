"""The ONNX export as a `Decoder`: onnxruntime, the cache handed from one run to the next.

Reached from evaluate.py (`--onnx FOLDER`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class OnnxDecoder:
    """`Decoder` of a folder that export_onnx.py wrote; `name` picks one of its models."""

    def __init__(self, folder: Path, name: str = "model_quantized.onnx", threads: int = 2) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        path = folder / name
        if not path.is_file():
            raise SystemExit(f"there is no {path}; export_onnx.py writes it")
        self._session: Any = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [
            (entry.name, entry.shape)
            for entry in self._session.get_inputs()
            if entry.name.startswith("past_key_values.")
        ]
        self._past: dict[str, NDArray[np.float32]] = {}
        self._visible = np.zeros((0, 0), dtype=np.int64)
        self._starts = np.zeros(0, dtype=np.int64)

    def begin(self, ids: Tensor, visible: Tensor) -> Tensor:
        rows, length = ids.shape
        self._visible = visible.numpy().astype(np.int64)
        self._starts = length - self._visible[:, :length].sum(1)
        self._past = {
            name: np.zeros((rows, shape[1], 0, shape[3]), dtype=np.float32)
            for name, shape in self._inputs
        }
        return self._next(ids.numpy())

    def step(self, ids: Tensor) -> Tensor:
        return self._next(ids.numpy()[:, None])

    def select(self, rows: Tensor) -> None:
        keep = rows.numpy()
        self._visible, self._starts = self._visible[keep], self._starts[keep]
        self._past = {name: cache[keep] for name, cache in self._past.items()}

    def _next(self, ids: NDArray[np.int64]) -> Tensor:
        held = next(iter(self._past.values())).shape[2]
        places = np.arange(held, held + ids.shape[1]) - self._starts[:, None]
        logits, *present = self._session.run(
            None,
            {
                "input_ids": ids,
                "attention_mask": self._visible[:, : held + ids.shape[1]],
                "position_ids": np.maximum(places, 0),
                **self._past,
            },
        )
        self._past = dict(zip(self._past, present, strict=True))
        return torch.from_numpy(logits[:, -1])
