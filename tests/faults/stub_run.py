"""Stands in for a training run: the same folder in and out, in a few milliseconds and without torch.

Started as `python -S stub_run.py REPORT SECONDS … FOLDER`; a recipe's seed says what happens.
"""

# ruff: noqa: PTH103, PTH110, PTH123
import ctypes
import json
import os
import resource
import shutil
import signal
import sys
import time

KILLS_ITS_WORKER = 666
MODEL_BYTES = 64 * 1024
# services.training.process.wishes.PAUSED
PAUSED = 75


def main(report: str, seconds: str, folder: str) -> None:
    """Tell a phase, work for a while, leave a model and its report."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    parent = int(os.environ["TUNEPORT_RUN_PARENT"])
    if os.getppid() != parent:
        sys.exit(1)
    # Limits of files are for the worker alone.
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    with open(f"{folder}/events.jsonl", "w") as events:
        phase = {"kind": "phase", "phase": "training", "at": "2026-01-01T00:00:00Z"}
        events.write(json.dumps(phase) + "\n")
    with open(f"{folder}/spec.json") as spec:
        if json.load(spec)["recipe"]["seed"] == KILLS_ITS_WORKER:
            os.kill(parent, signal.SIGKILL)
    until = time.monotonic() + float(seconds)
    while (left := until - time.monotonic()) > 0:
        if os.path.exists(f"{folder}/pause"):
            sys.exit(PAUSED)
        time.sleep(min(left, 0.02))
    os.makedirs(f"{folder}/model", exist_ok=True)
    # Two files of one run, so that a model made of two runs' files would show.
    for name in ("model.safetensors", "tuneport.json"):
        with open(f"{folder}/model/{name}", "w") as file:
            file.write(f"{os.getpid():>16}" * (MODEL_BYTES // 16))
    shutil.copyfile(report, f"{folder}/report.json")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[-1])
