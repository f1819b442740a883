"""What SetFit makes of some rows, in a Python of its own, as it asks for older libraries than ours.

    python -P benchmarks/setfit_alone.py BASE_MODEL ROWS.json [--iterations 20] [--steps -1]

ROWS.json holds `train` and `test`, each a list of [text, label]. All else is as SetFit comes: pairs in
batches of 16, one epoch over them, the body at 2e-5, float32, and scikit-learn's logistic regression.
Prints one line of JSON, its last.
"""

import argparse
import json
import math
import resource
import tempfile
import time
from pathlib import Path


def main(base_model: Path, rows: Path, iterations: int, steps: int) -> None:
    import torch
    from datasets import Dataset, disable_progress_bars
    from setfit import SetFitModel, Trainer, TrainingArguments

    disable_progress_bars()
    data = json.loads(rows.read_text("utf-8"))
    texts, labels = map(list, zip(*data["train"], strict=True))
    model = SetFitModel.from_pretrained(str(base_model))
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder,
                num_iterations=iterations,
                max_steps=steps,
                report_to="none",
                save_strategy="no",
                show_progress_bar=False,
            ),
            train_dataset=Dataset.from_dict({"text": texts, "label": labels}),
        )
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
    pairs = 2 * iterations * len(texts)
    whole = math.ceil(pairs / trainer.args.embedding_batch_size)
    result = {
        "rows": len(texts),
        "iterations": iterations,
        "pairs": pairs,
        "steps": steps if steps > 0 else whole,
        "steps_of_a_whole_run": whole,
        "seconds": seconds,
        "threads": torch.get_num_threads(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if data["test"]:
        asked, truth = map(list, zip(*data["test"], strict=True))
        answers = model.predict(asked, show_progress_bar=False)
        result["accuracy"] = sum(str(a) == t for a, t in zip(answers, truth, strict=True)) / len(truth)
    print(json.dumps(result))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base_model", type=Path)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--steps", type=int, default=-1, help="end after so many, to measure the pace")
    arguments = parser.parse_args()
    main(arguments.base_model, arguments.rows, arguments.iterations, arguments.steps)
