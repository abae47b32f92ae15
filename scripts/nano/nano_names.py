"""Names of the weights in NanoModel and in GGUF files.

Reached from export_gguf.py and nano_start.py.
"""

from __future__ import annotations

_BLOCK = {
    "attention_norm": "attn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "output": "attn_output",
    "feed_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
_WHOLE = {"embedding": "token_embd", "norm": "output_norm", "head": "output"}
_BACK = {theirs: ours for ours, theirs in (_BLOCK | _WHOLE).items()}


def gguf_name(name: str) -> str:
    """`blocks.3.query.weight` -> `blk.3.attn_q.weight`."""
    parts = name.split(".")
    if parts[0] == "blocks":
        return f"blk.{parts[1]}.{_BLOCK[parts[2]]}.weight"
    return f"{_WHOLE[parts[0]]}.weight"


def torch_name(name: str) -> str:
    """`blk.3.attn_q.weight` -> `blocks.3.query.weight`."""
    parts = name.split(".")
    if parts[0] == "blk":
        return f"blocks.{parts[1]}.{_BACK[parts[2]]}.weight"
    return f"{_BACK[parts[0]]}.weight"
