"""The network of edgemind-nano: a Llama-shaped decoder, small enough for two CPU cores.

Reached from train.py, the exporters and evaluate.py. Everything here has an exact counterpart in
the `llama` architecture of GGUF (RMSNorm, rotary embedding on adjacent pairs, SwiGLU, no biases),
so a trained checkpoint runs in llama.cpp unchanged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Shape of the network; `width` and `hidden` are multiples of 256 so that K-quants fit.

    `tied`: the head is the embedding. Then one direction of the network copies any token, where
    an own head has to learn to copy each token by itself (docs/log.md has the figures).
    """

    vocabulary: int = 2048
    width: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 4
    hidden: int = 512
    context: int = 2048
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5
    tied: bool = True

    def __post_init__(self) -> None:
        if self.width % self.heads or self.heads % self.kv_heads:
            raise ValueError("width must divide into heads, and heads into kv_heads")

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    def as_dict(self) -> dict[str, int | float]:
        return asdict(self)


def rope_table(config: ModelConfig, length: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of shape [length, head_width / 2], float32."""
    half = torch.arange(0, config.head_width, 2, dtype=torch.float32)
    frequencies = config.rope_base ** (-half / config.head_width)
    angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate adjacent pairs (x0, x1), (x2, x3)…, the layout llama.cpp uses for `llama`.

    x: [batch, heads, length, head_width]; cos and sin: [length, head_width / 2].
    """
    pairs = x.float().unflatten(-1, (-1, 2))
    even, odd = pairs.unbind(-1)
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2).to(x.dtype)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal attention written out, [batch, heads, length, head_width].

    For rows of a hundred tokens the backward pass of the fused CPU kernel takes several times as
    long as these plain products.
    """
    if query.device.type != "cpu":
        grouped = query.shape[1] != key.shape[1]
        return F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=grouped)
    if query.shape[1] != key.shape[1]:
        repeats = query.shape[1] // key.shape[1]
        key, value = (x.repeat_interleave(repeats, 1) for x in (key, value))
    scores = (query * query.shape[-1] ** -0.5) @ key.mT
    length = scores.shape[-1]
    hidden = torch.ones(length, length, dtype=torch.bool, device=scores.device).triu(1)
    scores = scores.masked_fill(hidden, -torch.inf)
    return scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value


class RMSNorm(nn.Module):
    """Root-mean-square norm with a learned gain, computed in float32."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        y = x.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.epsilon)
        return (y * self.weight).to(x.dtype)


class Block(nn.Module):
    """Attention and a gated feed-forward layer, each behind a norm and a residual."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, head = config.width, config.head_width
        self.attention_norm = RMSNorm(width, config.norm_epsilon)
        self.query = nn.Linear(width, config.heads * head, bias=False)
        self.key = nn.Linear(width, config.kv_heads * head, bias=False)
        self.value = nn.Linear(width, config.kv_heads * head, bias=False)
        self.output = nn.Linear(config.heads * head, width, bias=False)
        self.feed_norm = RMSNorm(width, config.norm_epsilon)
        self.gate = nn.Linear(width, config.hidden, bias=False)
        self.up = nn.Linear(width, config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, cache: KVCache | None) -> Tensor:
        config = self.config
        normed = self.attention_norm(x)
        shape = (*x.shape[:2], -1, config.head_width)
        query = rotate(self.query(normed).view(shape).transpose(1, 2), cos, sin)
        key = rotate(self.key(normed).view(shape).transpose(1, 2), cos, sin)
        value = self.value(normed).view(shape).transpose(1, 2)
        if cache is None:
            mixed = attend(query, key, value)
        else:
            key, value, mask = cache.extend(self, key, value)
            mixed = F.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, enable_gqa=config.heads != config.kv_heads
            )
        x = x + self.output(mixed.transpose(1, 2).flatten(2))
        normed = self.feed_norm(x)
        return x + self.down(F.silu(self.gate(normed)) * self.up(normed))


class KVCache:
    """Keys and values of every block for batched decoding of left-padded prompts.

    `visible` is [batch, length]: False where a row holds padding.
    """

    def __init__(self, visible: Tensor) -> None:
        self.visible = visible
        self.store: dict[Block, tuple[Tensor, Tensor]] = {}

    def extend(self, block: Block, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        new = key.shape[2]
        if block in self.store:
            old_key, old_value = self.store[block]
            key, value = torch.cat((old_key, key), 2), torch.cat((old_value, value), 2)
        self.store[block] = (key, value)
        total = key.shape[2]
        causal = torch.ones(new, total, dtype=torch.bool, device=key.device).tril(total - new)
        mask = causal & self.visible[:, None, None, :total]
        # A row of padding sees nothing; let it see itself so that its softmax is defined.
        own = torch.eye(total, dtype=torch.bool, device=key.device)[total - new :]
        return key, value, mask | own

    def select(self, rows: Tensor) -> None:
        """Keep only these rows (finished ones leave the batch)."""
        self.visible = self.visible[rows]
        self.store = {b: (k[rows], v[rows]) for b, (k, v) in self.store.items()}


class NanoModel(nn.Module):
    """Token ids [batch, length] to hidden states, and to logits with `head`."""

    cos: Tensor
    sin: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_epsilon)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        if config.tied:
            self.head.weight = self.embedding.weight
        cos, sin = rope_table(config, config.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        if self.config.tied:
            nn.init.normal_(self.embedding.weight, std=self.config.width**-0.5)
        else:
            nn.init.normal_(self.embedding.weight, std=0.5)
            nn.init.zeros_(self.head.weight)
        for block in self.blocks:
            assert isinstance(block, Block)
            for layer in (block.query, block.key, block.value, block.gate, block.up):
                nn.init.normal_(layer.weight, std=self.config.width**-0.5)
            # Blocks start as the identity: the residual path carries the first steps.
            nn.init.zeros_(block.output.weight)
            nn.init.zeros_(block.down.weight)

    def hidden(self, ids: Tensor, start: int = 0, cache: KVCache | None = None) -> Tensor:
        """Final normed states [batch, length, width]; `start` is the first position."""
        end = start + ids.shape[1]
        cos, sin = self.cos[start:end], self.sin[start:end]
        x = self.embedding(ids)
        if torch.is_autocast_enabled(x.device.type):
            x = x.to(torch.get_autocast_dtype(x.device.type))
        for block in self.blocks:
            x = block(x, cos, sin, cache)
        normed: Tensor = self.norm(x)
        return normed

    def forward(self, ids: Tensor) -> Tensor:
        logits: Tensor = self.head(self.hidden(ids))
        return logits

    def loss(self, ids: Tensor, places: Tensor, wanted: Tensor) -> Tensor:
        """Mean cross-entropy of `wanted` after the tokens at `places` of the flattened ids.

        The head runs only there: prompts and padding never reach it.
        """
        states = self.hidden(ids).flatten(0, 1)
        return F.cross_entropy(self.head(states[places]).float(), wanted)
