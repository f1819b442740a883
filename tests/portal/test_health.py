import pytest

from portal.health import badge, findings
from services.datasets.tables import DatasetVersion


def create_version(**columns: object) -> DatasetVersion:
    values: dict[str, object] = {
        "tenant_id": "ten_1",
        "dataset_id": "ds_1",
        "task": "text-classification",
        "format": {},
        "content_hash": "0" * 64,
        "seed": 42,
        "rows_in": 2000,
        "rows_used": 2000,
        "labels": {"a": {"train": 800, "test": 100}, "b": {"train": 800, "test": 100}},
        "splits": {"train": 1600, "validation": 200, "test": 200},
        "characters": 1,
        "storage_prefix": "x",
        "manifest": {},
    }
    return DatasetVersion(**values | columns)


def test_nothing_stands_out_of_good_data() -> None:
    version = create_version()

    assert findings(version) == []
    assert badge(version).word == "Healthy"


@pytest.mark.parametrize(
    ("columns", "word", "sentence"),
    [
        ({"dropped": {"empty_text": 3, "bad_json": 1}}, "4 left out", "4 of 2,000 rows cannot be used"),
        ({"train_only_labels": ["c"]}, "1 rare", "1 label is too rare to be tested"),
        ({"splits": {"train": 80, "validation": 10, "test": 10}}, "Small", "Only 10 rows"),
        ({"labels": {"a": {"train": 999}, "b": {"train": 4}}}, "Uneven", "over 20 times"),
    ],
)
def test_what_stands_out_is_said(columns: dict[str, object], word: str, sentence: str) -> None:
    version = create_version(**columns)

    assert badge(version).word == word
    assert sentence in findings(version)[0].sentence
