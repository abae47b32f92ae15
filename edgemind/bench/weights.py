"""How many bytes of weights one token has to be held against: what memory's speed bounds."""

from __future__ import annotations

from edgemind.card import Card
from edgemind.catalog.gguf_header import Tensor, read_header
from edgemind.catalog.gguf_model import inspect_gguf

EMBEDDING, HEAD = b"token_embd.weight", b"output.weight"
EXPERTS = b"_exps."


def bytes_per_token(card: Card) -> int:
    """Bytes of all weights that a step of one branch reads.

    Of an embedding that is not the head too, one row is read; of experts, those that are used. Of
    ONNX models all weights are counted, which is at most what is read.
    """
    if card.format == "ONNX":
        return card.bytes
    tensors = [tensor for part in card.files for tensor in read_header(part).tensors]
    metadata = inspect_gguf(card.path).metadata

    def number(key: str) -> int:
        text = metadata.get(f"{card.architecture}.{key}", "")
        return int(text) if text.isdecimal() else 0

    experts, used = number("expert_count"), number("expert_used_count")
    tied = all(tensor.name != HEAD for tensor in tensors)
    total = 0
    for tensor in tensors:
        size = _size(tensor)
        if tensor.name == EMBEDDING and not tied:
            continue
        if EXPERTS in tensor.name and experts and 0 < used < experts:
            size = size * used // experts
        total += size
    return total


def _size(tensor: Tensor) -> int:
    return tensor.elements // tensor.type.block * tensor.type.size
