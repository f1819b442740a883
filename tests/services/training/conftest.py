from pathlib import Path

import pytest

from tests.services.training.tiny import create_base_model


@pytest.fixture(scope="session")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base model with weights of chance."""
    return create_base_model(tmp_path_factory.mktemp("base"))
