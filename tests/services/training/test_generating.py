from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from services.training.adapting import causal
from services.training.conversations import ChatFormat, load_format
from services.training.generating import Answer, Decoder, Sampling, generate
from services.training.machine import Machine
from tests.services.training.tiny_chat import said

MACHINE = Machine(torch.device("cpu"), bf16=False, name="test")
QUESTIONS = ("what is red?", "why", "tell me of the colour blue and of all the others", "x")


@pytest.fixture(scope="module")
def model(chat_model: Path) -> PreTrainedModel:
    return causal(chat_model, torch.float32)


@pytest.fixture(scope="module")
def form(chat_model: Path, model: PreTrainedModel) -> ChatFormat:
    return load_format(chat_model, model.config.eos_token_id)


def create_answers(form: ChatFormat, sampling: Sampling = Sampling(), most: int = 12) -> list[Answer]:
    return [Answer(form.prompt(said(("user", text))), most, sampling) for text in QUESTIONS]


def greedy(model: PreTrainedModel, prompt: list[int], most: int, end: int) -> list[int]:
    """Without cache, batch or padding: the whole text read again for each token."""
    ids = list(prompt)
    for _ in range(most):
        with torch.inference_mode():
            token = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if token == end:
            break
        ids.append(token)
    return ids[len(prompt) :]


def test_answers_in_a_batch_are_those_without_batch_and_cache(
    model: PreTrainedModel, form: ChatFormat
) -> None:
    answers = create_answers(form)

    generate(Decoder(model, MACHINE, end=form.end), answers, together=4)

    for answer in answers:
        assert answer.ids == greedy(model, answer.prompt, 12, form.end)
        assert answer.finish == ("length" if len(answer.ids) == 12 else "stop")


def test_whoever_joins_later_or_leaves_sooner_changes_no_answer(
    model: PreTrainedModel, form: ChatFormat
) -> None:
    decoder = Decoder(model, MACHINE, end=form.end)
    answers = create_answers(form)
    answers[1].most = 3

    decoder.admit(answers[:1])
    decoder.step()
    decoder.admit(answers[1:3])
    decoder.step()
    decoder.step()
    decoder.admit(answers[3:])
    while decoder.answers:
        decoder.step()

    for answer in answers:
        assert answer.ids == greedy(model, answer.prompt, answer.most, form.end)


def test_the_same_seed_gives_the_same_answer_beside_whomever(
    model: PreTrainedModel, form: ChatFormat
) -> None:
    chosen = Sampling(temperature=1.2, top_p=0.9, seed=7)
    alone, beside = create_answers(form, chosen)[:1], create_answers(form, chosen)
    other = create_answers(form, Sampling(temperature=1.2, top_p=0.9, seed=8))

    for answers in (alone, beside, other):
        generate(Decoder(model, MACHINE, end=form.end), answers, together=4)

    assert alone[0].ids == beside[0].ids != other[0].ids


def test_top_p_leaves_out_the_unlikely_and_keeps_at_least_one() -> None:
    logits = torch.log(torch.tensor([0.1, 0.6, 0.3]))
    drawn = {
        top_p: {_first(logits, Sampling(temperature=1.0, top_p=top_p, seed=seed)) for seed in range(60)}
        for top_p in (0.01, 0.7, 1.0)
    }

    assert drawn == {0.01: {1}, 0.7: {1, 2}, 1.0: {0, 1, 2}}


def test_an_answer_ends_where_the_turn_does() -> None:
    answer = Answer([1], most=5)
    for token in (0, 1, 2):
        answer.take(torch.nn.functional.one_hot(torch.tensor(token), 3).float(), end=2)

    assert (answer.ids, answer.finish) == ([0, 1], "stop")


def _first(logits: torch.Tensor, sampling: Sampling) -> int:
    answer = Answer([1], most=1, sampling=sampling)
    answer.take(logits, end=99)
    return answer.ids[0]
