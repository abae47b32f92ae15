"""Write a checkpoint of train.py as a GGUF file that llama.cpp runs unchanged.

    python scripts/nano/export.py --run /tmp/nano/run --out models/edgemind-nano.gguf

The file appears under its name only when it is complete.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf.quants import quantize
from numpy.typing import NDArray

from nano_model import ModelConfig
from nano_skills import KEY, join, trained_on
from nano_tokenizer import CHAT_TEMPLATE, END_OF_TEXT, SPECIALS, TURN_END

QUANTISATIONS = {
    "f32": gguf.GGMLQuantizationType.F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
    "q5_0": gguf.GGMLQuantizationType.Q5_0,
    "q4_0": gguf.GGMLQuantizationType.Q4_0,
}
_FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "q5_0": gguf.LlamaFileType.MOSTLY_Q5_0,
    "q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
}
_BLOCK_NAMES = {
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
# The sampling that gave majority votes most on the validation split (models/README.md).
SAMPLING = {"temp": 0.7, "top_k": 40, "top_p": 1.0, "min_p": 0.0}


def tensor_name(name: str) -> str:
    """`blocks.3.query.weight` -> `blk.3.attn_q.weight`."""
    whole = {"embedding": "token_embd", "norm": "output_norm", "head": "output"}
    parts = name.split(".")
    if parts[0] == "blocks":
        return f"blk.{parts[1]}.{_BLOCK_NAMES[parts[2]]}.weight"
    return f"{whole[parts[0]]}.weight"


def add_tokenizer(writer: gguf.GGUFWriter, path: Path) -> None:
    """Tokens, types and merges as llama.cpp's `gpt2` model with the `smollm` splitter."""
    model = json.loads(path.read_text())["model"]
    vocabulary = sorted(model["vocab"].items(), key=lambda item: item[1])
    tokens = [token for token, _ in vocabulary]
    kinds = [
        gguf.TokenType.CONTROL if token in SPECIALS else gguf.TokenType.NORMAL for token in tokens
    ]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index(END_OF_TEXT))
    writer.add_eos_token_id(tokens.index(TURN_END))
    writer.add_eot_token_id(tokens.index(TURN_END))
    writer.add_pad_token_id(tokens.index(END_OF_TEXT))
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_metadata(
    writer: gguf.GGUFWriter, config: ModelConfig, quantisation: str, trained: str
) -> None:
    """Shape, licence and the sampling defaults that suit voting."""
    writer.add_name("edgemind-nano")
    writer.add_basename("edgemind-nano")
    writer.add_description(f"A small arithmetic model that shows its steps. {trained}")
    writer.add_license("apache-2.0")
    writer.add_license_name("Apache License 2.0")
    writer.add_languages(["en"])
    writer.add_file_type(_FILE_TYPES[quantisation])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(config.vocabulary)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    writer.add_rope_dimension_count(config.head_width)
    writer.add_rope_freq_base(config.rope_base)
    # What a forced answer starts with: every worked solution ends in such a line.
    writer.add_string("edgemind.answer_cue", "\n#### ")
    for key, value in SAMPLING.items():
        if isinstance(value, float):
            writer.add_float32(f"general.sampling.{key}", value)
        else:
            writer.add_int32(f"general.sampling.{key}", value)


def encoded(
    name: str, array: NDArray[np.float32], quantisation: str
) -> tuple[NDArray[np.generic], gguf.GGMLQuantizationType]:
    """A matrix in the wanted type; norms stay float32."""
    kind = QUANTISATIONS[quantisation]
    if array.ndim == 1 or quantisation == "f32":
        return array, gguf.GGMLQuantizationType.F32
    if name in ("token_embd.weight", "output.weight") and quantisation in ("q5_0", "q4_0"):
        # The head decides digits: it keeps eight bits.
        kind = gguf.GGMLQuantizationType.Q8_0
    return quantize(array, kind), kind


def export(
    run: Path, out: Path, quantisation: str = "q8_0", weights: str = "average"
) -> dict[str, int]:
    """Write `run`'s checkpoint to `out`; returns parameters and bytes."""
    if quantisation not in QUANTISATIONS:
        raise SystemExit(f"unknown type {quantisation}; one of {', '.join(QUANTISATIONS)}")
    checkpoint = run / "checkpoint.pt"
    if not checkpoint.exists():
        raise SystemExit(f"no checkpoint at {checkpoint}")
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu")
    config = ModelConfig(**saved["config"])
    tokens = saved["progress"]["tokens"]
    trained = f"Trained on {tokens / 1e6:.1f} M tokens of generated problems."
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".tmp")
    writer = gguf.GGUFWriter(partial, "llama")
    add_metadata(writer, config, quantisation, trained)
    writer.add_string(KEY, join(trained_on(saved.get("skills"))))
    add_tokenizer(writer, run / "tokenizer.json")
    count = 0
    for name, tensor in saved[weights].items():
        array = np.ascontiguousarray(tensor.float().numpy())
        count += array.size
        data, kind = encoded(tensor_name(name), array, quantisation)
        writer.add_tensor(tensor_name(name), data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, out)
    return {"parameters": count, "bytes": out.stat().st_size, "tokens": tokens}


def main() -> None:
    parser = argparse.ArgumentParser(description="checkpoint to GGUF")
    parser.add_argument("--run", type=Path, required=True, help="folder of train.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", default="q8_0", choices=sorted(QUANTISATIONS))
    parser.add_argument("--weights", default="average", choices=("average", "model"))
    options = parser.parse_args()
    facts = export(options.run, options.out, options.type, options.weights)
    print(f"{options.out}: {json.dumps(facts)}")


if __name__ == "__main__":
    main()
