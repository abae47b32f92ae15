"""Write a checkpoint of train.py as a GGUF file that llama.cpp runs unchanged.

    python scripts/nano/export_gguf.py --from /tmp/nano/run --out models/edgemind-nano.gguf

The file appears under its name only when it is complete.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import gguf
import numpy as np
from gguf.quants import quantize
from numpy.typing import NDArray

from nano_checkpoint import ANSWER_CUE, SAMPLING, load_checkpoint
from nano_model import ModelConfig
from nano_names import gguf_name
from nano_skills import KEY, join
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


def add_tokenizer(writer: gguf.GGUFWriter, text: str) -> None:
    """Tokens, types and merges as llama.cpp's `gpt2` model with the `smollm` splitter."""
    model = json.loads(text)["model"]
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
    writer.add_string("edgemind.answer_cue", ANSWER_CUE)
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


def export_gguf(
    source: Path, out: Path, quantisation: str = "q8_0", weights: str = "average"
) -> dict[str, int]:
    """Write the checkpoint of `source`, a run's folder or a GGUF file, to `out`.

    Returns parameters, bytes and tokens trained on.
    """
    if quantisation not in QUANTISATIONS:
        raise SystemExit(f"unknown type {quantisation}; one of {', '.join(QUANTISATIONS)}")
    saved = load_checkpoint(source, weights)
    trained = f"Trained on {saved.tokens / 1e6:.1f} M tokens of generated problems."
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".tmp")
    writer = gguf.GGUFWriter(partial, "llama")
    add_metadata(writer, saved.config, quantisation, trained)
    writer.add_string(KEY, join(saved.skills))
    add_tokenizer(writer, saved.tokenizer)
    count = 0
    for name, array in saved.weights.items():
        count += array.size
        data, kind = encoded(gguf_name(name), array, quantisation)
        writer.add_tensor(gguf_name(name), data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, out)
    return {"parameters": count, "bytes": out.stat().st_size, "tokens": saved.tokens}


def main() -> None:
    parser = argparse.ArgumentParser(description="checkpoint to GGUF")
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help="folder of train.py, or a GGUF file"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", default="q8_0", choices=sorted(QUANTISATIONS))
    parser.add_argument("--weights", default="average", choices=("average", "model"))
    options = parser.parse_args()
    facts = export_gguf(options.source, options.out, options.type, options.weights)
    print(f"{options.out}: {json.dumps(facts)}")


if __name__ == "__main__":
    main()
