"""What can go wrong with what a model is asked, in a sentence each."""

from services.errors import Invalid, TooLarge


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


class ChatExpected(Invalid):
    """A text for a model that answers conversations."""

    code = "chat_expected"
    param = "model"

    def __init__(self) -> None:
        super().__init__("This model answers conversations. Send messages to /v1/chat/completions.")


class NoChatModel(Invalid):
    """A conversation for a model that does not answer any."""

    code = "no_chat_model"
    param = "model"

    def __init__(self) -> None:
        super().__init__("This model does not answer conversations. Send its texts to /v1/predict.")


class ConversationUnsuitable(Invalid):
    """The chat template of the base model refuses the conversation."""

    code = "conversation_unsuitable"
    param = "messages"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This conversation does not fit the model’s chat template: {reason}.")


class ContextTooLong(TooLarge):
    """More tokens in the conversation and its answer than the model reads."""

    code = "context_length_exceeded"
    param = "messages"

    def __init__(self, prompt: int, answer: int, context: int) -> None:
        super().__init__(
            f"The conversation has {prompt:,} tokens and its answer may have {answer:,}, but the model reads "
            f"{context:,} in all. Leave out older messages, or ask for fewer tokens."
        )
        self.prompt, self.answer, self.context = prompt, answer, context
