"""Prints README.md's tables of what the boards can be expected to do, computed and marked so.

    python packaging/raspberry-pi/expected.py

Nothing here was measured on a board by this project. A step of one sample reads every weight once:
tokens per second are bandwidth over bytes. A prompt's tokens are limited by multiplications: two
operations for each weight and token. Both rates are taken from what others measured with llama.cpp:

- Pi 5: Qwen2.5-0.5B Q4_K_M decodes 25.8 tokens/s (ggml-org/llama.cpp issue 26484), Llama-3.2-3B
  Q4_K_M (2.0 GB) 5.5 (geerlingguy/ai-benchmarks issue 24): 10 to 11 GB/s. TinyLlama-1.1B Q8_0:
  prompts at 45 tokens/s (llamafile 0.7): 99 billion operations a second.
- Pi 4: the same TinyLlama (1.17 GB) decodes 3 tokens/s, Qwen-1.8B Q4_0 (1.1 GB) 3.05
  (aidatatools/ollama-benchmark pull request 9): 3.5 GB/s. Prompts at 10 tokens/s: 22 billion.
- Pi 3B+ and Zero 2 W: nobody's figures. Their memory carries 3.6 GB/s at most (LPDDR2 at 900 MT/s,
  32 bits); about half of that, as on the others. Their cores do half of the Pi 4's work in a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BITS_BODY: Final = 4.5
"""Of a weight in Q4_0: blocks of 32 with a 16-bit scale."""
Q6_K: Final = 6.5625
"""Bits of a weight of the output head, as llama.cpp's quantiser makes it …"""
Q8_0: Final = 8.5
"""… and where the model's width is no multiple of 256."""
CONTEXT: Final = 2048
SYSTEM_BYTES: Final = 200e6
"""What a Pi without a desktop keeps for itself, about."""
PROGRAM_BYTES: Final = 120e6
"""Python, libraries, and buffers of a step."""


@dataclass(frozen=True, slots=True)
class Board:
    """One kind of board: memory bandwidth and multiplication as llama.cpp gets them."""

    name: str
    gigabytes: tuple[float, ...]
    bytes_per_second: float
    operations_per_second: float


@dataclass(frozen=True, slots=True)
class Model:
    """One size of model: weights in all, those of the head, bytes of cache for a token."""

    name: str
    parameters: float
    head: float
    head_bits: float
    tied: bool
    cache_per_token: int

    @property
    def step_bytes(self) -> float:
        """What one step reads: all but an embedding that is not the head, too."""
        body = self.parameters - self.head * (1 if self.tied else 2)
        return (body * BITS_BODY + self.head * self.head_bits) / 8

    @property
    def file_bytes(self) -> float:
        """The file's size in Q4_0."""
        return self.step_bytes + (0 if self.tied else self.head * BITS_BODY / 8)

    @property
    def memory_bytes(self) -> float:
        """What it takes with one sample of `CONTEXT` tokens, the system not included."""
        return self.file_bytes + CONTEXT * self.cache_per_token + PROGRAM_BYTES

    def fits(self, gigabytes: float) -> bool:
        """Whether a board with so much memory holds it and its own system."""
        return self.memory_bytes + SYSTEM_BYTES <= gigabytes * 2**30


BOARDS: Final = (
    Board("Zero 2 W", (0.5,), 1.8e9, 22e9 * 0.5 * 1.0 / 1.5),
    Board("3B+", (1,), 1.8e9, 22e9 * 0.5 * 1.4 / 1.5),
    Board("4", (1, 2, 4, 8), 3.5e9, 22e9),
    Board("5", (1, 2, 4, 8, 16), 10e9, 99e9),
)
# From the models' config.json: layers x key-value heads x size of a head x 2 x 2 bytes.
MODELS: Final = (
    Model("SmolLM2-135M", 135e6, 28e6, Q8_0, True, 30 * 3 * 64 * 4),
    Model("Qwen2.5-0.5B", 494e6, 136e6, Q8_0, True, 24 * 2 * 64 * 4),
    Model("Llama-3.2-1B", 1.24e9, 263e6, Q6_K, True, 16 * 8 * 64 * 4),
    Model("Qwen2.5-1.5B", 1.54e9, 233e6, Q6_K, True, 28 * 2 * 128 * 4),
    Model("Llama-3.2-3B", 3.21e9, 394e6, Q6_K, True, 28 * 8 * 128 * 4),
    Model("Qwen2.5-7B", 7.62e9, 545e6, Q6_K, False, 28 * 4 * 128 * 4),
    Model("Qwen2.5-14B", 14.77e9, 779e6, Q6_K, False, 48 * 8 * 128 * 4),
)


def sizes() -> str:
    """Which model fits which board."""
    lines = [
        f"| model in Q4_0 | file | memory at {CONTEXT:,} tokens | smallest board |",
        "|---|---|---|---|",
    ]
    for model in MODELS:
        fitting = [size for board in BOARDS for size in board.gigabytes if model.fits(size)]
        smallest = f"{min(fitting):g} GB" if fitting else "none"
        lines.append(
            f"| {model.name} | {gigabytes(model.file_bytes)} | {gigabytes(model.memory_bytes)} "
            f"| {smallest} |"
        )
    return "\n".join(lines)


def speeds() -> str:
    """Tokens per second of one sample, and of the prompt, on each board that holds the model."""
    lines = [
        "| model in Q4_0 | " + " | ".join(board.name for board in BOARDS) + " |",
        "|---|" + "---|" * len(BOARDS),
    ]
    for model in MODELS:
        cells = [
            f"{short(board.bytes_per_second / model.step_bytes)} / "
            f"{short(board.operations_per_second / (2 * model.parameters))}"
            if model.fits(max(board.gigabytes))
            else "–"
            for board in BOARDS
        ]
        lines.append(f"| {model.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def gigabytes(size: float) -> str:
    """A size in words."""
    return f"{size / 1e9:.2f} GB"


def short(rate: float) -> str:
    """A rate with as many digits as it is worth."""
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"


if __name__ == "__main__":
    print(sizes(), speeds(), sep="\n\n")
