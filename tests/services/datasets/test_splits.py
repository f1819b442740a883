from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.datasets.errors import TooFewRows
from services.datasets.examples import Example, ScoreExample, TextExample, TokenExample
from services.datasets.near import clusters
from services.datasets.split import Split
from services.datasets.splits import Splits, split
from tests.services.datasets.factories import sentence, texts
from tests.services.datasets.variants import variants

EXAMPLES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("xyz")), min_size=1, max_size=60
).map(lambda pairs: [TextExample(row, text, label) for row, (text, label) in enumerate(pairs, 1)])
TOKENS = st.lists(
    st.lists(st.sampled_from(["O", "B-x", "B-y", "B-z"]), min_size=1, max_size=3), min_size=1
).map(
    lambda rows: [
        TokenExample(row, (*map(str, tags), str(row % 7)), (*tags, "O")) for row, tags in enumerate(rows, 1)
    ]
)


def labels(examples: tuple[Example, ...] | list[Example]) -> set[str]:
    return {label for example in examples for label in example.labels}


def test_eight_of_ten_rows_of_each_label_are_for_training() -> None:
    splits = split(texts(card=100, cash=50, fee=10), seed=1)

    assert splits.rows == {"train": 128, "validation": 16, "test": 16}
    assert splits.labels == {
        "card": {"train": 80, "validation": 10, "test": 10},
        "cash": {"train": 40, "validation": 5, "test": 5},
        "fee": {"train": 8, "validation": 1, "test": 1},
    }
    assert splits.train_only == ()


def test_every_split_keeps_the_files_order() -> None:
    splits = split(texts(a=50, b=50), seed=1)

    for which in Split:
        numbers = [example.row for example in splits.of(which)]
        assert numbers == sorted(numbers)


def test_a_label_of_three_texts_stands_in_every_split() -> None:
    assert split(texts(many=30, three=3), seed=1).labels["three"] == {"train": 1, "validation": 1, "test": 1}


def test_a_label_of_two_texts_stays_in_train_and_is_named() -> None:
    splits = split(texts(many=30, two=2, one=1), seed=1)

    assert splits.train_only == ("one", "two")
    assert splits.labels["two"] == {"train": 2, "validation": 0, "test": 0}


def test_a_label_of_two_texts_stays_in_train_also_without_a_test_split() -> None:
    splits = split(texts(many=30, two=2), seed=1, test_share=0)

    assert splits.labels["two"] == {"train": 2, "validation": 0, "test": 0}


def test_two_single_texts_beside_a_bundle_of_copies_are_held_out_apart() -> None:
    copies = [TextExample(row, "same", "a") for row in range(100, 120)]

    splits = split([*texts(a=2, b=30), *copies], seed=1)

    assert splits.labels["a"] == {"train": 20, "validation": 1, "test": 1}


def test_copies_are_one_text_however_many() -> None:
    copies = [TextExample(row, "same", "rare") for row in range(100, 110)]

    splits = split([*texts(many=30), *copies], seed=1)

    assert splits.train_only == ("rare",)


def test_a_big_bundle_of_copies_does_not_fill_the_test() -> None:
    copies = [TextExample(row, "same", "a") for row in range(1000, 1100)]
    examples = [*texts(a=100, b=100), *copies]

    for seed in range(20):
        splits = split(examples, seed=seed)
        assert set(copies) <= set(splits.train)
        assert 25 <= splits.rows["test"] <= 35


def test_nothing_to_test_with_is_refused() -> None:
    with pytest.raises(TooFewRows):
        split(texts(a=2, b=2), seed=1)


def test_whoever_brings_a_test_file_keeps_the_rest_for_training() -> None:
    splits = split(texts(a=100, b=100), seed=1, test_share=0)

    assert splits.rows == {"train": 180, "validation": 20, "test": 0}


def test_another_seed_is_another_split() -> None:
    examples = texts(a=100, b=100)

    assert split(examples, seed=1) == split(examples, seed=1)
    assert split(examples, seed=1).test != split(examples, seed=2).test


def test_a_split_stays_what_it_was_in_earlier_releases() -> None:
    splits = split(texts(a=20, b=20), seed=42)

    assert [example.row for example in splits.test] == [16, 21, 23, 29]


def test_a_rare_entity_type_is_trained_on_and_tested() -> None:
    common = [sentence(row, f"{row}/B-place", "Anna/O") for row in range(1, 101)]
    rare = [sentence(row, f"{row}/B-place", "Acme/B-company") for row in range(101, 106)]
    plain = [sentence(row, f"{row}/O") for row in range(106, 156)]

    for seed in range(20):
        splits = split([*common, *rare, *plain], seed=seed)
        assert all(splits.labels["company"][which] for which in Split)
        assert sum(not example.labels for example in splits.test) == 5


@settings(max_examples=300, deadline=None)
@given(examples=st.one_of(EXAMPLES, TOKENS), seed=st.integers(0, 5))
def test_whatever_the_data_the_splits_are_honest(examples: list[Example], seed: int) -> None:
    try:
        splits = split(examples, seed=seed)
    except TooFewRows:
        return

    every = [*splits.train, *splits.validation, *splits.test]
    assert Counter(every) == Counter(examples)
    texts_of = [{example.text for example in splits.of(which)} for which in Split]
    assert sum(map(len, texts_of)) == len(set.union(*texts_of))
    assert labels(splits.train) == labels(examples)
    assert splits.validation
    assert splits.test
    held_out = labels(splits.validation) | labels(splits.test)
    assert set(splits.train_only) == labels(examples) - held_out


