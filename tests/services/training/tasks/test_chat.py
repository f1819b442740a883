"""A chat run, as it is started in its folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from services.training import artefact, packing, run
from services.training.adapting import Adapted, causal
from services.training.conversations import load_format
from services.training.examples import ChatExample, Message, write
from services.training.failures import DataDoesNotFit, DoesNotFitMemory
from services.training.machine import Machine
from services.training.memory import Fit, fit
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.recipe import Hyperparameters, Preset, Recipe, RunSpec, Task, defaults
from services.training.reporting.report import Report
from tests.services.training.tiny_chat import create_conversations, said


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small gain nothing from threads, and lose much where other tests run beside."""
    before = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1)
        yield
    torch.set_num_threads(before)


def create_run(
    folder: Path,
    base_model: Path,
    *,
    preset: Preset = Preset.custom,
    train: list[ChatExample] | None = None,
    test: list[ChatExample] | None = None,
    **changes: object,
) -> RunFolder:
    settings = {
        **defaults(preset, Task.chat).model_dump(),
        "max_length": 128,
        "epochs": 4,
        "learning_rate": 0.02,
        "patience": 0,
        **changes,
    }
    spec = RunSpec(
        recipe=Recipe(task=Task.chat, preset=preset, hyperparameters=Hyperparameters(**settings)),
        base_model_path=base_model,
        labels=[],
        data_hash="0" * 64,
    )
    made = RunFolder(folder)
    made.data.mkdir(parents=True)
    write(made.split("train"), create_conversations(40, seed=1) if train is None else train)
    write(made.split("validation"), create_conversations(8, seed=2))
    write(made.split("test"), create_conversations(8, seed=3) if test is None else test)
    made.spec.write_text(spec.model_dump_json(), "utf-8")
    return made


@pytest.fixture(scope="module")
def done(chat_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Report]:
    folder = create_run(tmp_path_factory.mktemp("chat") / "run", chat_model)
    return folder, run.run(folder)


def test_it_answers_better_than_its_base_and_says_how_sure_that_is(done: tuple[RunFolder, Report]) -> None:
    _, report = done

    scores = report.chat
    assert scores is not None
    assert report.value == scores.likelihood > 2 * scores.base_likelihood == 2 * report.baselines[0].value
    assert scores.perplexity == pytest.approx(1 / report.value)
    assert scores.likelihood_interval[0] < report.value < scores.likelihood_interval[1]
    added = report.baselines[0].against
    assert added is not None
    assert 0 < added.interval[0] < added.value < added.interval[1]
    assert scores.answers == len(scores.samples) == 8
    assert scores.rouge_l >= scores.base_rouge_l
    assert report.rows.train == 40
    assert report.trained_tokens > 4 * 40 * 30


def test_its_samples_are_answers_to_the_last_question(done: tuple[RunFolder, Report]) -> None:
    _, report = done
    assert report.chat is not None
    by_row = {example.row: example for example in create_conversations(8, seed=3)}

    for sample in report.chat.samples:
        *before, last = by_row[sample.row].messages
        assert (sample.question, sample.truth, sample.turns) == (
            before[-1].content,
            last.content,
            len(before),
        )


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_merged_weights_and_adapter_are_the_same_model(
    done: tuple[RunFolder, Report], chat_model: Path
) -> None:
    folder, _ = done
    ids = torch.tensor([[3, 5, 8, 13, 21]])

    merged = AutoModelForCausalLM.from_pretrained(folder.model, dtype=torch.float32)
    adapted = PeftModel.from_pretrained(causal(chat_model, torch.float32), folder.model / "adapter")
    base = causal(chat_model, torch.float32)

    with torch.inference_mode():
        one, other, bare = merged(ids).logits, adapted(ids).logits, base(ids).logits
    torch.testing.assert_close(one, other, atol=0.15, rtol=0.02)  # the merged weights are in bfloat16
    assert not torch.allclose(one, bare, atol=0.5)


