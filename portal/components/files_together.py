"""Files that arrived together: which split each of them is, before they are read as one."""

import streamlit as st

from portal.components.dataset_list import PAGE
from portal.errors import shown
from portal.highlight import literal
from services import storage
from services.accounts.scope import Member
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.packing import split_of_filename
from services.datasets.split import Split
from services.datasets.tables import Upload
from services.db import reading, transaction

_WORDS = {
    Split.train: "to learn from (training)",
    Split.validation: "to choose the best model by (validation)",
    Split.test: "to test it (test)",
    None: "nothing here, keep it by itself",
}


def files_together(member: Member, upload_ids: list[str]) -> None:
    """Ask what each file is for, guessed by its name; go on to the page that checks all of them as one."""
    with reading() as db:
        uploads = [datasets.get_upload(db, member, upload_id=upload_id) for upload_id in upload_ids]
    with st.container(border=True):
        st.markdown("**Files that belong together**")
        st.caption("Rows of each file are kept for what you say here, and compared with those of the others.")
        uploads.sort(key=lambda upload: list(_WORDS).index(split_of_filename(upload.filename)))
        chosen = [(split, upload) for upload in uploads if (split := _asked(upload))]
        splits = dict(chosen)
        why_not = _missing(len(chosen), splits)
        with st.container(horizontal=True):
            if st.button(
                "Read them together",
                type="primary",
                icon=":material/merge:",
                disabled=why_not is not None,
                help=why_not,
            ):
                with shown():
                    _join(member, splits)
            if st.button("Keep them apart", help="Each file becomes a data set of its own."):
                st.query_params.clear()
                st.rerun()


def _asked(upload: Upload) -> Split | None:
    guessed = split_of_filename(upload.filename)
    return st.selectbox(
        literal(upload.filename),
        list(_WORDS),
        index=list(_WORDS).index(guessed),
        format_func=_WORDS.__getitem__,
        key=f"split:{upload.id}",
        width=420,
    )


def _missing(files_chosen: int, splits: dict[Split, Upload]) -> str | None:
    if Split.train not in splits:
        return "Say which file is to be learned from."
    if len(splits) < files_chosen:
        return "Two files are for the same. Put their rows into one file, or keep one by itself."
    return None if len(splits) > 1 else "One file alone is for something. Keep them apart, or choose more."


def _join(member: Member, splits: dict[Split, Upload]) -> None:
    with st.spinner("Putting the files together …"):
        stored = files.store_together(member, splits)
        with stored as kept, transaction() as db:
            together = datasets.upload(db, member, stored=kept)
    with transaction() as db:
        # They are in there.
        keys = [datasets.delete_upload(db, member, upload_id=upload.id) for upload in splits.values()]
    for key in keys:
        storage.delete(key)
    st.switch_page(PAGE, query_params={"upload": together.id})
