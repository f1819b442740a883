"""What a column keeps of an invoice is the invoice."""

import json

from services.billing.snapshot import Snapshot
from tests.services.billing.factories import create_draft, create_snapshot, day, predictions, training


def test_what_lines_have_in_common_is_kept_once_and_nothing_is_lost() -> None:
    uses = [predictions(subject=f"mv_{number}", day=day(number)) for number in (1, 2, 3)]
    invoice = create_snapshot(create_draft(*uses, training("100")))

    kept = json.loads(json.dumps(invoice.to_column()))

    assert len(kept["draft"]["lines"]) == 4
    assert [common["meter"] for common in kept["common"]] == ["training_seconds", "predictions"]
    assert "price" not in kept["draft"]["lines"][0]
    assert Snapshot.from_json(kept) == invoice


def test_lines_that_differ_in_anything_keep_it() -> None:
    figures = create_draft(*(predictions(subject=f"mv_{number}", day=day(number)) for number in (1, 2)))
    first, second = figures.lines
    price = first.price.model_copy(update={"discount_percent": first.price.discount_percent + 1})
    for change in ({"title": "Other"}, {"price": price}, {"properties": {"device_class": "cuda"}}):
        lines = first, second.model_copy(update=change)
        invoice = create_snapshot(figures.model_copy(update={"lines": lines}))

        kept = invoice.to_column()

        assert len(kept["common"]) == 2
        assert Snapshot.from_json(kept) == invoice


def test_invoices_are_read_that_were_kept_line_by_line() -> None:
    invoice = create_snapshot(create_draft(predictions(), training()))

    assert Snapshot.from_json(invoice.to_json()) == invoice
