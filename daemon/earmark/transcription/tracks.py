"""Which sound tracks of a container are heard: all that can be, unless they are other versions of the first. Pure.

A call or a screen recording has a track for each side (OBS, Zoom, Jitsi), a film has one for each language. The
first are parts of one scene and are heard together; of the second, one after the other would be said at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from earmark.errors import MediaError

MOST_CHANNELS = 64
"""Channels of all tracks together that are heard: what libswresample takes (SWR_CH_MAX), and stages have."""

LOWEST_RATE, HIGHEST_RATE = 4_000, 384_000
"""Sample rates that recorders have. A wav that claims 1 Hz would turn 96 kB into 1.5 GB of samples."""

_OTHER_VERSION = (
    Disposition.comment | Disposition.karaoke | Disposition.visual_impaired | Disposition.clean_effects
)
"""What marks a track as another version of the scene (libavformat/avformat.h): commented, described, without words."""

_NO_LANGUAGE = ("", "und", "mul", "zxx", "mis", "qaa")
"""Codes of ISO 639-2 that name none."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """`heard`: tracks to be heard together, the container's default one first. `unheard`: how many others there are."""

    heard: tuple[AudioStream, ...]
    unheard: int


def choose_tracks(container: InputContainer) -> Tracks:
    """Take every sound track that this build can decode and that belongs to the first one's scene.

    Raises MediaError if there is none, or if the first claims a sample rate that no recorder has.
    """
    tracks = list(container.streams.audio)
    if not tracks:
        kind = "video has no sound track" if container.streams.video else "file holds no sound"
        raise MediaError(f"The {kind}, so there is nothing to transcribe.")
    best = container.streams.best("audio")
    if isinstance(best, AudioStream):
        tracks.sort(
            key=lambda track: track.index != best.index
        )  # the default first, the others in their order
    can = [track for track in tracks if _decodes(track)]
    if not can:
        raise MediaError(
            "The sound is stored in a way that cannot be decoded here (an unknown or copy-protected codec, or a "
            "damaged header). Export it as m4a, mp3, flac or wav."
        )
    # The rate is unknown (0) until the first frame in some formats; the decoder checks each frame.
    if can[0].codec_context.sample_rate:
        check_rate(can[0].codec_context.sample_rate)
    heard, channels = [can[0]], _channels(can[0])
    for track in can[1:]:
        if _same_scene(can[0], track) and channels + _channels(track) <= MOST_CHANNELS:
            heard.append(track)
            channels += _channels(track)
    return Tracks(tuple(heard), len(tracks) - len(heard))


def check_rate(rate: int) -> None:
    """Raise MediaError for a sample rate that no recorder has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise MediaError(
            f"The file claims {rate:,} samples a second; recordings have {LOWEST_RATE:,} to {HIGHEST_RATE:,}. "
            "Its header is damaged: export it again."
        )


def check_channels(count: int) -> None:
    """Raise MediaError for more channels than can be heard."""
    if count > MOST_CHANNELS:
        raise MediaError(
            f"The sound has {count:,} channels; at most {MOST_CHANNELS} can be heard. Export those that matter."
        )


def _decodes(track: AudioStream) -> bool:
    try:
        track.codec_context.open(strict=False)
    except (av.FFmpegError, ValueError, OSError, AttributeError):
        return False  # without a decoder there is no context at all
    return True


def _same_scene(first: AudioStream, other: AudioStream) -> bool:
    if other.disposition & _OTHER_VERSION and not first.disposition & _OTHER_VERSION:
        return False
    languages = {(track.language or "").lower() for track in (first, other)}
    return len(languages.difference(_NO_LANGUAGE)) < 2


def _channels(track: AudioStream) -> int:
    return max(1, track.codec_context.channels)
