"""A GGUF file into safetensors: `python -m services.training.bases.gguf FILE FOLDER`.

Transformers' own reader unpacks the weights, once; what is kept is plain bfloat16, which any run and any
reader of safetensors loads in a second.
"""

import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from services.training.bases.catalogue import CHAT_TEMPLATE, WEIGHTS
from services.training.tokenizing import TOKENIZER


def convert(file: Path, folder: Path) -> None:
    """Write config, tokenizer, chat template and weights of a GGUF file into a folder, which is made."""
    model = AutoModelForCausalLM.from_pretrained(
        file.parent,
        gguf_file=file.name,
        local_files_only=True,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(gguf_file=file.name, dequantize=True),
    )
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True)
    folder.mkdir(parents=True)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER))
    (folder / CHAT_TEMPLATE).write_text(tokenizer.chat_template, "utf-8")
    # Tied weights once, as every reader of these models expects them.
    embeddings: Any = model.get_input_embeddings()
    table = embeddings.weight.data_ptr()
    weights = {
        name: tensor.contiguous()
        for name, tensor in sorted(model.state_dict().items())
        if name == "model.embed_tokens.weight" or tensor.data_ptr() != table
    }
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
