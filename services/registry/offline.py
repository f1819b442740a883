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
logits = (features @ weights["head.weight"].T + weights["head.bias"])[0]
"""
_TORCH_KEYWORDS = """if "words.weight" in weights:
    rows = weights["words.places"][ids[0]].long() if "words.places" in weights else ids[0]
    logits = logits + weights["words.weight"][rows].sum(0) * ids.shape[1] ** -0.5
"""
_TORCH_SCORES = """logits = logits / card["temperature"]
scores = dict(zip(card["labels"], logits.{activation}.tolist()))
"""
_ONNX_TEXT = """ids = np.array([tokenizer.encode(sys.argv[1]).ids])
answer = model.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
scores = dict(zip(card["labels"], answer.tolist()))
"""
_SHAPES = """import re, zlib

def shape(word):
    signs = re.sub(r"[^\\W\\d_]", lambda one: "X" if one[0].isupper() else "x", re.sub(r"\\d", "9", word))
    return re.sub(r"(.)\\1+", r"\\1\\1", signs)[:4]

def buckets(word):
    before, own, after = shapes[word : word + 3]
    counted = f"0{own}", f"1{before} {own}", f"2{own} {after}", f"3{before} {own} {after}"
    counted += f"4{before}", f"5{after}"
    return [1 + zlib.crc32(one.encode()) % 256 for one in counted]

words = sys.argv[1].split()
shapes, read = ["", *map(shape, words), ""], tokenizer.encode(words, is_pretokenized=True)
written = [[0] * 6 if word is None else buckets(word) for word in read.word_ids]
"""
_TORCH_TOLD = """hidden = encoder(input_ids=torch.tensor([read.ids])).last_hidden_state[0]
logits = hidden @ weights["head.weight"].T + weights["head.bias"]
logits = logits + weights["shapes.weight"][torch.tensor(written)].sum(1)
told = logits.detach()
"""
_ONNX_TOLD = """ids = np.array([read.ids])
asked = {"input_ids": ids, "attention_mask": np.ones_like(ids), "shapes": np.array([written])}
told = card["temperature"] * np.log(model.run(None, asked)[0][0])
"""
_PATH = """import numpy as np

told, after, sums, ways = np.array(told), np.array(card["following"]), None, []
known = list(dict.fromkeys(word for word in read.word_ids if word is not None))
for word in known:
    own = told[[place for place, of in enumerate(read.word_ids) if of == word]].mean(0)
    over = after[:1] if sums is None else sums[:, None] + after[1:]
    ways, sums = [*ways, over.argmax(0)], over.max(0) + own
path = [int(sums.argmax())]
for way in reversed(ways[1:]):
    path.append(int(way[path[-1]]))
tags = [card["outputs"][tag] for tag in reversed(path)]
print(json.dumps([[words[word], tag] for word, tag in zip(known, tags)]))
"""
# Of versions that were trained before words had shapes.
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


_TORCH_POOLED = """def pooled(ids, **more):
    mean = encoder(input_ids=torch.tensor([ids]), **more).last_hidden_state.mean(1)
    return torch.nn.functional.normalize(mean) * mean.shape[1] ** 0.5

