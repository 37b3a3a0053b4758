"""One schema: what it accepts, what it says about mistakes, and that its documents are true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from earmark.config import Config, Duration, folder_settings, load_config, parse_config, parse_duration
from earmark.config.document import reference, sample
from earmark.config.section import LANGUAGES
from earmark.domain import Instant
from earmark.errors import ConfigError
from earmark.paths import platform_home
from faster_whisper.tokenizer import _LANGUAGE_CODES
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.shown import written

ROOT = Path(__file__).resolve().parents[2]


def test_no_file_means_all_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path / "config.toml") == Config()


@pytest.mark.shows("configuration:every-key", "readme:config")
def test_every_line_of_the_sample_is_right_when_it_is_uncommented() -> None:
    uncommented = re.sub(r"(?m)^# (?=\[\[|[a-z_]+ = )", "", sample())
    parsed = parse_config(tomllib.loads(uncommented), "sample")
    assert len(parsed.folder) == 1


def test_the_sample_as_it_is_changes_nothing() -> None:
    assert parse_config(tomllib.loads(sample()), "sample") == Config()


def keys_of(model: type[BaseModel]) -> set[str]:
    """The names of all keys of a section, of its sections and of those in them."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= keys_of(inner)
    return found


@pytest.mark.shows("configuration:every-key")
def test_the_configuration_document_in_the_project_is_what_the_schema_says() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert written(text, {}) == reference(), (
        "run: earmark config reference > docs/configuration.md; python -m tests.shown"
    )


@pytest.mark.shows("configuration:every-key", "readme:config")
def test_every_key_is_in_the_document_and_in_the_sample() -> None:
    keys = keys_of(Config)
    assert len(keys) > 60
    page, lines = reference(), sample()
    for name in keys - {"folder", "intake", "transcription", "summary", "notes", "retention"}:
        assert re.search(rf"^(?:\| `{name}` \||##+ `\[+[\w.]*\b{name}\]+`)", page, re.MULTILINE), name
        assert re.search(rf"^(?:# {name} = |\[[\w.]*\b{name}\])", lines, re.MULTILINE), name


@pytest.mark.shows("configuration:unknown-keys")
def test_all_problems_are_told_at_once_with_what_was_probably_meant(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        "privcy = 'device'\n[transcription]\nlangage = 'en'\nworkers = -1\n[[folder]]\npath='/a'\ntag=['x']\n"
    )
    with pytest.raises(ConfigError) as error:
        load_config(file)
    text = str(error.value)
    assert "did you mean `privacy`?" in text
    assert "did you mean `language`?" in text
    assert "did you mean `tags`?" in text
    assert "transcription.workers" in text
    assert len(text.splitlines()) == 4
    assert all(str(file) in line for line in text.splitlines())


@pytest.mark.parametrize(
    ("setting", "said"),
    [("language = 'xx'", "write one such as `en` or `de` (found 'xx')"), ("language = 'EN'", "did you mean `en`?"),
     ("language = 'pt_BR'", "did you mean `pt`?"), ("languages = ['en', 'zh-TW']", "languages.1`: no language"),
     ("languages = 'en'", "a list is needed, in brackets"), (f"prompt = '{'x' * 9_000}'", "xxx…)")],
)  # fmt: skip
def test_a_wrong_value_is_told_in_a_line_with_what_would_be_right(setting: str, said: str) -> None:
    for section in ("[transcription]\n", "[[folder]]\npath = '/a'\n"):
        with pytest.raises(ConfigError) as error:
            parse_config(tomllib.loads(section + setting), "config.toml")
        assert said in str(error.value)
        assert len(str(error.value)) < 240


def test_every_language_that_whisper_knows_can_be_named() -> None:
    assert set(_LANGUAGE_CODES) == LANGUAGES


def test_a_file_that_is_not_toml_says_where(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[transcription\n")
    with pytest.raises(ConfigError, match=r"config\.toml: is not valid TOML.*line 1"):
        load_config(file)


def test_one_folder_listed_twice_is_an_error() -> None:
    with pytest.raises(ConfigError, match="listed twice"):
        parse_config({"folder": [{"path": "/a"}, {"path": "/a"}]}, "config.toml")


def test_privacy_lan_needs_the_host_named() -> None:
    with pytest.raises(ConfigError, match="allowed_hosts"):
        parse_config({"privacy": "lan"}, "config.toml")


def test_a_folder_overrides_what_it_names_and_adds_to_lists() -> None:
    config = parse_config(
        {
            "transcription": {"language": "en", "vocabulary": ["Earmark"]},
            "notes": {"tags": ["recording"], "formats": ["srt"]},
            "folder": [
                {
                    "path": "/calls",
                    "language": "de",
                    "vocabulary": ["Kraków"],
                    "tags": ["call"],
                    "recursive": False,
                    "formats": [],
                }
            ],
        },
        "config.toml",
    )
    calls = folder_settings(config, Path("/calls"))
    assert (calls.language, calls.vocabulary, calls.recursive) == ("de", ("Earmark", "Kraków"), False)
    assert (calls.tags, calls.formats) == (("recording", "call"), ())
    other = folder_settings(config, Path("/other"))
    assert (other.language, other.vocabulary, other.recursive, other.formats) == (
        "en",
        ("Earmark",),
        True,
        ("srt",),
    )


def test_language_auto_means_detect() -> None:
    assert folder_settings(Config(), Path("/x")).language is None


def test_what_is_english_in_any_case_is_not_to_be_translated() -> None:
    named = "[transcription]\ntask = 'translate'\n[[folder]]\npath = '/a'\nlanguage = 'en'"
    config = parse_config(tomllib.loads(named), "config.toml")
    assert not folder_settings(config, Path("/a")).to_english
    assert folder_settings(config, Path("/b")).to_english


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 999), st.integers(0, 999))
def test_a_duration_reads_back_as_it_was_written(years: int, months: int, days: int, hours: int) -> None:
    span = Duration(years, months, days, hours)
    assert parse_duration(str(span)) == span


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 500), st.integers(0, 500))
def test_a_longer_duration_never_ends_sooner(years: int, months: int, days: int, hours: int) -> None:
    now = Instant(1_790_000_000.0)
    assert Duration(years, months, days, hours).before(now) <= now
    assert Duration(years, months, days, hours + 1).before(now) <= Duration(
        years, months, days, hours
    ).before(now)


@pytest.mark.parametrize("text", ["", "30", "1.5d", "d", "-3d", "3 days", "5d2y", None, 7])
def test_anything_else_is_not_a_duration(text: object) -> None:
    with pytest.raises(ValueError, match="36h"):
        parse_duration(text)


def test_a_month_before_the_last_of_march_is_the_last_of_february() -> None:
    from datetime import UTC, datetime

    march = Instant(datetime(2027, 3, 31, 12, tzinfo=UTC).timestamp())
    assert datetime.fromtimestamp(parse_duration("1m").before(march), UTC) == datetime(
        2027, 2, 28, 12, tzinfo=UTC
    )


def test_one_variable_moves_all_of_earmark(tmp_path: Path) -> None:
    home = platform_home({"EARMARK_HOME": str(tmp_path)})
    assert {p.parent for p in (home.config, home.state, home.data)} == {tmp_path}
