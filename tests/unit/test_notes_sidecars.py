"""Subtitles, plain text and JSON hold what was said, in the form that players and scripts expect."""

from __future__ import annotations

import json
import re

from earmark.domain import Mark, Segment, Transcript
from earmark.notes.escape import JOINER, normalize
from earmark.notes.sidecars import LINE, as_json, srt, txt, vtt
from hypothesis import given
from hypothesis import strategies as st


def transcript(*segments: Segment) -> Transcript:
    return Transcript("5e" * 32, segments, "en", 0.9, 60.0, 20.0, "tiny.en", "faster-whisper")


SPOKEN = transcript(
    Segment(0.4, 4.2, " Good morning, let's start with the release of version two."),
    Segment(4.2, 9.0, " We ship on Friday."),
    Segment(12.5, 15.0, " a < b & c --> d <i>x</i> {\\an8}", 0.4, Mark.LOW_CONFIDENCE),
    Segment(20.0, 30.0, " you you you", 0.2, Mark.REPETITION),
    Segment(31.0, 33.0, " Thanks for watching!", 0.2, Mark.OVER_SILENCE),
)


def test_a_subrip_file() -> None:
    assert srt(SPOKEN).replace(JOINER, "·") == (
        "1\n00:00:00,400 --> 00:00:04,200\nGood morning, let's start with the release\nof version two.\n\n"
        "2\n00:00:04,200 --> 00:00:09,000\nWe ship on Friday.\n\n"
        "3\n00:00:12,500 --> 00:00:15,000\na < b & c --·> d <·i>x<·/i> {·\\an8}\n"
    )


def test_a_webvtt_file() -> None:
    assert vtt(SPOKEN) == (
        "WEBVTT\n\n00:00:00.400 --> 00:00:04.200\nGood morning, let's start with the release\nof version two.\n\n"
        "00:00:04.200 --> 00:00:09.000\nWe ship on Friday.\n\n"
        "00:00:12.500 --> 00:00:15.000\na &lt; b &amp; c --&gt; d &lt;i&gt;x&lt;/i&gt; {\\an8}\n"
    )


def test_a_text_file_has_a_paragraph_per_pause() -> None:
    assert txt(SPOKEN) == (
        "Good morning, let's start with the release of version two. We ship on Friday.\n\n"
        "a < b & c --> d <i>x</i> {\\an8}\n"
    )
    assert txt(transcript()) == ""


def test_json_keeps_what_was_not_speech_apart() -> None:
    document = json.loads(as_json(SPOKEN))
    assert [s["start"] for s in document["segments"]] == [0.4, 4.2, 12.5]
    assert [s["mark"] for s in document["left_out"]] == ["repetition", "over-silence"]
    assert "watching" not in document["text"]
    assert document["earmark_id"] == "5e" * 32


def test_a_transcript_without_speech_gives_empty_but_valid_files() -> None:
    assert srt(transcript()) == ""
    assert vtt(transcript()) == "WEBVTT\n"


SEGMENTS = st.lists(
    st.builds(
        lambda start, long, text: Segment(start, start + long, text),
        st.floats(0, 5000),
        st.floats(0, 60),
        st.text(max_size=300),
    ),
    max_size=6,
)
TIMES = re.compile(r"(\d\d):(\d\d):(\d\d)[.,](\d{3}) --> (\d\d):(\d\d):(\d\d)[.,](\d{3})")


@given(SEGMENTS)
def test_subtitles_are_in_order_never_overlap_and_lose_no_word(segments: list[Segment]) -> None:
    for rendered in (srt(transcript(*segments)), vtt(transcript(*segments))):
        last = 0
        for found in TIMES.findall(rendered):
            h1, m1, s1, ms1, h2, m2, s2, ms2 = map(int, found)
            start, end = ((h1 * 60 + m1) * 60 + s1) * 1000 + ms1, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2
            assert last <= start < end
            last = end
        assert rendered.count("-->") == len(TIMES.findall(rendered))
    lines = [
        line for block in srt(transcript(*segments)).split("\n\n") for line in block.splitlines()[2:] if block
    ]
    said = "".join(normalize(s.text) for s in sorted(segments, key=lambda s: s.start))
    assert "".join(lines).replace(JOINER, "").replace(" ", "") == said.replace(" ", "")
    assert all(len(line.replace(JOINER, "")) <= LINE for line in lines)


def test_a_long_segment_becomes_several_short_subtitles() -> None:
    found = TIMES.findall(srt(transcript(Segment(0.0, 28.0, "word " * 60))))
    assert len(found) >= 4


def test_wide_characters_take_two_columns() -> None:
    lines = re.findall("中+", vtt(transcript(Segment(0.0, 5.0, "中" * 60))))
    assert max(map(len, lines)) <= LINE // 2
    assert sum(map(len, lines)) == 60
