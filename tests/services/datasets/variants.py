"""Texts that are near copies of one another, more or less."""

from random import Random


def variants(count: int, *, of: int, seed: int) -> list[str]:
    """So many texts, each one of a few random ones with up to three letters changed."""
    random, letters = Random(seed), "abcdefghijklmnopqrstuvwxyz "
    originals = ["".join(random.choices(letters, k=random.randint(25, 90))) for _ in range(of)]
    texts = []
    for _ in range(count):
        text = list(random.choice(originals))
        for _ in range(random.randint(0, 3)):
            text[random.randrange(len(text))] = random.choice(letters)
        texts.append("".join(text))
    return texts
