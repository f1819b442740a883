"""The process that reads a customer's file: `python -m services.datasets.apart FOLDER`, see `sandbox`.

Exit status 0 with `answer.json`; anything else is a crash.
"""

import gc
import sys
from pathlib import Path

from services.datasets.confinement import confine, forbid
from services.datasets.sandbox import ANSWER, CONTENT, OUT, REQUEST, Answer, Request, refused

if __name__ == "__main__":
    # Before the slow imports, so that these are bound as well.
    folder = Path(sys.argv[1])
    request = Request.model_validate_json((folder / REQUEST).read_bytes())
    confine(request.allowance, request.parent)

from services.datasets import steps
from services.errors import ServiceError


def main(folder: Path, request: Request) -> None:
    """Do the step that is asked for, and leave the answer in the folder."""
    # Nothing that is read refers to itself, and a million rows are gone through again and again in vain.
    gc.disable()
    content = (folder / CONTENT).read_bytes()
    try:
        result = steps.STEPS[request.step](content, folder / OUT, **request.arguments)
        answer = Answer(result=result.decode())
    except ServiceError as refusal:
        answer = Answer(refused=refused(refusal))
    (folder / ANSWER).write_text(answer.model_dump_json(), "utf-8")


if __name__ == "__main__":
    forbid()
    main(folder, request)
