"""The mutations are kept up with the guards they take away; whether tests notice is a run of its own."""

import pytest

from tests.faults.mutate import MUTATIONS, ROOT, Mutation, stands


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.guard)
def test_a_guard_stands_where_its_mutation_looks(mutation: Mutation) -> None:
    assert stands(mutation, ROOT)
    assert (ROOT / "tests/faults" / mutation.tests).exists()
