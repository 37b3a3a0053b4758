"""What one recording teaches about a model's tokens serves the next one."""

from __future__ import annotations

from earmark.summarization.connection import connect

from tests.stub_server import VLLM, running


def test_characters_per_token_are_remembered_per_model_and_language() -> None:
    with running(VLLM()) as stub:
        first = connect(stub.url).meter("de")
        assert not first.learned
        first.learn("Donaudampfschifffahrtsgesellschaft " * 20, 300)
        again = connect(stub.url).meter("de")
        assert again.learned
        assert again.ratio == first.ratio
        assert not connect(stub.url).meter("en").learned
