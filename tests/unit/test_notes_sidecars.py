"""Subtitles, plain text and JSON hold what was said, in the form that players and scripts expect."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from earmark.domain import Mark, Segment, Transcript
from earmark.notes.escape import JOINER, normalize
from earmark.notes.forms import sidecars
from earmark.notes.sidecars import LINE, as_json, srt, txt, vtt
from earmark.notes.style import NoteContext
from hypothesis import given
from hypothesis import strategies as st

ABOUT = NoteContext("ab" * 32, "talk.m4a")


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


TALK = replace(
    transcript(
        Segment(0.4, 4.2, " Good morning.", speaker=1),
        Segment(4.2, 9.0, " We ship on Friday.", speaker=1),
        Segment(9.0, 12.0, " Are you sure?", 0.9, None, "en", speaker=2, overlapped=True),
        Segment(12.0, 13.0, " Hm?", speaker=0),
        Segment(13.0, 15.0, " Yes.", speaker=2),
        Segment(15.0, 19.0, " you you", 0.1, Mark.REPETITION, speaker=2),
    ),
    speakers=("A <b> & {c}\n--> d", ""),
)


@pytest.mark.shows("transcription:speakers-files")
def test_in_a_subrip_file_a_turn_begins_with_the_speakers_name() -> None:
    cues = [block.splitlines()[2:] for block in srt(TALK).replace(JOINER, "·").split("\n\n")]
    assert cues == [
        ["A <·b> & {·c} --·> d: Good morning."],
        ["We ship on Friday."],
        ["Speaker 2: Are you sure?"],
        ["- Hm?"],
        ["Speaker 2: Yes."],
    ]


@pytest.mark.shows("transcription:speakers-files", "transcription:names-long")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * 75, "x" * 39 + "…:"),
        ("Anna Elisabeth von und zu Musterhausen", "Anna Elisabeth von und zu Musterhausen:"),
        ("Dr. Anna Elisabeth von und zu Musterhausen", "Dr. Anna Elisabeth von und zu…:"),
        ("\u5927" * 30, "\u5927" * 19 + "…:"),
    ],
)
@pytest.mark.parametrize("seconds", [1.0, 6.0, 40.0])
def test_a_long_name_is_as_long_in_each_subtitle_and_on_one_line(
    name: str, shown: str, seconds: float
) -> None:
    said = Segment(0.0, seconds, " Good morning to you all.", speaker=1)
    rendered = srt(replace(transcript(said), speakers=(name, "")))
    assert rendered.splitlines()[2].startswith(shown)
    assert f"<v {name}>" in vtt(replace(transcript(said), speakers=(name, "")))


@pytest.mark.shows("transcription:speakers-files")
def test_in_a_webvtt_file_each_cue_has_its_voice() -> None:
    assert vtt(TALK).split("\n\n")[1:] == [
        "00:00:00.400 --> 00:00:04.200\n<v A &lt;b&gt; &amp; {c} --&gt; d>Good morning.",
        "00:00:04.200 --> 00:00:09.000\n<v A &lt;b&gt; &amp; {c} --&gt; d>We ship on Friday.",
        "00:00:09.000 --> 00:00:12.000\n<v Speaker 2>Are you sure?",
        "00:00:12.000 --> 00:00:13.000\nHm?",
        "00:00:13.000 --> 00:00:15.000\n<v Speaker 2>Yes.\n",
    ]


@pytest.mark.shows("transcription:speakers-files")
def test_a_text_file_has_a_paragraph_per_turn() -> None:
    assert txt(TALK) == (
        "A <b> & {c} --> d: Good morning. We ship on Friday.\n\n"
        "Speaker 2: Are you sure?\n\nHm?\n\nSpeaker 2: Yes.\n"
    )


@pytest.mark.shows("transcription:speakers-files")
def test_json_has_the_names_by_number_and_the_number_of_each_segment() -> None:
    document = json.loads(as_json(TALK))
    assert (document["speakers"], document["speakers_unsure"]) == (["A <b> & {c} --> d", ""], False)
    assert [(s["speaker"], s["overlapped"]) for s in document["segments"]] == [
        (1, False), (1, False), (2, True), (0, False), (2, False),
    ]  # fmt: skip
    assert document["left_out"][0]["speaker"] == 2
    assert document["text"] == "Good morning. We ship on Friday. Are you sure? Hm? Yes."


def test_files_in_english_have_english_names() -> None:
    german = replace(
        TALK, language="de", to_english=True, english=(Segment(0.4, 4.2, "Good day.", speaker=2),)
    )
    files = {form: data.decode() for form, data in sidecars(german, ABOUT, ["txt", "srt", "json"])}
    assert "\n\nSprecher 2: Are" in files["txt"]
    assert files["en.txt"] == "Speaker 2: Good day.\n\nSpeaker 2: Are you sure?\n"
    assert "Speaker 2: Good day." in files["en.srt"]
    assert json.loads(files["json"])["english"][0]["speaker"] == 2


@pytest.mark.shows("transcription:speakers-unsure")
def test_where_it_is_not_sure_who_speaks_only_json_has_the_guess() -> None:
    unsure = replace(TALK, speakers_unsure=True)
    plain = transcript(*(replace(s, speaker=0, overlapped=False) for s in TALK.segments))
    assert (srt(unsure), vtt(unsure), txt(unsure)) == (srt(plain), vtt(plain), txt(plain))
    document = json.loads(as_json(unsure))
    assert document["speakers_unsure"] is True
    assert document["segments"][2]["speaker"] == 2


@pytest.mark.shows("transcription:speakers-one")
def test_without_speakers_the_files_are_as_they_always_were() -> None:
    plain = transcript(*(replace(s, speaker=0, overlapped=False) for s in TALK.segments))
    nobody = replace(TALK, speakers=())
    forms = ("srt", "vtt", "txt", "json", "html", "docx")
    assert dict(sidecars(nobody, ABOUT, forms)) == dict(sidecars(plain, ABOUT, forms))
    assert "speaker" not in as_json(plain)


SEGMENTS = st.lists(
    st.builds(
        lambda start, long, text, speaker: Segment(start, start + long, text, speaker=speaker),
        st.floats(0, 5000),
        st.floats(0, 60),
        st.text(max_size=300),
        st.integers(0, 3),
    ),
    max_size=6,
)
TIMES = re.compile(r"(\d\d):(\d\d):(\d\d)[.,](\d{3}) --> (\d\d):(\d\d):(\d\d)[.,](\d{3})")


@given(SEGMENTS, st.lists(st.text(max_size=80), min_size=3, max_size=3))
def test_no_cue_has_words_of_two_speakers_and_no_name_breaks_a_file(
    segments: list[Segment], names: list[str]
) -> None:
    numbered = [replace(s, text=f"w{s.speaker} " * len(s.text)) for s in segments]
    spoken = replace(transcript(*numbered), speakers=tuple(names))
    for rendered in (srt(spoken), vtt(spoken)):
        assert rendered.count("-->") == len(TIMES.findall(rendered))
    for block in vtt(spoken).split("\n\n")[1:]:
        voice = re.fullmatch(r"[^\n]+-->[^\n]+\n(?:<v ([^<>\n]+)>)?((?:w\d[ \n]*)+)", block)
        assert voice is not None
        numbers = set(re.findall(r"w(\d)", voice[2]))
        assert len(numbers) == 1
        assert (voice[1] is None) == (numbers == {"0"})
    assert all(
        len(line.replace(JOINER, "")) <= LINE for line in srt(spoken).splitlines() if "-->" not in line
    )


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


def seconds(rendered: str) -> list[float]:
    """How long each subtitle stays."""
    clocks = [list(map(int, found)) for found in TIMES.findall(rendered)]
    return [
        (h2 - h1) * 3600 + (m2 - m1) * 60 + s2 - s1 + (t2 - t1) / 1000
        for h1, m1, s1, t1, h2, m2, s2, t2 in clocks
    ]


def test_what_two_sides_say_at_once_can_be_read_one_after_the_other() -> None:
    one = "He hoped there would be stew for dinner, turnips and carrots and bruised potatoes and fat"
    two = "There's iron, they say, in all our blood, and a grain or two perhaps is good."
    rendered = srt(
        transcript(Segment(0.2, 5.6, one), Segment(0.2, 7.0, two), Segment(9.0, 10.0, "Quite so."))
    )
    pages = [block.splitlines()[2:] for block in rendered.split("\n\n")]
    for page, length in zip(pages, seconds(rendered), strict=True):
        assert length > 0.04 * sum(map(len, page))
    assert "00:00:09,000 --> 00:00:10,000" in rendered


def test_no_word_is_left_alone_on_a_page_that_would_fit_before() -> None:
    text = "He hoped there would be stew for dinner, turnips and carrots and bruised potatoes and fat"
    rendered = srt(transcript(Segment(0.2, 5.6, text)))
    assert len(seconds(rendered)) == 2
    assert min(seconds(rendered)) > 2.0


def test_wide_characters_take_two_columns() -> None:
    lines = re.findall("中+", vtt(transcript(Segment(0.0, 5.0, "中" * 60))))
    assert max(map(len, lines)) <= LINE // 2
    assert sum(map(len, lines)) == 60
