"""A server may say anything of itself: no answer is a mistake of ours, and each name is one that can be sent."""

from __future__ import annotations

from typing import Any

import pytest
from earmark.summarization.connection import reply
from earmark.summarization.servers import Reply, identify, pick_model
from hypothesis import given, settings
from hypothesis import strategies as st

KEYS = (
    "models", "data", "id", "key", "loaded_instances", "config", "context_length", "state", "type", "meta", "n_ctx",
    "n_ctx_train", "model", "name", "capabilities", "remote_host", "default_generation_settings", "total_slots",
    "model_alias", "owned_by", "max_model_len", "backends", "max_context_length", "loaded_context_length",
)  # fmt: skip
"""What is looked for in the answers of all servers."""

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["\ud800", "m", "llm"]),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inside: st.one_of(
        st.lists(inside, max_size=3), st.dictionaries(st.sampled_from(KEYS), inside, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.shows("privacy:bounded-answers")
@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["/api/v1/models", "/api/v0/models", "/api/tags", "/api/ps", "/props"]), ANYTHING
    ),
    ANYTHING,
)
def test_whatever_a_server_says_of_itself_it_is_some_server(native: dict[str, Any], other: Any) -> None:
    def ask(path: str, body: Any = None) -> Reply:
        del body
        return Reply(200, native.get(path, other))

    server = identify(ask)
    assert all(model.id.encode() for model in server.models)
    pick_model(server, "auto", local_only=True)


ODD = {
    "a configuration that is a list": {
        "key": "m",
        "type": "llm",
        "loaded_instances": [{"id": "m", "config": [1]}],
    },
    "instances that are a number": {"key": "m", "type": "llm", "loaded_instances": 7},
    "a name that is half a character": {"key": "\ud800", "type": "llm", "loaded_instances": []},
    "a name that is a list": {"key": ["m"], "type": "llm", "loaded_instances": [{"id": {}}]},
}


@pytest.mark.parametrize("name", ODD)
def test_a_model_that_is_described_oddly_is_one_or_none(name: str) -> None:
    found = {
        "/api/v1/models": {"models": [ODD[name], {"key": "sound", "type": "llm", "loaded_instances": []}]}
    }
    server = identify(lambda path, body=None: Reply(200, found.get(path)))
    assert server.model("sound") is not None
    assert {model.id for model in server.models} <= {"m", "sound"}


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "nothing at its address"), (500, "failed (HTTP 500)"), (503, "failed"), (401, "")],
)
@pytest.mark.parametrize("body", [b"{}", b"<html>no</html>", b""])
def test_a_list_of_models_that_fails_is_no_word_about_models(status: int, said: str, body: bytes) -> None:
    fault = reply(status, body).fault
    assert said in fault
    assert bool(said) is bool(fault)
