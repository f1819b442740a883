"""Many tenants' adapters over one base, answers together and each as if it were alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from services.inference.adapters import LowRank
from services.inference.chat import Base
from services.inference.errors import ContextTooLong
from services.inference.writing import Writing
from services.training.conversations import load_format
from services.training.examples import Message
from services.training.generating import Sampling
from tests.services.inference.chats import create_chat_folder
from tests.services.training.tiny_chat import create_chat_model, said

ASKED = said(("user", "what is red?"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A base, and two versions of it."""
    root = tmp_path_factory.mktemp("chat")
    base = create_chat_model(root / "base")
    return [base, *(create_chat_folder(root / str(seed), base, seed=seed) for seed in (1, 2))]


@pytest.fixture(scope="module")
def base(folders: list[Path]) -> Base:
    return Base(folders[0])


@pytest.fixture(scope="module")
def adapters(folders: list[Path], base: Base) -> list[LowRank]:
    return [LowRank.load(folder / "adapter", base.device, base.dtype) for folder in folders[1:]]


def begin(
    base: Base, adapter: LowRank | None = None, *, most: int = 8, stops: tuple[str, ...] = ()
) -> Writing:
    return base.answer(ASKED, adapter=adapter, sampling=Sampling(), most=most, stops=stops)


def read(writing: Writing) -> str:
    return "".join(iter(writing.take, None))


def alone(folder: Path, messages: list[Message], most: int = 8) -> str:
    """What the merged weights answer, without cache, batch or adapters."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    form = load_format(folder, model.config.eos_token_id)
    ids = form.prompt(messages)
    prompt = len(ids)
    for _ in range(most):
        with torch.inference_mode():
            token = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        if token == form.end:
            break
        ids.append(token)
    return form.text(ids[prompt:])


def test_in_one_batch_each_row_is_answered_with_its_own_adapter(
    base: Base, adapters: list[LowRank], folders: list[Path]
) -> None:
    wanted = [None, adapters[0], adapters[1], adapters[0]]

    together = [begin(base, adapter) for adapter in wanted]
    answers = [read(writing) for writing in together]

    bare, first, second, again = answers
    assert bare == alone(folders[0], list(ASKED))
    assert first == again
    assert len({bare, first, second}) == 3
    assert [read(begin(base, adapter)) for adapter in wanted] == answers


def test_an_adapter_over_the_base_answers_as_the_merged_weights_do(
    base: Base, adapters: list[LowRank], folders: list[Path]
) -> None:
    # The merged weights are in bfloat16, so the logits agree nearly; the first words are the same.
    assert read(begin(base, adapters[0], most=3)) == alone(folders[1], list(ASKED), most=3)


def test_many_threads_read_their_answers_at_once(base: Base, adapters: list[LowRank]) -> None:
    wanted = [None, *adapters] * 8
    before = [read(begin(base, adapter)) for adapter in wanted[:3]] * 8

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda adapter: read(begin(base, adapter)), wanted))

    assert answers == before


def test_an_answer_ends_before_a_stop_text_and_shows_none_of_it(base: Base) -> None:
    whole = read(begin(base, most=12))
    stop = whole[4:7]

    cut = begin(base, most=12, stops=(stop, "never said"))

    assert read(cut) == whole[: whole.index(stop)]
    assert cut.answer.finish == "stop"


def test_words_come_as_they_are_written(base: Base) -> None:
    writing = begin(base, most=6)

    pieces = list(iter(writing.take, None))

    assert len(pieces) > 1
    assert "".join(pieces) == read(begin(base, most=6))
    assert (writing.tokens, writing.answer.finish) == (6, "length")


def test_who_leaves_holds_nobody_up(base: Base) -> None:
    left, other = begin(base, most=200), begin(base, most=6)
    left.take()
    left.leave()

    assert read(other) == read(begin(base, most=6))
    assert left.tokens < 200


def test_a_conversation_that_does_not_fit_is_refused_with_its_length(base: Base) -> None:
    with pytest.raises(ContextTooLong, match="reads 512 in all"):
        begin(base, most=500)


def test_what_breaks_a_step_reaches_all_who_wait_and_the_next_are_answered(base: Base) -> None:
    broken = LowRank({"model.layers.0.self_attn.q_proj": (torch.zeros(1, 5), torch.zeros(7, 1))})

    with pytest.raises(RuntimeError):
        read(begin(base, broken))

    assert read(begin(base)) == read(begin(base))
