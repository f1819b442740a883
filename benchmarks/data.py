"""How fast a file is read and examined, beside pandas that only reads it, and datasketch and cleanlab that
only compare.

    python -m benchmarks.data banking77-train.csv [--rows 100000 1000000] [--compared 20000] [--embedded 5000]

The rows are those of the file, drawn again and again with up to three letters changed, so that most are near
copies of others: the hardest case that is still real. Every size runs in a process of its own, whose peak
memory is told. datasketch is asked for the same similarity of the same trigrams. cleanlab's Datalab compares
embeddings of the texts, by the base model that the presets use; `pip install 'cleanlab[datalab]'` brings what
it needs beside the product.
"""

import argparse
import csv
import io
import os
import platform
import random
import resource
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SEED = 7
CHANGES = 3


def rows(file: Path, count: int) -> list[tuple[str, str]]:
    """(text, label), drawn from a CSV file with a header, text and label its first two columns."""
    drawing = random.Random(SEED)
    with file.open(encoding="utf-8", newline="") as source:
        known = [(text, label) for text, label, *_ in list(csv.reader(source))[1:]]
    return [(perturbed(text, drawing), label) for text, label in drawing.choices(known, k=count)]


def perturbed(text: str, drawing: random.Random) -> str:
    letters = list(text)
    for _ in range(drawing.randint(0, CHANGES)):
        letters[drawing.randrange(len(letters))] = drawing.choice(f"{string.ascii_lowercase} ")
    return "".join(letters)


def as_csv(table: list[tuple[str, str]]) -> bytes:
    target = io.StringIO(newline="")
    csv.writer(target).writerows([("text", "label"), *table])
    return target.getvalue().encode()


@contextmanager
def timed(what: str) -> Iterator[None]:
    begin, worked = time.perf_counter(), time.process_time()
    yield
    seconds, processor = time.perf_counter() - begin, time.process_time() - worked
    print(f"| {what:<44} | {seconds:>8.2f} | {processor:>8.2f} |", flush=True)


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def examine_step_by_step(content: bytes) -> None:
    from services.datasets.detection import detect
    from services.datasets.findings import characters, copies, labels, languages, leakage, lengths, personal
    from services.datasets.findings.corpus import Corpus
    from services.datasets.reading import read
    from services.datasets.splits import split

    before = megabytes()
    with timed("**from bytes to splits and all findings**"):
        with timed("read"):
            reading = read(content, detect(content))
        with timed("split, near copies found"):
            splits = split(reading.examples, seed=SEED)
        corpus = Corpus(reading.examples, splits.near)
        with timed("copies and contradictions"):
            list(copies.check(corpus))
        with timed("leakage between splits"):
            list(leakage.check(corpus, splits))
        with timed("languages"):
            list(languages.check(corpus))
        with timed("personal data"):
            list(personal.check(corpus))
        with timed("control characters, mojibake, HTML"):
            list(characters.check(corpus))
        with timed("lengths"):
            list(lengths.check(corpus))
        with timed("labels"):
            list(labels.check(corpus))
    print(f"Peak memory: {megabytes():,.0f} MB, of which {before:,.0f} MB before reading.")


def as_the_portal_does(content: bytes) -> None:
    """From the stored file to all findings, in the process that reads it apart."""
    from services.datasets.examination import examined
    from services.datasets.preview import guess

    with timed("the same in a process of its own, as the portal"):
        examined(content, guess(content).form)


def pandas_alone(content: bytes) -> None:
    import pandas as pd

    with timed("pandas.read_csv alone"):
        pd.read_csv(io.BytesIO(content))


