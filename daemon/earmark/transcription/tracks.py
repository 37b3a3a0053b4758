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

_DUBBED = ("mpeg",)
"""Containers of films (DVD) that name no language: their further tracks are dubs and commentaries. No call is in one."""

_NO_LANGUAGE = ("", "und", "mul", "zxx", "mis", "qaa")
"""Codes of ISO 639-2 that name none."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """`heard`: tracks to be heard together, the container's default one first. `unheard`: how many others there are."""

    heard: tuple[AudioStream, ...]
    unheard: int


def choose_tracks(container: InputContainer, mute: frozenset[int] = frozenset(), late: int = 0) -> Tracks:
    """Take every sound track that this build can decode and that belongs to the first one's scene. What stands in `mute`
    has no voice, so that it is no version of anything. `late`: tracks that begin later, and of which the container does not
    know.

    Raises MediaError if there is none, or if all claim a sample rate or a number of channels that no recorder has.
    """
    tracks = list(container.streams.audio)
    if not tracks and late:
        return Tracks((), 0)
    if not tracks:
        kind = "video has no sound track" if container.streams.video else "file holds no sound"
        raise MediaError(f"The {kind}, so there is nothing to transcribe.")
    best = container.streams.best("audio")
    default = best.index if isinstance(best, AudioStream) else None
    # The default first, the others in their order; a commentary comes last even where it is the default.
    tracks.sort(key=lambda track: (bool(track.disposition & _OTHER_VERSION), track.index != default))
    can = [track for track in tracks if _decodes(track)]
    if not can:
        raise MediaError(
            "The sound is stored in a way that cannot be decoded here (an unknown or copy-protected codec, or a "
            "damaged header). Export it as m4a, mp3, flac or wav."
        )
    if not (sound := [track for track in can if _is_sound(track)]):
        check_rate(can[0].codec_context.sample_rate)
        check_channels(_channels(can[0]))
    heard: list[AudioStream] = []
    channels = 0
    dubbed = container.format.name in _DUBBED
    for track in sound:
        speaking = [other for other in heard if other.index not in mute]
        fits = not speaking or (not dubbed and _same_scene(speaking, track))
        if fits and channels + _channels(track) <= MOST_CHANNELS:
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


def _is_sound(track: AudioStream) -> bool:
    """Whether the header claims what recordings have: cameras keep what their sensors measured as sound of 1 kHz, too.

    The rate is unknown (0) until the first frame in some formats; the decoder checks each frame.
    """
    rate = track.codec_context.sample_rate
    return (not rate or LOWEST_RATE <= rate <= HIGHEST_RATE) and _channels(track) <= MOST_CHANNELS


def _same_scene(heard: list[AudioStream], other: AudioStream) -> bool:
    """Whether the track is no other version of those that are heard: together they have one language at most."""
    if other.disposition & _OTHER_VERSION and not heard[0].disposition & _OTHER_VERSION:
        return False
    languages = {(track.language or "").lower() for track in (*heard, other)}
    return len(languages.difference(_NO_LANGUAGE)) < 2


def _channels(track: AudioStream) -> int:
    return max(1, track.codec_context.channels)
