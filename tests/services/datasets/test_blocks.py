from hypothesis import given
from hypothesis import strategies as st

from services.datasets.blocks import CHARACTERS, blocks


@given(st.lists(st.integers(0, 3 * CHARACTERS), max_size=20))
def test_every_text_is_in_one_block_and_no_block_is_much_too_long(lengths: list[int]) -> None:
    texts = ["x" * length for length in lengths]

    made = list(blocks(texts))

    assert [text for block in made for text in block] == texts
    assert all(sum(map(len, block[:-1])) <= CHARACTERS for block in made)
