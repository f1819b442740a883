from pathlib import Path

import pytest
import torch

from services.training import networks
from services.training.networks import TextClassifier
from tests.services.training.tiny import create_base_model
from tests.services.training.tiny_chat import create_chat_model


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base model with weights of chance."""
    return create_base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def chat_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny chat model with weights of chance."""
    return create_chat_model(tmp_path_factory.mktemp("chat"))


@pytest.fixture
def network(base_model: Path) -> TextClassifier:
    """A classifier of two labels that knows nothing."""
    torch.manual_seed(0)
    return TextClassifier(networks.pretrained(base_model), 2)