def side_by_side(texts: list[str]) -> None:
    """Our near copies and datasketch's, with the same trigrams, threshold and permutations."""
    from datasketch import MinHash, MinHashLSH

    from services.datasets.near import BAND_ROWS, BANDS, MIN_CHARACTERS, THRESHOLD, clusters
    from services.datasets.shingles import SHINGLE, plain

    with timed("ours, verified exactly"):
        roots = clusters(texts)

    permutations = BANDS * BAND_ROWS
    index = MinHashLSH(threshold=THRESHOLD, num_perm=permutations, params=(BANDS, BAND_ROWS))
    known: dict[int, int] = {}
    with timed("datasketch MinHashLSH, candidates alone"):
        for at, text in enumerate(plain(texts)):
            if len(text) < MIN_CHARACTERS:
                continue
            padded = f" {text} "
            signature = MinHash(num_perm=permutations)
            signature.update_batch(
                padded[place : place + SHINGLE].encode() for place in range(len(padded) - 2)
            )
            met = [known[other] for other in index.query(signature)]
            known[at] = min(met, default=at)
            index.insert(at, signature)
    near = sum(root != at for at, root in enumerate(roots.tolist()))
    candidates = sum(root != at for at, root in known.items())
    print(f"Like an earlier row: {near:,} by ours; {candidates:,} proposed by datasketch, not yet compared.")


def beside_cleanlab(texts: list[str]) -> None:
    """Our near copies of texts and Datalab's of their embeddings, on the same rows."""
    import numpy as np
    import torch
    from cleanlab import Datalab

    from services.config import settings
    from services.datasets.near import clusters
    from services.training.bases import catalogue
    from services.training.networks import pretrained
    from services.training.recipe import DEFAULT_BASE_MODEL
    from services.training.tokenizing import load_tokenizer

    with timed("ours, on the texts"):
        roots = clusters(texts)

    folder = catalogue.resolve(DEFAULT_BASE_MODEL, settings().cache_folder)
    tokenizer, encoder = load_tokenizer(folder, cut_to=128), pretrained(folder).eval()
    tokenizer.enable_padding()
    embeddings = []
    with timed(f"embedding them with {DEFAULT_BASE_MODEL}"), torch.inference_mode():
        for first in range(0, len(texts), 256):
            batch = tokenizer.encode_batch(texts[first : first + 256])
            mask = torch.tensor([one.attention_mask for one in batch])
            hidden = encoder(
                input_ids=torch.tensor([one.ids for one in batch]), attention_mask=mask
            ).last_hidden_state
            weights = mask.unsqueeze(-1)
            embeddings.append(((hidden * weights).sum(1) / weights.sum(1)).numpy())
    lab = Datalab(data={"row": list(range(len(texts)))}, verbosity=0)
    with timed("cleanlab Datalab, near_duplicate of embeddings"):
        lab.find_issues(features=np.concatenate(embeddings), issue_types={"near_duplicate": {}})

    ours = np.bincount(roots, minlength=len(texts))[roots] > 1
    theirs = lab.get_issues("near_duplicate")["is_near_duplicate_issue"].to_numpy()
    print(
        f"Rows like another: {ours.sum():,} by ours, {theirs.sum():,} by Datalab, "
        f"{(ours & theirs).sum():,} by both."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--compared", type=int, default=20_000)
    parser.add_argument("--embedded", type=int, default=5_000)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    if arguments.alone:
        content = as_csv(rows(arguments.file, arguments.rows[0]))
        size = f"{arguments.rows[0]:,} rows, {len(content) / 2**20:,.0f} MB"
        print(f"\n| {size:<44} |  seconds | of a CPU |\n|{'-' * 46}|{'-' * 10}|{'-' * 10}|", flush=True)
        pandas_alone(content)
        examine_step_by_step(content)
        as_the_portal_does(content)
        return

    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    for count in arguments.rows:
        command = [
            sys.executable,
            "-m",
            "benchmarks.data",
            str(arguments.file),
            "--rows",
            str(count),
            "--alone",
        ]
        subprocess.run(command, check=True)
    what = f"{arguments.compared:,} rows, near copies"
    print(f"\n| {what:<44} |  seconds | of a CPU |\n|{'-' * 46}|{'-' * 10}|{'-' * 10}|", flush=True)
    side_by_side([text for text, _ in rows(arguments.file, arguments.compared)])
    what = f"{arguments.embedded:,} rows, near copies"
    print(f"\n| {what:<44} |  seconds | of a CPU |\n|{'-' * 46}|{'-' * 10}|{'-' * 10}|", flush=True)
    beside_cleanlab([text for text, _ in rows(arguments.file, arguments.embedded)])


if __name__ == "__main__":
    main()
