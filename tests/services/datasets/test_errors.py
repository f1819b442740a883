from services.datasets import errors
from services.errors import ServiceError


def test_every_refusal_has_a_code_of_its_own() -> None:
    refusals = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, ServiceError) and value.__module__ == errors.__name__
    ]

    codes = [refusal.code for refusal in refusals]
    assert len(set(codes)) == len(codes) > 15
    assert {"invalid", "conflict", "too_large"}.isdisjoint(codes)


def test_a_refusal_of_every_row_names_the_reasons() -> None:
    refusal = errors.NoUsableRows({"The label is missing": 10, "The text is empty": 2})

    assert refusal.message == (
        "None of the 12 rows can be used (10 × The label is missing; 2 × The text is empty). "
        "Check which columns hold the text and the label."
    )