def test_the_card_says_what_is_what_and_names_no_path(
    done: tuple[RunFolder, Report], chat_model: Path
) -> None:
    folder, _ = done
    card = artefact.read_card(folder.model)
    peft_config = json.loads((folder.model / "adapter/adapter_config.json").read_text())

    assert (card.task, card.architecture, card.base_model) == (
        Task.chat,
        "causal-lora",
        "SmolLM2-135M-Instruct",
    )
    assert peft_config["base_model_name_or_path"] == "SmolLM2-135M-Instruct"
    assert str(chat_model) not in "".join(file.read_text("utf-8") for file in folder.model.rglob("*.json"))
    assert "lm_head.weight" not in load_file(folder.model / "model.safetensors")
    tokenizer = AutoTokenizer.from_pretrained(folder.model)
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.chat_template


def test_long_conversations_are_cut_and_counted(chat_model: Path, tmp_path: Path) -> None:
    long = ChatExample(90, list(said(("user", "x" * 20), ("assistant", "y" * 200))))
    hopeless = ChatExample(91, list(said(("user", "x" * 300), ("assistant", "y"))))
    train = [*create_conversations(4, seed=1), long, hopeless]

    folder = create_run(tmp_path / "run", chat_model, train=train, epochs=1)
    report = run.run(folder)

    assert report.rows.train == 5
    assert report.chat is not None
    assert report.chat.left_out == 1
    assert report.truncated_rows == 2
    notes = [event.message for event in read(folder.events) if event.message]
    assert notes[0] == (
        "2 conversations have more than 128 tokens; only their beginning is read. "
        "1 of them have no answer in it and are left out."
    )


def test_a_split_without_an_answer_in_reach_is_named(chat_model: Path, tmp_path: Path) -> None:
    hopeless = [ChatExample(1, [Message("user", "x" * 300), Message("assistant", "y")])]

    with pytest.raises(DataDoesNotFit, match="test split begins within the first 128 tokens"):
        run.run(create_run(tmp_path / "run", chat_model, test=hopeless))


def test_best_goes_on_from_quick_and_resumes_from_its_checkpoint(chat_model: Path, tmp_path: Path) -> None:
    folder = create_run(
        tmp_path / "run", chat_model, preset=Preset.best, train=create_conversations(12, seed=1)
    )

    first = run.run(folder)
    checkpoint = folder.last_checkpoint("full")
    again = run.run(folder)

    assert folder.has_quick()
    assert checkpoint is not None
    assert all(".lora_" in name for name in load_file(checkpoint / "model.safetensors"))
    assert again.value == first.value
    assert next(event.message for event in read(folder.events) if event.message).startswith("Went on after")


def test_rows_of_a_step_may_be_read_in_one_pass_or_in_several(chat_model: Path) -> None:
    network = Adapted(causal(chat_model, torch.float32), defaults(Preset.quick, Task.chat))
    form = load_format(chat_model, network.config.eos_token_id)
    rows = [packing.row([form.encode(example.messages)]) for example in create_conversations(4)]
    read = ("input_ids", "position_ids", "weights")

    def loss(part: list[packing.Row]) -> torch.Tensor:
        batch = packing.collate(part, 0)
        return network(**{name: batch[name] for name in read})["loss"]

    torch.testing.assert_close(loss(rows), sum(loss([row]) for row in rows) / 4)


def test_the_memory_decides_how_a_step_is_computed(chat_model: Path) -> None:
    config = causal(chat_model, torch.float32).config
    cpu = Machine(torch.device("cpu"), bf16=False, name="")
    cuda = Machine(torch.device("cuda"), bf16=True, name="")
    settings = defaults(Preset.quick, Task.chat).model_copy(update={"max_length": 8192})
    large = config.__class__(
        hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, vocab_size=128_256
    )

    assert fit(config, 10_000, settings, cpu, memory=8 * 2**30) == Fit(1, checkpointing=False)
    assert fit(config, 10_000, settings, cuda, memory=80 * 2**30) == Fit(4, checkpointing=False)
    assert fit(large, 10**9, settings, cuda, memory=40 * 2**30) == Fit(2, checkpointing=True)
    with pytest.raises(DoesNotFitMemory, match="8,192 tokens"):
        fit(large, 10**9, settings, cpu, memory=4 * 2**30)
