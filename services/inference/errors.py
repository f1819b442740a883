"""What can go wrong with what a model is asked, in a sentence each."""

from services.errors import Invalid


class TextExpected(Invalid):
    """A pair for a model that reads one text."""

    code = "text_expected"
    param = "input"

    def __init__(self, index: int) -> None:
        super().__init__(
            f"Input {index} is a pair of texts, and this model reads one text at a time. "
            "Send each text alone, as a string."
        )
        self.index = index


class PairExpected(Invalid):
    """One text for a model that reads two."""

    code = "pair_expected"
    param = "input"

    def __init__(self, index: int) -> None:
        super().__init__(
            f"Input {index} is one text, and this model reads two that belong together. "
            'Send {"first": "…", "second": "…"}.'
        )
        self.index = index
