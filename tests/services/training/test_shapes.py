from services.training.shapes import BUCKETS, EACH, of_words


def test_shapes_see_capitals_digits_and_signs_and_not_letters() -> None:
    first = of_words(["Berlin", "in", "2010", "@me"])

    assert first == of_words(["Zagreb", "at", "1999", "@us"])
    others = ["berlin", "BERLIN", "B", "2erlin", "#erlin", "iPhone"]
    assert len({tuple(of_words([word])[0]) for word in ["Berlin", *others]}) == 1 + len(others)


def test_a_word_counts_with_its_neighbours() -> None:
    alone, beside = of_words(["Ada"]), of_words(["Ada", "Lovelace"])

    assert alone[0] != beside[0]
    # Alone, and with what stands before it, which is nothing.
    assert alone[0][:2] == beside[0][:2]
    assert alone[0][4] == beside[0][4]


def test_the_buckets_are_those_that_models_were_trained_with() -> None:
    # A version that is out in the world has weights for these very numbers.
    assert of_words(["Green", "Newsfeed", ":"]) == FIRST
    assert len(FIRST[0]) == EACH
    assert all(1 <= bucket <= BUCKETS for word in FIRST for bucket in word)


def test_no_words_have_no_shapes() -> None:
    assert of_words([]) == []
    assert len(of_words([""])) == 1


FIRST = [[70, 238, 222, 92, 57, 120], [70, 63, 133, 254, 19, 252], [191, 43, 94, 8, 19, 175]]
