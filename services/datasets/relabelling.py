"""Rows given other labels after a model doubted them: the next version of their data set."""

from collections.abc import Sequence

from services.accounts.scope import Member
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.drafts import FileGone
from services.datasets.examination import FIXES
from services.datasets.fixes import EditRow, Fix
from services.datasets.formats import Format
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction


def relabelled(member: Member, data: DatasetVersion, *, edits: Sequence[EditRow]) -> DatasetVersion:
    """The next version of a data set: the file of `data`, all that was done to it, and then the edits.

    What was done since stays done, where the newest version is of the same file. Opens its own transactions,
    because rows are read and stored in between.

    Raises:
        RoleMissing: the member may not make data sets.
        FileGone: the file was deleted.
        ServiceError: as `files.freeze` says.
    """
    with reading() as session:
        newest = datasets.versions(session, member, dataset_id=data.dataset_id)[0]
        start = newest if newest.upload_id == data.upload_id else data
        known = {upload.id: upload for upload in datasets.uploads(session, member)}
    if start.upload_id not in known:
        raise FileGone
    earlier = FIXES.validate_python([change["fix"] for change in start.changes])
    fixes: list[Fix] = [*earlier, *edits]
    frozen = files.freeze(
        member,
        known[start.upload_id],
        form=Format.model_validate(start.format),
        seed=start.seed,
        fixes=fixes,
        after=newest,
    )
    with frozen as version, transaction() as session:
        return datasets.add_version(session, member, dataset_id=data.dataset_id, version=version)
