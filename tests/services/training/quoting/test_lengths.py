from hypothesis import given
from hypothesis import strategies as st

from services.training.quoting.lengths import AMOUNTS, ENDS, Amount, Lengths, guessed, lengths_of

ROWS = st.lists(st.integers(1, 20_000), max_size=50)


@given(ROWS, st.sampled_from(ENDS[:-1]))
def test_rows_that_are_cut_at_the_end_of_a_stretch_are_counted_exactly(rows: list[int], cut: int) -> None:
    assert lengths_of(rows).cut(cut) == sum(min(tokens, cut) for tokens in rows)


@given(ROWS, st.integers(1, 20_000))
def test_any_other_cut_is_bounded_by_its_neighbours_and_by_the_rows(rows: list[int], cut: int) -> None:
    found, exact = lengths_of(rows), sum(min(tokens, cut) for tokens in rows)

    assert exact <= found.cut(cut) <= min(found.tokens, len(rows) * cut)
    assert (found.rows, found.tokens, found.cut(None)) == (len(rows), sum(rows), sum(rows))


def test_the_usual_lengths_are_ends() -> None:
    assert {256, 512, 1024} <= set(ENDS)


def test_a_sample_stands_for_more_rows_like_it() -> None:
    some = Amount(rows=lengths_of([4, 4, 300]), texts=lengths_of([2, 300]))

    every = some.times(10)

    assert (every.rows.rows, every.rows.tokens, every.read_once.tokens) == (30, 3_080, 3_020)
    assert Amount(rows=some.rows).times(2).texts is None


def test_amounts_are_kept_whole() -> None:
    amounts = {"train": Amount(rows=lengths_of([3, 70]), texts=lengths_of([3])), "test": Amount()}

    kept = {split: amount.model_dump(mode="json") for split, amount in amounts.items()}

    assert AMOUNTS.validate_python(kept) == amounts


def test_what_nobody_counted_is_guessed_from_characters() -> None:
    found = guessed({"train": 80, "test": 20}, 7_000, chat=False)

    assert {split: (one.rows.rows, one.rows.tokens) for split, one in found.items()} == {
        "train": (80, 80 * 22),
        "test": (20, 20 * 22),
    }
    assert found["train"].rows.cut(10) == 800
    assert guessed({}, 0, chat=True) == {}
    assert Lengths().cut(5) == 0