"""
_TORCH_TEXT_SCORE = """features, head = pooled(tokenizer.encode(sys.argv[1]).ids), "head"
"""
_TORCH_TOGETHER = """read = tokenizer.encode(sys.argv[1], sys.argv[2])
types = {"token_type_ids": torch.tensor([read.type_ids])} if TYPES else {}
features, head = pooled(read.ids, **types), "together"
"""
_TORCH_APART = """u, v = (pooled(tokenizer.encode(text).ids) for text in sys.argv[1:3])
features, head = torch.cat([u, v, (u - v).abs(), u * v], -1), "apart"
"""
_TORCH_LOGITS = """logits = (features @ weights[f"{head}.weight"].T + weights[f"{head}.bias"])[0]
"""
_TORCH_LABELS = """scores = dict(zip(card["labels"], (logits / card["temperature"]).softmax(-1).tolist()))
"""
_TORCH_SCORE = """answer = [logits.item() * card["scale"]["deviation"] + card["scale"]["mean"]]
"""
_ONNX_TOGETHER = """read = tokenizer.encode(sys.argv[1], sys.argv[2])
ids = np.array([read.ids])
asked = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.array([read.type_ids])}
answer = model.run(None, {one.name: asked[one.name] for one in model.get_inputs()})[0][0]
"""
_ONNX_APART = """first, second = (np.array([tokenizer.encode(text).ids]) for text in sys.argv[1:3])
masks = {"first_mask": np.ones_like(first), "second_mask": np.ones_like(second)}
answer = model.run(None, {"first_ids": first, "second_ids": second, **masks})[0][0]
"""
_ONNX_ALONE = """ids = np.array([tokenizer.encode(sys.argv[1]).ids])
answer = model.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
"""
_ONNX_LABELS = """scores = dict(zip(card["labels"], answer.tolist()))
"""
_SCORE = """print(json.dumps({"score": float(answer[0]), "error": card["scale"]["error"]}))
"""
_CHAT = '''"""python predict.py "a question"; needs torch and transformers, and no network."""
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".", dtype=torch.float32)
said = [{"role": "user", "content": sys.argv[1]}]
asked = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_tensors="pt", return_dict=True)
answer = model.generate(**asked, max_new_tokens=128, do_sample=False)[0, asked["input_ids"].shape[1] :]
print(json.dumps({"answer": tokenizer.decode(answer, skip_special_tokens=True)}))
'''
# The same from the adapter, a fortieth of the size, over a base model that is there already.
ADAPTER_SCRIPT = (
    _CHAT.replace("predict.py", "predict_adapter.py BASE_MODEL_FOLDER")
    .replace("torch and transformers", "torch, transformers and peft")
    .replace("import AutoModelForCausalLM", "import AutoModelForCausalLM", 1)
    .replace("import json, sys, torch\n", "import json, sys, torch\nfrom peft import PeftModel\n")
    .replace('from_pretrained(".", dtype', "from_pretrained(sys.argv[1], dtype")
    .replace("said = ", 'model = PeftModel.from_pretrained(model, "adapter")\nsaid = ')
    .replace('"content": sys.argv[1]', '"content": sys.argv[2]')
)


def script(architecture: str, *, onnx: bool, together: bool = False, types: bool = False) -> str | None:
    """`predict.py` for the folder of a model; None where a model of this kind takes more than a few lines.

    Of pairs: whether both texts are read together, and whether the base model tells them apart by types.
    """
    match architecture:
        case "mean-pooled-linear":
            told = _TORCH_TEXT + _TORCH_KEYWORDS + _TORCH_SCORES.format(activation="softmax(-1)")
            body = _ONNX_TEXT if onnx else told
            end = _ONE
        case "mean-pooled-sigmoid":
            told = _TORCH_TEXT + _TORCH_KEYWORDS + _TORCH_SCORES.format(activation="sigmoid()")
            body = _ONNX_TEXT if onnx else told
            end = _SEVERAL
        case "word-linear":
            body, end = _SHAPES + (_ONNX_TOLD if onnx else _TORCH_TOLD), _PATH
        case "token-linear":
            body, end = (_ONNX_WORDS if onnx else _TORCH_WORDS), _TAGS
        case "pair-linear" | "pair-score" | "mean-pooled-score":
            scores = architecture != "pair-linear"
            if architecture == "mean-pooled-score":
                asked, read = _ONNX_ALONE, _TORCH_TEXT_SCORE
            elif together:
                asked, read = _ONNX_TOGETHER, _TORCH_TOGETHER.replace("TYPES", str(types))
            else:
                asked, read = _ONNX_APART, _TORCH_APART
            body = asked if onnx else _TORCH_POOLED + read + _TORCH_LOGITS
            if onnx:
                body += "" if scores else _ONNX_LABELS
            else:
                body += _TORCH_SCORE if scores else _TORCH_LABELS
            end = _SCORE if scores else _ONE
        case "causal-lora":
            return None if onnx else _CHAT
        case _:
            return None
    return (_ONNX_HEAD if onnx else _TORCH_HEAD) + body + end
