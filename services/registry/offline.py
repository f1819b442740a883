"""The lines of Python that ask a downloaded model without us; a test runs each in a clean process."""

_TORCH_HEAD = '''"""python predict.py "a text"; needs torch, transformers and safetensors, and no network."""
import json, sys, torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel

card, weights = json.load(open("tuneport.json")), load_file("model.safetensors")
encoder = AutoModel.from_config(AutoConfig.from_pretrained(".")).eval()
encoder.load_state_dict({name.removeprefix("encoder."): part for name, part in weights.items()}, strict=False)
tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.no_padding(), tokenizer.enable_truncation(card["max_length"])
'''
_ONNX_HEAD = '''"""python predict.py "a text"; needs onnxruntime and tokenizers, and no network."""
import json, sys
import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

card, model = json.load(open("tuneport.json")), InferenceSession("model.onnx")
tokenizer = Tokenizer.from_file("tokenizer.json")
tokenizer.no_padding(), tokenizer.enable_truncation(card["max_length"])
'''
_TORCH_TEXT = """ids = torch.tensor([tokenizer.encode(sys.argv[1]).ids])
mean = encoder(input_ids=ids).last_hidden_state.mean(1)
features = torch.nn.functional.normalize(mean) * mean.shape[1] ** 0.5
logits = (features @ weights["head.weight"].T + weights["head.bias"])[0] / card["temperature"]
scores = dict(zip(card["labels"], logits.{activation}.tolist()))
"""
_ONNX_TEXT = """ids = np.array([tokenizer.encode(sys.argv[1]).ids])
answer = model.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
scores = dict(zip(card["labels"], answer.tolist()))
"""
_TORCH_WORDS = """read = tokenizer.encode(sys.argv[1].split(), is_pretokenized=True)
hidden = encoder(input_ids=torch.tensor([read.ids])).last_hidden_state[0]
best = (hidden @ weights["head.weight"].T + weights["head.bias"]).argmax(-1).tolist()
"""
_ONNX_WORDS = """read = tokenizer.encode(sys.argv[1].split(), is_pretokenized=True)
ids = np.array([read.ids])
answer = model.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
best = answer.argmax(-1).tolist()
"""
_ONE = 'print(json.dumps({"label": max(scores, key=scores.get), "scores": scores}))\n'
_SEVERAL = """needed = dict(zip(card["labels"], card["thresholds"]))
given = [name for name in scores if scores[name] >= needed[name]]
print(json.dumps({"labels": given, "scores": scores}))
"""
_TAGS = """tags = {word: card["outputs"][tag] for word, tag in reversed(list(zip(read.word_ids, best)))}
print(json.dumps([[word, tags[place]] for place, word in enumerate(sys.argv[1].split())]))
"""


def script(architecture: str, *, onnx: bool) -> str | None:
    """`predict.py` for the folder of a model; None where a model of this kind takes more than a few lines."""
    match architecture:
        case "mean-pooled-linear":
            body = _ONNX_TEXT if onnx else _TORCH_TEXT.format(activation="softmax(-1)")
            end = _ONE
        case "mean-pooled-sigmoid":
            body = _ONNX_TEXT if onnx else _TORCH_TEXT.format(activation="sigmoid()")
            end = _SEVERAL
        case "token-linear":
            body, end = (_ONNX_WORDS if onnx else _TORCH_WORDS), _TAGS
        case _:
            return None
    return (_ONNX_HEAD if onnx else _TORCH_HEAD) + body + end
