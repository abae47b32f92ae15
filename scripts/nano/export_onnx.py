"""Write a checkpoint of train.py as an ONNX folder in optimum's layout, with a key/value cache.

    python scripts/nano/export_onnx.py --from /tmp/nano/run --out models/edgemind-nano-onnx

The folder holds model_quantized.onnx (eight bits, with the very numbers of the Q8_0 GGUF file) or,
with `--type f32`, model.onnx, and the tokenizer, configuration and sampling defaults beside it.
Each file appears under its name only when it is complete.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from nano_checkpoint import ANSWER_CUE, SAMPLING, load_checkpoint
from nano_model import ModelConfig
from nano_skills import KEY, join
from nano_tokenizer import CHAT_TEMPLATE, END_OF_TEXT, SPECIALS, TURN_END
from onnx_graph import LlamaGraph

FILES = {"f32": "model.onnx", "q8": "model_quantized.onnx"}


def settings(config: ModelConfig) -> dict[str, Any]:
    """config.json, as transformers writes it for a Llama."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "_name_or_path": "edgemind-nano",
        "vocab_size": config.vocabulary,
        "hidden_size": config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_width,
        "intermediate_size": config.hidden,
        "max_position_embeddings": config.context,
        "rope_theta": config.rope_base,
        "rms_norm_eps": config.norm_epsilon,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": config.tied,
        "bos_token_id": SPECIALS.index(END_OF_TEXT),
        "eos_token_id": SPECIALS.index(TURN_END),
        "pad_token_id": SPECIALS.index(END_OF_TEXT),
        "torch_dtype": "float32",
        "use_cache": True,
    }


def tokenizer_settings(config: ModelConfig) -> dict[str, Any]:
    """tokenizer_config.json."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.context,
        "add_bos_token": False,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "bos_token": END_OF_TEXT,
        "eos_token": TURN_END,
        "pad_token": END_OF_TEXT,
        "added_tokens_decoder": {
            str(place): {"content": token, "special": True, "lstrip": False, "rstrip": False,
                         "normalized": False, "single_word": False}
            for place, token in enumerate(SPECIALS)
        },
        "chat_template": CHAT_TEMPLATE,
    }  # fmt: skip


def generation_settings() -> dict[str, Any]:
    """generation_config.json: what ends a turn, and the sampling that suits voting."""
    return {
        "bos_token_id": SPECIALS.index(END_OF_TEXT),
        "eos_token_id": [SPECIALS.index(TURN_END), SPECIALS.index(END_OF_TEXT)],
        "pad_token_id": SPECIALS.index(END_OF_TEXT),
        "do_sample": True,
        "temperature": SAMPLING["temp"],
        "top_k": SAMPLING["top_k"],
        "top_p": SAMPLING["top_p"],
        "min_p": SAMPLING["min_p"],
    }


def write(path: Path, data: bytes) -> None:
    """Write beside the name and swap."""
    partial = path.with_name(path.name + ".tmp")
    partial.write_bytes(data)
    os.replace(partial, path)


def export_onnx(
    source: Path, out: Path, quantisation: str = "q8", weights: str = "average"
) -> dict[str, int]:
    """Write the checkpoint of `source`, a run's folder or a GGUF file, into the folder `out`.

    Returns the bytes of each file in it.
    """
    if quantisation not in FILES:
        raise SystemExit(f"unknown type {quantisation}; one of {', '.join(FILES)}")
    saved = load_checkpoint(source, weights)
    model = LlamaGraph(saved.config, saved.weights, eight_bits=quantisation == "q8").model()
    for key, value in (("edgemind.answer_cue", ANSWER_CUE), (KEY, join(saved.skills))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    out.mkdir(parents=True, exist_ok=True)
    texts: dict[str, Any] = {
        "config.json": settings(saved.config),
        "tokenizer_config.json": tokenizer_settings(saved.config),
        "generation_config.json": generation_settings(),
    }
    write(out / FILES[quantisation], model.SerializeToString())
    write(out / "tokenizer.json", saved.tokenizer.encode())
    for name, fields in texts.items():
        write(out / name, (json.dumps(fields, indent=2, ensure_ascii=False) + "\n").encode())
    return {path.name: path.stat().st_size for path in sorted(out.iterdir())}


def main() -> None:
    parser = argparse.ArgumentParser(description="checkpoint to an ONNX folder")
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help="folder of train.py, or a GGUF file"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--type", default="q8", choices=sorted(FILES))
    parser.add_argument("--weights", default="average", choices=("average", "model"))
    options = parser.parse_args()
    facts = export_onnx(options.source, options.out, options.type, options.weights)
    print(f"{options.out}: {json.dumps(facts)}")


if __name__ == "__main__":
    main()
