"""Many short texts at a time, few long ones: so much as is worked on at once."""

from collections.abc import Iterable, Iterator

# So that what is made of a block stays in the processor's cache, and long texts do not fill the memory.
CHARACTERS = 200_000


def blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in their order, in lists that hold a little over so many characters, the last one fewer."""
    block: list[str] = []
    characters = 0
    for text in texts:
        block.append(text)
        characters += len(text)
        if characters > CHARACTERS:
            yield block
            block, characters = [], 0
    if block:
        yield block
