"""Why a file, or what was asked of a data set, is refused."""

from collections.abc import Iterable, Mapping

from services.datasets.limits import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_LABELS,
    MAX_ROWS,
    MAX_UNPACKED_BYTES,
    MIN_TEXTS_TO_SPLIT,
)
from services.errors import Conflict, Invalid, TooLarge


class EmptyFile(Invalid):
    """Nothing, or nothing but white space."""

    code = "empty_file"

    def __init__(self) -> None:
        super().__init__("The file is empty. Choose one with a text and its label in every row.")


class BinaryFile(Invalid):
    """Not text in any encoding."""

    code = "binary_file"

    def __init__(self) -> None:
        super().__init__(
            "This is neither text nor a kind of file that we know. "
            "Save the data as CSV, JSONL, Excel or Parquet and upload that."
        )


class UnsupportedFormat(Invalid):
    """Recognised, but not read."""

    code = "unsupported_format"

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f"This looks like {found}, which cannot be read here. {advice}")
        self.found = found


class FileTooLarge(TooLarge):
    """More bytes than are read at once."""

    code = "file_too_large"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The file has {size / 2**20:,.1f} MB, and up to {MAX_BYTES // 2**20} MB are accepted. "
            "Upload a part of it."
        )
        self.size = size


class UploadEnded(Conflict):
    """No more can be added to an upload in parts."""

    code = "upload_ended"

    def __init__(self, state: str) -> None:
        super().__init__(f"This upload is {state} already. Begin a new one to send another file.")
        self.state = state


class UploadMovedOn(Conflict):
    """A part was sent for another place than where the upload stands."""

    code = "upload_moved_on"

    def __init__(self, offset: int) -> None:
        super().__init__(f"The upload stands at byte {offset:,}. Ask for its offset and go on from there.")
        self.offset = offset


class UploadIncomplete(Invalid):
    """The parts are not the file that was announced."""

    code = "upload_incomplete"

    def __init__(self, announced: int, received: int) -> None:
        super().__init__(
            f"{received:,} bytes are here and {announced:,} were announced. Send all of the file, nothing "
            "else, before you complete the upload."
        )
        self.announced, self.received = announced, received


class UploadDamaged(Invalid):
    """What arrived has another checksum than what was sent."""

    code = "upload_damaged"

    def __init__(self) -> None:
        super().__init__(
            "The file does not have the checksum that was given: it changed on the way. Send it anew."
        )


class TooManyUploads(Conflict):
    """More uploads are under way than are kept."""

    code = "too_many_uploads"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} uploads are under way in this workspace. Complete or cancel one first.")
        self.most = most


class UnpacksTooLarge(TooLarge):
    """An archive, or a file that is packed inside, holds more than is read at once."""

    code = "unpacks_too_large"

    def __init__(self) -> None:
        super().__init__(
            f"The file unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MB. Upload a part of it."
        )


class DamagedFile(Invalid):
    """The kind is known, and what stands inside does not follow its rules."""

    code = "damaged_file"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"This looks like {kind}, but it is damaged or cut short. Save or download it again and "
            "upload the new file."
        )
        self.kind = kind


class EncryptedFile(Invalid):
    """A password is needed to read it."""

    code = "encrypted_file"

    def __init__(self) -> None:
        super().__init__("The file is protected by a password. Save it without one and upload that.")


class SeveralFiles(Invalid):
    """An archive of more than one file, or of none."""

    code = "several_files"

    def __init__(self, files: int) -> None:
        super().__init__(
            f"The archive has {files:,} files, and one is needed. Upload the file with the data alone."
        )
        self.files = files


class FilesDiffer(Invalid):
    """Of files that are uploaded together, one has other columns than the first."""

    code = "files_differ"

    def __init__(self, name: str, first: str, column: str, columns: Iterable[str]) -> None:
        names = ", ".join(f"“{name}”" for name in columns)
        super().__init__(
            f"“{name}” has no column “{column}”, which “{first}” has and which is read. It has: {names}. "
            "Files that belong together need columns of the same names; give this one a header like the "
            "other's."
        )
        self.name, self.first, self.column = name, first, column


class UnknownSheet(Invalid):
    """A workbook's sheet was named that it does not have."""

    code = "unknown_sheet"

    def __init__(self, sheet: str, sheets: Iterable[str]) -> None:
        self.sheet, self.sheets = sheet, tuple(sheets)
        names = ", ".join(f"“{name}”" for name in self.sheets)
        super().__init__(f"There is no sheet “{sheet}”. Pick one of: {names}.")


class BrokenJson(Invalid):
    """A JSON file that breaks its own rules, so that nothing after that place can be read."""

    code = "broken_json"

    def __init__(self, line: int, column: int) -> None:
        super().__init__(
            f"The JSON breaks off at line {line:,}, character {column:,}. Repair that place, "
            "or write each row as a line of its own (JSONL), so that one fault costs one row."
        )
        self.line, self.column = line, column


class ReadingTooLong(Invalid):
    """The file was not read within the time that its size allows."""

    code = "reading_too_long"

    def __init__(self) -> None:
        super().__init__(
            "Reading this file takes far longer than files of its size do. "
            "Save it anew as CSV or JSONL and upload that."
        )


