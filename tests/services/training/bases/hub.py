"""A model hub on this machine, of one repository, as far as the library asks it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from tests.servers import serving

REVISION = "5f" * 20


@dataclass
class Hub:
    """A repository with the files of a folder, where it is served, and the files that were fetched."""

    repository: str
    folder: Path
    address: str = ""
    fetched: list[str] = field(default_factory=list)

    def about(self, _: Request) -> Response:
        """The newest revision."""
        return JSONResponse({"id": self.repository, "sha": REVISION})

    def tree(self, _: Request) -> Response:
        """The files of the revision."""
        files = sorted(self.folder.iterdir())
        return JSONResponse(
            [
                {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _digest(file)}
                for file in files
            ]
        )

    def file(self, request: Request) -> Response:
        """One file of it, or what there is to say of the file."""
        file = self.folder / request.path_params["name"]
        if request.method == "GET":
            self.fetched.append(file.name)
        return FileResponse(file, headers={"ETag": f'"{_digest(file)}"', "X-Repo-Commit": REVISION})


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@contextmanager
def serving_hub(repository: str, folder: Path) -> Iterator[Hub]:
    """Serve a repository; whoever is to find it has the address as HF_ENDPOINT before it starts."""
    hub = Hub(repository, folder)
    app = Starlette(
        routes=[
            Route(f"/api/models/{repository}", hub.about),
            Route(f"/api/models/{repository}/tree/{REVISION}", hub.tree),
            Route(f"/{repository}/resolve/{REVISION}/{{name}}", hub.file, methods=["GET", "HEAD"]),
        ]
    )
    with serving(app) as hub.address:
        yield hub
