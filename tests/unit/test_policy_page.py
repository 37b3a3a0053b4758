"""The policy page follows from the configuration and from what was found out, and from nothing else."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from earmark.config import Config
from earmark.domain import Instant
from earmark.locality.policy.consent import fingerprint, host_away, missing_consent
from earmark.locality.policy.page import render_page
from earmark.locality.policy.parts import Page
from earmark.locality.policy.snapshot import Facts, snapshot

FACTS = Facts(
    version="1",
    now=Instant(1_795_000_000.0),
    vocabulary_file="/home/me/.config/earmark/vocabulary.txt",
    config_file="/c/config.toml",
    state="/s",
    models="/m",
    folders=("/r",),
)
CLOUD = {
    "privacy": "cloud",
    "summary": {"endpoint": "https://api.example.com/v1", "allowed_hosts": ["api.example.com"]},
}


def page(config: dict[str, Any] | None = None, **facts: Any) -> Page:
    import dataclasses

    return snapshot(Config.model_validate(config or {}), dataclasses.replace(FACTS, **facts))


def test_by_default_everything_stays_here_and_nothing_is_deleted() -> None:
    made = page()
    assert made.quick.zero_data_retention.startswith("yes")
    assert made.quick.trains_on_data == "no"
    assert made.quick.default_retention.count("kept until you delete them") == 3
    assert made.quick.last_verified.startswith("never")
    assert [o.name for o in made.operations if o.where == "cloud"] == ["downloading a model"]


def test_without_a_summary_server_the_model_download_is_the_only_thing_that_connects() -> None:
    made = page({"summary": {"endpoint": "none"}})
    assert [o.name for o in made.operations if o.connectivity] == ["downloading a model"]
    assert made.endpoint_keeps == ()


@pytest.mark.shows("privacy:unverified")
@pytest.mark.parametrize("endpoint", ["auto", "http://127.0.0.1:1234/v1"])
def test_of_a_server_on_this_device_the_page_says_yes_for_earmark_only(endpoint: str) -> None:
    said = page({"summary": {"endpoint": endpoint}}).quick.zero_data_retention
    assert said.startswith("yes, by earmark: it sends nothing off this device")
    assert "hands them on, is for the server to say" in said
    alone = page({"summary": {"endpoint": "none"}}).quick.zero_data_retention
    assert alone == "yes: nothing is sent off this device"


def test_a_cloud_server_makes_the_page_say_what_cannot_be_known() -> None:
    made = page(CLOUD)
    assert "api.example.com" in made.quick.zero_data_retention
    assert made.quick.zero_data_retention.startswith("not known")
    assert made.quick.trains_on_data.startswith("not known")
    (summaries,) = [o for o in made.operations if o.name.startswith("summaries by")]
    assert (summaries.where, summaries.connects_to) == ("cloud", "api.example.com")
    assert "not allowed yet" in summaries.sends
    assert "allowed by you" in {o.name: o for o in page(CLOUD, consent=True).operations}[summaries.name].sends


def test_what_is_not_enforced_is_said_to_be() -> None:
    made = page(sandbox=("not enforced: the network is open (no seccomp)", "files: only ..."))
    assert made.not_enforced == ("transcription: the network is open (no seccomp)",)
    assert "Not enforced" in render_page(made, "md")
    assert "turned off" in page({"transcription": {"sandbox": "off"}}).not_enforced[0]


def test_retention_rules_become_sentences_with_their_exceptions() -> None:
    made = page(
        {
            "retention": {
                "audio": {"keep_for": "30d", "keep_last": 5},
                "transcript": {"keep_for": "1y", "count_from": "recorded"},
                "sidecar": {"delete_after_done": True},
                "tags": {"private": {"audio": {"keep_for": "7d"}}},
            },
            "notes": {"formats": ["srt"]},
        }
    )
    kept = {k.what: k.how_long for k in made.kept}
    assert "for 30d after the recording was done or while among the newest 5" in kept["recordings"]
    assert "tag private: kept for 7d" in kept["recordings"]
    assert any("for 1y after it was recorded" in words for words in kept.values())
    assert kept["sidecars (srt)"].startswith("deleted once all notes are written")


def test_the_last_check_is_named_with_its_outcome() -> None:
    assert "every claim held" in page(verified=(1_795_000_000.0, True)).quick.last_verified
    some = page(verified=(1_795_000_000.0, True), untried=3).quick.last_verified
    assert "every claim that could be tried held; 3 could not be tried" in some
    assert "not every claim held" in page(verified=(1_795_000_000.0, False)).quick.last_verified


def test_as_json_it_is_data() -> None:
    body = json.loads(render_page(page(), "json"))
    assert {o["name"]: o["needs_connectivity"] for o in body["operations"]}["transcription"] is False
    assert set(body["quick"]) == {
        "default_retention",
        "zero_data_retention",
        "trains_on_data",
        "last_verified",
    }


class Resources(HTMLParser):
    """Collects everything that a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "link", "iframe", "object") or any(
            n in ("src", "href") for n, _ in attrs
        ):
            self.found.append(tag)


def test_the_html_stands_alone_and_escapes_what_people_named() -> None:
    hostile = '/r/<img src="http://x/y">|`'
    html = render_page(page(folders=(hostile,)), "html")
    parser = Resources()
    parser.feed(html)
    assert parser.found == []
    assert "&lt;img" in html


def test_in_markdown_a_name_cannot_break_its_table_row() -> None:
    text = render_page(page(folders=("/a|b\n| evil |",)), "md")
    rows = [line for line in text.splitlines() if line.startswith("| recordings |")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 5


@pytest.mark.parametrize(
    ("endpoint", "away"),
    [
        ("auto", None), ("none", None), ("http://localhost:1/v1", None), ("http://127.0.0.2/v1", None),
        ("http://[::1]:1/v1", None), ("http://lm.localhost/v1", None), ("http://192.168.1.5/v1", "192.168.1.5"),
        ("https://api.example.com/v1", "api.example.com"), ("http://box/v1", "box"),
    ],
)  # fmt: skip
def test_only_what_is_loopback_without_a_lookup_needs_no_consent(endpoint: str, away: str | None) -> None:
    config = Config.model_validate(
        {"privacy": "cloud", "summary": {"endpoint": endpoint, "allowed_hosts": ["x"]}}
    )
    assert host_away(config) == away
    assert (missing_consent(config, None) is None) == (away is None)


@pytest.mark.shows("privacy:consent")
@pytest.mark.parametrize(
    "change",
    [
        {"privacy": "lan"},
        {"summary": {"endpoint": "https://api.example.com/v2", "allowed_hosts": ["api.example.com"]}},
        {
            "summary": {
                "endpoint": "https://api.example.com/v1",
                "allowed_hosts": ["api.example.com", "b.example"],
            }
        },
    ],
)
def test_a_changed_configuration_is_asked_about_again(change: dict[str, Any]) -> None:
    before, after = Config.model_validate(CLOUD), Config.model_validate({**CLOUD, **change})
    assert missing_consent(before, fingerprint(before)) is None
    reason = missing_consent(after, fingerprint(before))
    assert reason is not None
    assert "earmark privacy allow" in reason
    assert "changed since" in reason