LONG = "Where is the parcel that I ordered from you last week, please"


def where(splits: Splits) -> dict[int, Split]:
    return {example.row: which for which in Split for example in splits.of(which)}


def test_near_copies_stay_in_one_split() -> None:
    near = [TextExample(row, f"{LONG}{'?' * (row - 999)}", "a") for row in range(1000, 1005)]
    wrong = [TextExample(1005, LONG.replace("parcel", "parcell"), "a")]

    for seed in range(20):
        found = where(split([*texts(a=50, b=50), *near, *wrong], seed=seed))
        assert len({found[row] for row in range(1000, 1006)}) == 1


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_no_cluster_of_near_copies_is_divided(seed: int) -> None:
    examples = [
        TextExample(row, text, "ab"[row % 2]) for row, text in enumerate(variants(150, of=60, seed=seed), 2)
    ]

    splits = split(examples, seed=seed % 100)

    found = where(splits)
    roots = clusters([example.text for example in examples]).tolist()
    assert len({(root, found[example.row]) for root, example in zip(roots, examples, strict=True)}) == len(
        set(roots)
    )


def test_rows_of_a_group_stay_in_one_split() -> None:
    examples = texts(a=50, b=50)
    groups = {example.row: f"author {example.row // 10}" for example in examples}

    for seed in range(20):
        found = where(split(examples, seed=seed, groups=groups))
        assert all(
            len({found[row] for row in groups if groups[row] == name}) == 1 for name in groups.values()
        )


def test_given_splits_are_kept() -> None:
    examples = texts(a=20, b=20)
    given = {example.row: list(Split)[example.row % 3] for example in examples}

    assert where(split(examples, seed=1, given=given)) == given


def test_what_given_splits_lack_is_divided_off_the_rest() -> None:
    examples = texts(a=50, b=50)
    given = {example.row: Split.test for example in examples[:5]}

    splits = split(examples, seed=1, given=given)

    assert splits.test == tuple(examples[:5])
    assert splits.rows == {"train": 86, "validation": 9, "test": 5}


def test_validation_is_divided_off_train_where_train_and_test_are_given() -> None:
    examples = texts(a=50, b=50)
    given = {example.row: Split.test if example.row % 10 == 0 else Split.train for example in examples}

    splits = split(examples, seed=1, given=given)

    assert {example.row for example in splits.test} == {row for row in given if row % 10 == 0}
    assert splits.rows == {"train": 82, "validation": 8, "test": 10}


def test_a_file_of_train_alone_is_divided_like_any_other() -> None:
    examples = texts(a=50, b=50)

    assert split(examples, seed=1, given={e.row: Split.train for e in examples}) == split(examples, seed=1)


def test_a_row_that_is_given_for_train_is_not_moved_to_the_test_of_its_copy() -> None:
    examples = [*texts(a=20, b=20), TextExample(100, LONG, "a"), TextExample(101, f"{LONG}!", "a")]

    found = where(split(examples, seed=1, given={100: Split.test, 101: Split.train}))

    assert (found[100], found[101]) == (Split.test, Split.train)


def test_a_copy_of_a_given_test_row_is_not_trained_on() -> None:
    examples = [*texts(a=20, b=20), TextExample(100, LONG, "a"), TextExample(101, f"{LONG}!", "a")]

    splits = split(examples, seed=1, given={100: Split.test})

    assert [example.row for example in splits.test] == [100, 101]


def test_the_test_of_an_earlier_version_stays_the_test() -> None:
    earlier = split(texts(a=50, b=50), seed=1)
    grown = texts(a=80, b=70, c=30)

    splits = split(grown, seed=2, frozen=[example.text for example in earlier.test])

    assert {example.text for example in splits.test} == {example.text for example in earlier.test}
    assert splits.labels["c"]["test"] == 0


def test_a_near_copy_of_an_earlier_test_row_is_never_trained_on() -> None:
    examples = [*texts(a=50, b=50), TextExample(1000, f"Hello! {LONG}", "a"), TextExample(1001, LONG, "a")]

    splits = split(examples, seed=1, frozen=[LONG.upper()])

    assert [example.row for example in splits.test] == [1000, 1001]


def test_where_all_rows_are_near_copies_only_exact_ones_stay_together() -> None:
    examples = [TextExample(row, f"{LONG}, number {row}", "ab"[row % 2]) for row in range(100)]
    examples += [TextExample(row + 100, example.text, example.label) for row, example in enumerate(examples)]

    splits = split(examples, seed=1)

    assert splits.rows == {"train": 160, "validation": 20, "test": 20}
    assert not {example.text for example in splits.test} & {example.text for example in splits.train}


def test_without_labels_rows_are_divided_all_the_same() -> None:
    examples = [ScoreExample(row, f"text {row}", "", row / 10) for row in range(100)]

    assert split(examples, seed=1).rows == {"train": 80, "validation": 10, "test": 10}


def test_splits_keep_the_clusters_that_were_found() -> None:
    examples = [*texts(a=20, b=20), TextExample(100, LONG, "a"), TextExample(101, f"{LONG}!", "a")]

    splits = split(examples, seed=1, frozen=["a 1"])

    assert splits.near is not None
    assert splits.near.tolist() == clusters([example.text for example in examples]).tolist()
