"""Addresses as people paste them: made into a base URL, or refused with what would be right."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from earmark.config import Config, load_config
from earmark.config.endpoint import normalized
from earmark.errors import ConfigError, PrivacyError
from earmark.locality.policy.endpoint import NameNotFound, resolve_endpoint
from earmark.supervisor.knocking import knock_addresses
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.test_summary_endpoint import answering

LM_STUDIO = "http://localhost:1234/v1"


@pytest.mark.shows("summaries:pasted")
@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("http://localhost:1234/v1/chat/completions", LM_STUDIO),
        ("http://localhost:1234/v1/completions/", LM_STUDIO),
        ("http://localhost:1234/v1/models", LM_STUDIO),
        ("http://localhost:1234/v1/models/qwen3-4b", LM_STUDIO),
        ("http://localhost:1234/v1/embeddings", LM_STUDIO),
        ("http://localhost:1234/v1/responses", LM_STUDIO),
        ("http://localhost:1234/v1/", LM_STUDIO),
        ("http://localhost:1234//v1//", LM_STUDIO),
        ("http://localhost:1234", LM_STUDIO),
        ("http://localhost:1234/", LM_STUDIO),
        ("localhost:1234", LM_STUDIO),
        ("localhost:1234/v1/chat/completions", LM_STUDIO),
        ("HTTP://LOCALHOST:1234/V1/CHAT/COMPLETIONS", LM_STUDIO),
        ("http://localhost.:1234/v1", LM_STUDIO),
        (' "http://localhost:1234/v1" ', LM_STUDIO),
        ("<http://localhost:1234/v1>", LM_STUDIO),
        ("http://localhost:1234/#/models", LM_STUDIO),
        ("http://localhost:1234/api/v0/models", LM_STUDIO),
        ("http://localhost:1234/api/v1/chat", LM_STUDIO),
        ("http://localhost:11434/api", "http://localhost:11434/v1"),
        ("http://localhost:11434/api/", "http://localhost:11434/v1"),
        ("http://localhost:11434/api/chat", "http://localhost:11434/v1"),
        ("http://127.0.0.1:9999/api/generate", "http://127.0.0.1:9999/v1"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("[::1]:8080", "http://[::1]:8080/v1"),
        ("http://[0:0:0:0:0:0:0:1]:8080", "http://[::1]:8080/v1"),
        ("192.168.1.5:1234/v1", "http://192.168.1.5:1234/v1"),
        ("http://localhost:/v1", "http://localhost/v1"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"),
        ("https://api.groq.com/openai/v1/models", "https://api.groq.com/openai/v1"),
        ("http://localhost:3000/api/chat/completions", "http://localhost:3000/api"),
        ("http://\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54:1234/v1", LM_STUDIO),
        ("http://bücher.example:1/v1", "http://xn--bcher-kva.example:1/v1"),
        ("http://ＢÜＣＨＥＲ。example:1/v1", "http://xn--bcher-kva.example:1/v1"),
        ("\u201chttp://localhost:1234/v1\u201d", LM_STUDIO),
        ("\u2018http://localhost:1234/v1\u2019,", LM_STUDIO),
        ("\u00abhttp://localhost:1234\u00bb", LM_STUDIO),
        ("(http://localhost:1234/v1).", LM_STUDIO),
        ("http://localhost:1234/v1,", LM_STUDIO),
        ("http://localhost:1234;", LM_STUDIO),
        ("http://localhost:1234/v1,/", LM_STUDIO),
        ("http://localhost:1234/v1:", LM_STUDIO),
        ("http://localhost:1234/v1/models,/chat/completions", LM_STUDIO),
        ("http://127.1:1234", "http://127.0.0.1:1234/v1"),
        ("http://2130706433:1234", "http://127.0.0.1:1234/v1"),
        ("http://[::ffff:127.0.0.1]:1234", "http://127.0.0.1:1234/v1"),
        ("http://[::FFFF:0A01:0203]:1", "http://10.1.2.3:1/v1"),
        ("http://[fd00:0:0::1]:1", "http://[fd00::1]:1/v1"),
        ("http://my_server:1", "http://my_server:1/v1"),
        ("AUTO", "auto"),
        ("\u201dauto\u201d,", "auto"),
        (" None ", "none"),
    ],
)
def test_what_is_pasted_becomes_the_base_url_that_was_meant(pasted: str, meant: str) -> None:
    assert normalized(pasted) == meant
    assert normalized(meant) == meant


@pytest.mark.shows("summaries:hosts")
@pytest.mark.parametrize(
    ("pasted", "host"),
    [
        ("NAS", "nas"), ("nas.lan.", "nas.lan"), ("http://nas:1234/v1", "nas"), ("nas:1234", "nas"), ("[::1]", "::1"),
        ("fd00:0:0::1", "fd00::1"), ("[fd00::1]:1234", "fd00::1"), ("FD00::1", "fd00::1"), ("fd00::", "fd00::"),
        ("::ffff:10.1.2.3", "10.1.2.3"), ("[::ffff:a01:203]:1", "10.1.2.3"), ("müller.local", "xn--mller-kva.local"),
        ("MÜLLER.local.", "xn--mller-kva.local"),
        ("\u201cnas\u201d,", "nas"), ("10.1.2.3:1", "10.1.2.3"), ("127.1", "127.0.0.1"),
        ("fd00::5", "fd00::5"), ("https://api.example.com/v1", "api.example.com"), (" 192.168.1.5:80/ ", "192.168.1.5"),
    ],
)  # fmt: skip
def test_a_host_that_is_allowed_may_be_pasted_as_well(pasted: str, host: str) -> None:
    assert Config.model_validate({"summary": {"allowed_hosts": [pasted]}}).summary.allowed_hosts == (host,)


@pytest.mark.shows("summaries:hosts")
@pytest.mark.parametrize(
    "spelled",
    ["müller.local", "MÜLLER.local.", "xn--mller-kva.local", "[fd00:0:0::1]", "[FD00::1]", "[::ffff:10.1.2.3]", "10.1.515",
     "my_nas", "nas.lan."],
)  # fmt: skip
def test_a_host_that_is_named_as_it_stands_in_the_address_is_allowed(spelled: str) -> None:
    """The one in the address and the one in `allowed_hosts` are the same, however each of them is spelled."""
    endpoint = f"https://{spelled}:1234/v1"
    for name in (spelled, spelled.strip("[]"), f"{spelled}:1234", endpoint, normalized(endpoint)):
        summary = {"endpoint": endpoint, "allowed_hosts": [name]}
        config = Config.model_validate({"privacy": "cloud", "summary": summary})
        pinned = resolve_endpoint(
            config.summary.endpoint, "cloud", config.summary.allowed_hosts, answering("192.168.1.5")
        )
        assert pinned.scope == "lan"
        assert resolve_endpoint(endpoint, "cloud", [name], answering("192.168.1.5")) == pinned


@pytest.mark.shows("summaries:hosts")
@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ("a b", "names no host"), ("user@host", "user name"), ("user:secret@host", "user name"), ("", "names no host"),
        ("a..b", "names no host"), ("-a", "no hyphen first"), ("256.1.1.1", "four numbers"), ("[v1.x]", "not an IPv6"),
        ("10.0.0.0/8", "is a network"), ("fd00::/8", "is a network"), ("fe80::1%eth0", "zone"), ("a" * 300, "at most 253"),
        ("ß.example", "two ways"), ("0.0.0.0", "where a server listens"),
        ("a,b", "names no host"), ("nas:port", "a port is"),
    ],
)  # fmt: skip
def test_what_is_no_host_is_refused_by_config_check(named: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[summary]\nallowed_hosts = [{json.dumps(named)}]\n")
    with pytest.raises(ConfigError, match=sentence) as refused:
        load_config(file)
    assert "allowed_hosts" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_pattern_is_no_host() -> None:
    with pytest.raises(ValidationError, match="without patterns"):
        Config.model_validate({"summary": {"allowed_hosts": ["*.lan"]}})


WRONG = [
    ("http://localhost:99999/v1", "a port is a number from 1 to 65535"),
    ("http://localhost:0/v1", "a port is a number from 1 to 65535"),
    ("http://localhost:-1/v1", "a port is a number"),
    ("http://localhost:port/v1", "a port is a number"),
    ("http://localhost:１２３４/v1", "a port is a number"),
    ("http://localhost:1234:1234/v1", "in brackets"),
    ("http://[::1]1234/v1", "a port is a number"),
    ("http://user:secret@localhost:1234/v1", "api_key_file"),
    ("user:secret@localhost:1234", "api_key_file"),
    ("http://secret@localhost/v1", "api_key_file"),
    ("http://localhost:1234/v1?key=secret", "question mark"),
    ("http://0.0.0.0:1234/v1", "where a server listens"),
    ("http://[::]:1234/v1", "where a server listens"),
    ("http://[fe80::1%25eth0]:1234/v1", "zone"),
    ("http://::1:1234/v1", "in brackets"),
    ("::1", "in brackets"),
    ("http://[::1/v1", "that can be read"),
    ("http://[nonsense]/v1", "that can be read|IPv6"),
    ("http:/localhost:1234/v1", "://"),
    ("http:localhost:1234/v1", "://"),
    ("http//localhost:1234/v1", "://"),
    ("http://", "http://localhost:1234/v1"),
    ("http:///v1", "no host"),
    ("http://:1234/v1", "no host"),
    ("nas:1234", "http:// or https://"),
    ("api.example.com/v1", "http:// or https://"),
    ("ftp://localhost/v1", "ftp://"),
    ("ws://localhost/v1", "ws://"),
    ("file:///etc/passwd", "file://"),
    ("unix:///run/server.sock", "Unix socket"),
    ("http+unix://%2Frun%2Fx/v1", "Unix socket"),
    ("/run/server.sock", "Unix socket"),
    ("http://local host:1234/v1", "a space"),
    ("http://localhost:1234\\@evil/v1", "backslash"),
    ("http://localhost\x00:1234/v1", "cannot be seen"),
    ("http://localhost\u200b:1234/v1", "cannot be seen"),
    ("http://" + "ü" * 70 + "/v1", "cannot be one"),
    ("http://\uff10.\uff10.\uff10.\uff10:1/v1", "where a server listens"),
    ("http://[::1]:99999/v1", r"as in http://\[::1\]:1234/v1"),
    ("http://0:1234", "where a server listens"),
    ("http://[::ffff:0:0]:1234", "where a server listens"),
    ("http://256.1.1.1:1", "four numbers from 0 to 255"),
    ("http://1.2.3.4.5:1", "four numbers from 0 to 255"),
    ("http://0177.0.0.1:1", "four numbers from 0 to 255"),
    ("http://0x7f.1:1", "four numbers from 0 to 255"),
    ("http://1.16777216:1", "four numbers from 0 to 255"),
    ("http://4294967296:1", "four numbers from 0 to 255"),
    ("http://a..b:1", "cannot be one"),
    ("http://.a:1", "cannot be one"),
    ("http://-a:1", "cannot be one"),
    ("http://a-.lan:1", "cannot be one"),
    ("http://*.local:1", "cannot be one"),
    ("http://" + "a" * 64 + ":1", "cannot be one"),
    ("http://" + "a" * 300 + ":1", "at most 253"),
    ("http://" + "a." * 130 + "lan:1", "at most 253"),
    ("http://[v1.x]:1", "not an IPv6 address"),
    ("http://[127.0.0.1]:1", "that can be read|not an IPv6 address"),
    ("http://stra\u00dfe.example:1", "read in two ways"),
    ("http://localhost:1234/../x", "goes up"),
    ("http://localhost:1234/%2e%2E/x", "goes up"),
    ("http://localhost:1234/./v1", "goes up"),
    ("", 'write "none"'),
    ("   ", 'write "none"'),
    ("curl", "http:// or https://"),
]


@pytest.mark.shows("summaries:refused")
@pytest.mark.parametrize(("pasted", "sentence"), WRONG)
def test_what_cannot_be_an_address_is_refused_with_what_would_be_right(pasted: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        normalized(pasted)
    assert "secret" not in str(refused.value)


@pytest.mark.shows("summaries:refused")
@pytest.mark.parametrize(("pasted", "sentence"), WRONG)
def test_such_an_address_gets_no_further_than_config_check(
    pasted: str, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[summary]\nendpoint = {json.dumps(pasted)}\n".replace("\\u0000", "\\u0001"))
    with pytest.raises(ConfigError, match=r"`summary\.endpoint`: ") as refused:
        load_config(file)
    assert "secret" not in str(refused.value)


@given(
    st.text(max_size=40)
    | st.from_regex(r"(https?://)?[a-z\[\]:.@%0-9/?#\\-]{0,30}(:[0-9]{0,6})?(/[a-z/]{0,12})?", fullmatch=True)
)
def test_no_text_is_more_than_an_address_or_a_sentence(text: str) -> None:
    """Nor does any of the parts that read an address fall over one that got past the configuration."""
    try:
        meant = normalized(text)
    except ValueError:
        meant = ""
    if meant:
        assert normalized(meant) == meant
        knock_addresses(meant, "lan")
    with contextlib.suppress(PrivacyError, NameNotFound):
        resolve_endpoint(f"http://{text}/v1", "cloud", [text], resolver=lambda *a, **k: [])
    with contextlib.suppress(PrivacyError, NameNotFound):
        resolve_endpoint(text, "cloud", [text], resolver=lambda *a, **k: [])
    knock_addresses(text, "lan")
