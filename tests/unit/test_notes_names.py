"""Notes are called after their recording, safely on every system."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from earmark.domain import Kind
from earmark.notes.names import LONGEST, belongs, candidates, later
from hypothesis import given
from hypothesis import strategies as st


def first(audio_name: str, kind: Kind | str, count: int = 4) -> list[str]:
    return list(itertools.islice(candidates(audio_name, kind), count))


def test_a_note_is_called_after_its_recording_and_then_after_its_whole_name() -> None:
    assert first("standup.wav", Kind.SUMMARY) == [
        "standup.md",
        "standup.wav.md",
        "standup.wav (2).md",
        "standup.wav (3).md",
    ]
    assert first("standup.wav", Kind.TRANSCRIPT, 3) == [
        "standup.transcript.md",
        "standup.wav.transcript.md",
        "standup.wav (2).transcript.md",
    ]
    assert first("standup.wav", "srt", 2) == ["standup.srt", "standup.wav.srt"]


def test_a_later_version_is_never_called_like_the_note_of_a_namesake() -> None:
    names = list(itertools.islice(later("d05.flac", Kind.TRANSCRIPT), 3))
    assert names == ["d05 (new).transcript.md", "d05 (new 2).transcript.md", "d05 (new 3).transcript.md"]
    assert all(belongs(name, "d05.flac", Kind.TRANSCRIPT) for name in names)
    # So former versions called them.
    assert belongs("d05 (new).flac.transcript.md", "d05.flac", Kind.TRANSCRIPT)
    assert not belongs("d05 (newer).transcript.md", "d05.flac", Kind.TRANSCRIPT)
    assert not belongs("d06 (new 2).transcript.md", "d05.flac", Kind.TRANSCRIPT)
    long = list(itertools.islice(later("ö" * 200 + ".flac", "srt"), 2))
    assert [name.lstrip("ö") for name in long] == ["… (new).srt", "… (new 2).srt"]
    assert all(len(name.encode()) <= LONGEST and belongs(name, "ö" * 200 + ".flac", "srt") for name in long)


def test_a_recording_without_a_suffix_gets_numbers_at_once() -> None:
    assert first("standup", Kind.SUMMARY, 3) == ["standup.md", "standup (2).md", "standup (3).md"]


@pytest.mark.parametrize(
    ("audio", "note"),
    [
        ("12:30 meeting.m4a", "12-30 meeting.md"),
        ("[draft] #1 a|b.m4a", "(draft) 1 a-b.md"),
        ('say "hi"?.m4a', "say 'hi'.md"),
        ("line\nbreak\x07.m4a", "line break.md"),
        ("...dots. .m4a", "dots.md"),
        ("???.m4a", "recording.md"),
        ("CON.m4a", "CON_.md"),
        ("com1.backup.m4a", "com1_.backup.md"),
        ("console.m4a", "console.md"),
        ("cafe\u0301.m4a", "café.md"),
        ("🎤 memo.m4a", "🎤 memo.md"),
        ("bad\udcff.m4a", "bad_.md"),
        ("John's memo.m4a", "John's memo.md"),
    ],
)
def test_names_that_some_system_forbids_are_made_to_fit(audio: str, note: str) -> None:
    assert first(audio, Kind.SUMMARY, 1) == [note]


@given(
    st.text(st.characters(exclude_characters="/\x00", exclude_categories=()), min_size=1, max_size=300),
    st.sampled_from([Kind.SUMMARY, Kind.TRANSCRIPT, "srt", "json"]),
)
def test_every_candidate_is_a_legal_and_distinct_name_everywhere(audio: str, kind: Kind | str) -> None:
    names = first(audio, kind, 6)
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        assert len(name.encode()) <= LONGEST
        assert unicodedata.is_normalized("NFC", name)
        assert not re.search(r'[<>:"/\\|?*#^\[\]%\x00-\x1f\x7f]', name)
        assert not name.startswith((".", " "))
        assert not name.endswith((".", " "))
        assert not re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", name)


def test_a_long_name_is_cut_between_characters_not_within_one() -> None:
    name = first("👨‍👩‍👧" * 40 + ".m4a", Kind.TRANSCRIPT, 1)[0]
    assert re.fullmatch("(👨‍👩‍👧)+….transcript.md", name)