class ReadingTooBig(Invalid):
    """The file needs more memory or disk than its size allows."""

    code = "reading_too_big"

    def __init__(self) -> None:
        super().__init__(
            "Reading this file takes far more memory than files of its size do. "
            "Save it anew as CSV or JSONL and upload that, or a part of it."
        )


class ReadingCrashed(Invalid):
    """The process that read the file came to an end without a word."""

    code = "reading_crashed"

    def __init__(self) -> None:
        super().__init__(
            "This file cannot be read: it is damaged in a way that makes the reader fail. "
            "Save it anew as CSV or JSONL and upload that."
        )


class TooManyRows(TooLarge):
    """More rows than one data set holds."""

    code = "too_many_rows"

    def __init__(self) -> None:
        super().__init__(f"The file has more than {MAX_ROWS:,} rows. Upload a sample of that many.")


class TooManyColumns(Invalid):
    """More columns than can be shown."""

    code = "too_many_columns"

    def __init__(self, columns: int) -> None:
        super().__init__(
            f"The file has {columns:,} columns, and up to {MAX_COLUMNS} are read. "
            "Keep the text and the label, and upload those."
        )
        self.columns = columns


class OneColumn(Invalid):
    """No delimiter divides the rows alike."""

    code = "one_column"

    def __init__(self) -> None:
        super().__init__(
            "The rows do not divide into a text and a label. "
            "Separate the two by a comma, semicolon, tab or vertical bar in every row."
        )


class UnknownColumn(Invalid):
    """A column was named that the file does not have."""

    code = "unknown_column"

    def __init__(self, column: str, columns: Iterable[str]) -> None:
        self.column, self.columns = column, tuple(columns)
        names = ", ".join(f"“{name}”" for name in self.columns)
        super().__init__(f"There is no column “{column}”. Pick one of: {names}.")


class SameColumn(Invalid):
    """Text and label were both pointed at one column."""

    code = "same_column"

    def __init__(self, column: str) -> None:
        super().__init__(
            f"The column “{column}” cannot be both the text and the label. Pick another for one of them."
        )
        self.column = column


class NoUsableRows(Invalid):
    """Every single row was dropped."""

    code = "no_usable_rows"

    def __init__(self, dropped: Mapping[str, int]) -> None:
        reasons = "; ".join(f"{rows:,} × {reason}" for reason, rows in dropped.items())
        found = (
            f"None of the {sum(dropped.values()):,} rows can be used ({reasons})." if dropped else "No rows."
        )
        super().__init__(f"{found} Check which columns hold the text and the label.")
        self.dropped = dict(dropped)


class OneClass(Invalid):
    """There is nothing to tell apart."""

    code = "one_class"

    def __init__(self, label: str) -> None:
        super().__init__(
            f"Every usable row has the label “{label}”. Add rows with at least one other label, "
            "or pick another label column."
        )
        self.label = label


class NoEntities(Invalid):
    """Every token is outside of any entity."""

    code = "no_entities"

    def __init__(self) -> None:
        super().__init__(
            "No token is tagged as part of an entity. Tag at least some with B- and I-, "
            "or pick another tag column."
        )


class TooManyLabels(Invalid):
    """The label column is free text."""

    code = "too_many_labels"

    def __init__(self, labels: int) -> None:
        super().__init__(
            f"The label column has {labels:,} different values, and up to {MAX_LABELS:,} are accepted. "
            "Check that it is the right column."
        )
        self.labels = labels


class SeveralLabels(Invalid):
    """Rows carry more than one label at once."""

    code = "several_labels"

    def __init__(self, example: str) -> None:
        super().__init__(
            f"Rows have several labels at once, such as “{example}”, and one per row is needed. "
            "Keep the most important label of each row."
        )
        self.example = example


class TooFewRows(Invalid):
    """Nothing would be left to judge a model by."""

    code = "too_few_rows"

    def __init__(self) -> None:
        super().__init__(
            f"There is too little data to train on and to test with: no label has {MIN_TEXTS_TO_SPLIT} "
            "different texts. Add more rows."
        )


class BadDatasetName(Invalid):
    """A name that would not fit into a list."""

    code = "bad_dataset_name"

    def __init__(self) -> None:
        super().__init__("The name of a data set has 1 to 80 characters. Choose another.")


class DatasetNameTaken(Conflict):
    """The workspace has a data set of this name."""

    code = "dataset_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is already a data set “{name}”. Choose another name, or add a version to it."
        )
        self.name = name


class DatasetInUse(Conflict):
    """Jobs that wait or run still need its rows."""

    code = "dataset_in_use"

    def __init__(self, name: str, jobs: int) -> None:
        which = "1 job waits for or trains" if jobs == 1 else f"{jobs:,} jobs wait for or train"
        super().__init__(
            f"{which} on the data set “{name}”. Cancel it or let it finish, and delete the data set then."
        )
        self.name, self.jobs = name, jobs


class DatasetDeleted(Conflict):
    """The data is gone; what is left says where models come from."""

    code = "dataset_deleted"

    def __init__(self, name: str) -> None:
        super().__init__(f"The data of “{name}” was deleted. Upload it again, or choose another data set.")
        self.name = name


class TaskDiffers(Conflict):
    """A version for another task than the data set's."""

    code = "task_differs"

    def __init__(self, has: str, given: str) -> None:
        super().__init__(
            f"This data set is for {has}, and the file is for {given}. Make a new data set of it."
        )
        self.has, self.given = has, given
