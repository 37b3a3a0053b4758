"""From an open recording to mono samples at 16 kHz, in bounded memory: all parts of the file, all tracks of a part."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from earmark.errors import MediaError
from earmark.transcription.container import MOST_LATE, OpenRecording, open_part
from earmark.transcription.declared import breaks_off, is_truncated
from earmark.transcription.engine import RATE, Samples
from earmark.transcription.lanes import LATEST_ECHO, Lanes, near
from earmark.transcription.leveling import cleared, leveled, loud_enough, loudest_second
from earmark.transcription.mixing import Channels, Source, mix, sources
from earmark.transcription.parts import Part
from earmark.transcription.reading import MOST_GAP, Reader
from earmark.transcription.unclaimed import unclaimed
from earmark.transcription.windows import QUIET, SPEECH, Voice

CHUNK, MARGIN = 16, 2
"""Seconds for which it is settled what is heard of several sources, and seconds before and after them that are looked at."""

LEAST_VOICE = 4
"""Frames of 32 ms with voice that make a source one that speaks: a short word."""

SILENCE = -120.0
"""Decibels that stand for no sound at all: 24 bits reach to -144, microphones to about -100."""

Second = list[Channels]
"""A second of each track, all of the same number of samples."""

Heed = Callable[[Sequence[Channels], slice], None]
"""Gets the channels of each track, without rumble, and which of their samples come next; what lies around is looked at."""


class Decoder:
    """Reads one recording once, from its start. After the last block the counters are final.

    `voice` tells which of several sources speak. What lies before sample `wanted_from` is given out without asking
    it, so only its length is right. `lanes` gets the sides of what is given out; whoever has it must ask it on and on.
    `heed` gets all channels as they are.
    """

    def __init__(
        self,
        recording: OpenRecording,
        max_seconds: float,
        voice: Voice,
        wanted_from: int = 0,
        lanes: Lanes | None = None,
        heed: Heed | None = None,
    ) -> None:
        self._recording = recording
        self._limit = int(max_seconds * RATE)
        self._max_seconds = max_seconds
        self._voice = voice
        self._wanted_from = wanted_from
        self._short = False
        self.samples = 0
        """Samples given out so far."""
        self._lanes, self._heed = lanes, heed
        self._readers: list[Reader] = []
        self._bad_packets = 0
        self.tracks = len(recording.tracks) + recording.unheard
        """Sound tracks of the file; of one in several parts, those of the part that has most."""
        self.tracks_unheard = recording.unheard
        """Sound tracks that are not in what is given out, or not to their end, where most are missing."""
        self._missing = 0
        self.parts = recording.before + 1 + sum(not part.goes_on for part in recording.later)
        """Recordings one after the other in the file."""
        self.parts_unheard = recording.before
        self._loudest = 0.0
        self._lost = 0.0
        self._left_out = 0.0
        self._breaks_off = 0.0
        self.bytes_unheard = 0
        """Bytes of the file that nothing accounts for: behind a recording in it, and no recording themselves."""

    @property
    def seconds(self) -> float:
        """Seconds given out so far."""
        return self.samples / RATE

    @property
    def bad_packets(self) -> int:
        """Packets and parts that could not be decoded so far."""
        return self._bad_packets + sum(reader.bad_packets for reader in self._readers)

    @property
    def truncated(self) -> bool:
        """Whether the file, or one of its tracks, ends before it says it should; known after the last block.

        What is missing in its middle is `unreadable_seconds`, and no end.
        """
        return self._short or is_truncated(self._recording.declared, self.seconds + self._left_out)

    @property
    def unreadable_seconds(self) -> float:
        """Seconds that could not be decoded: lost on the way, or declared and not there; known after the last block.

        Of parts that could not be opened nobody knows how long they were.
        """
        missing = breaks_off(self._recording.declared, self.seconds + self._left_out)
        return self._lost + max(missing, self._breaks_off)

    @property
    def loudest(self) -> float:
        """Decibels of full scale (root mean square) of the loudest second of any channel, without rumble and offset."""
        return max(SILENCE, 20 * math.log10(self._loudest)) if self._loudest > 0.0 else SILENCE

    def blocks(self) -> Iterator[Samples]:
        """The recording as arrays of shape (n,), n up to a second.

        Raises MediaError if nothing at all can be decoded, if the sample rate is absurd, or past `max_seconds`.
        """
        for block in self._parts():
            if self.samples + len(block) > self._limit:
                raise MediaError(
                    f"The recording is longer than {self._max_seconds / 3600:g} hours, the most that is "
                    "transcribed. Cut it into parts."
                )
            self.samples += len(block)
            yield block
        if self.samples == 0:
            raise MediaError(
                "The file is a recording by its header, but not one moment of sound in it can be decoded."
            )

    def _parts(self) -> Iterator[Samples]:
        yield from self._part(self._recording)
        began, origin = 0.0, self._recording.declared.origin
        for part in self._recording.later:
            try:
                recording = open_part(self._recording.fd, part, self._recording.mute)
            except MediaError:
                self._miss(part)
                continue
            try:
                if part.goes_on:
                    yield from self._break(began + recording.declared.origin - origin - self.seconds)
                else:
                    began, origin = self.seconds, recording.declared.origin
                yield from self._part(recording)
            except MediaError:
                self._settle()
                self._miss(part)
            finally:
                recording.close()

    def _miss(self, part: Part) -> None:
        """The part is not heard. Of a recording that should go on with it the rest is lost."""
        self.parts_unheard += not part.goes_on
        self._short |= part.goes_on

    def _break(self, seconds: float) -> Iterator[Samples]:
        """Silence for the damaged place of a recording that goes on so much later."""
        missing = round(seconds * RATE) if 0.0 < seconds <= MOST_LATE else 0
        known = min(self._left_out, missing / RATE)  # packets that failed before the place
        self._lost += missing / RATE - known
        self._left_out -= known
        while missing > 0:
            length = min(RATE, missing)
            if self._lanes is not None:
                self._lanes.add(length, {})
            if self._heed is not None:
                self._heed([np.zeros((1, length), dtype=np.float32)], slice(0, length))
            yield np.zeros(length, dtype=np.float32)
            missing -= length

    def _part(self, recording: OpenRecording) -> Iterator[Samples]:
        most_gap = MOST_GAP if len(recording.tracks) == 1 else MOST_LATE
        self._missing = recording.unheard
        self.tracks = max(self.tracks, len(recording.tracks) + recording.unheard)
        self._readers = [Reader(track, most_gap) for track in recording.tracks]
        for chunk in _chunks(self._together(self._readers)):
            yield from self._heard(*chunk)
        if len(self._readers) > 1:
            for reader in self._readers:
                reached = reader.seconds + reader.losses.left_out
                self._short |= is_truncated(reader.track.declared, reached)
                self._breaks_off = max(self._breaks_off, breaks_off(reader.track.declared, reached))
            self._missing += sum(r.samples == 0 and r.bad_packets > 0 for r in self._readers)
        if any(r.strangers and r.track.container.format.name != "mpeg" for r in self._readers):
            self._missing += 1  # of a program stream it is known what begins late, and heard
            self.tracks = max(self.tracks, len(self._readers) + recording.unheard + 1)
        self.bytes_unheard += self._unclaimed(recording)
        self._settle()

    def _unclaimed(self, recording: OpenRecording) -> int:
        """The bytes behind a part that has been read."""
        part = recording.part
        if part.lost_from is not None or (part.ends is None and not self._readers[0].reach.endless):
            return 0
        reached = max(reader.track.at + reader.reach.end for reader in self._readers)
        return unclaimed(
            lambda count, at: os.pread(recording.fd, count, at), max(part.ends or 0, reached), part.end
        )

    def _settle(self) -> None:
        """Take what the readers of a part have counted; the track that lost most stands for all."""
        self.tracks_unheard = max(self.tracks_unheard, min(self._missing, self.tracks))
        self._lost += max((reader.losses.seconds for reader in self._readers), default=0.0)
        self._left_out += max((reader.losses.left_out for reader in self._readers), default=0.0)
        self._bad_packets, self._readers = self.bad_packets, []

    def _together(self, readers: Sequence[Reader]) -> Iterator[Second]:
        """Second after second of all tracks, with silence where one has ended before the others."""
        running: list[Iterator[Channels] | None] = [_seconds(reader.blocks()) for reader in readers]
        while True:
            found: Second = []
            for number, track in enumerate(running):
                second = self._next(track, first=number == 0)
                if second is None:
                    running[number] = None
                found.append(second if second is not None else np.zeros((1, 0), dtype=np.float32))
            length = max(channels.shape[1] for channels in found)
            if length == 0:
                return
            yield [_widened(channels, channels.shape[0], length) for channels in found]

    def _next(self, track: Iterator[Channels] | None, first: bool) -> Channels | None:
        """The next second of a track. What is wrong with the file's first one is raised; of others the rest is missing."""
        try:
            return next(track, None) if track is not None else None
        except MediaError:
            if first:
                raise
            self._missing += 1
            return None

    def _heard(self, window: Sequence[Second], first: int, last: int) -> Iterator[Samples]:
        """What is heard of the seconds `first` to `last` of the window, in blocks of a second."""
        lengths = [second[0].shape[1] for second in window]
        core = slice(sum(lengths[:first]), sum(lengths[:last]))
        length = core.stop - core.start
        clear = [cleared(channels) for channels in _joined(window)]
        # Of what was heard before a kill, too, so that this does not depend on where hearing begins again.
        levels = [loudest_second(sound) for channels in clear for sound in channels]
        self._loudest = max([self._loudest, *levels])
        if self._heed is not None:
            self._heed(clear, core)
        if self.samples + length > self._wanted_from:
            found = self._audible(sources([leveled(channels) for channels in clear]))
            mixed = mix(found, self._speaks, core)
        else:
            found, mixed = [], np.zeros(length, dtype=np.float32)
        if self._lanes is not None:
            self._lanes.add(length, {(s.track, s.channel): s.sound[core] for s in found})
        for at in range(0, len(mixed), RATE):
            yield np.ascontiguousarray(mixed[at : at + RATE])

    def _audible(self, found: list[Source]) -> list[Source]:
        """The sources, those louder that are too soft to be heard and speak while the loud ones are quiet.

        A microphone in which only the loud ones are heard, from afar, is left as soft as it is: it would be their echo.
        """
        gains = [loud_enough(source.sound) for source in found]
        if len(found) < 2 or max(gains) == 1.0:
            return found
        talk = [self._voice(s.sound) >= QUIET for s, gain in zip(found, gains, strict=True) if gain == 1.0]
        around = near(np.any(talk, axis=0), LATEST_ECHO) if talk else np.False_
        audible = []
        for source, gain in zip(found, gains, strict=True):
            louder = np.clip(source.sound * np.float32(gain), -1.0, 1.0)
            alone = gain > 1.0 and (self._voice(louder) >= SPEECH) & ~around
            told = np.count_nonzero(alone) >= 2 * LEAST_VOICE
            audible.append(replace(source, sound=louder) if told else source)
        return audible

    def _speaks(self, sound: Samples) -> bool:
        return int(np.count_nonzero(self._voice(sound) >= SPEECH)) >= LEAST_VOICE


def _seconds(blocks: Iterator[Channels]) -> Iterator[Channels]:
    """The same sound in arrays of exactly a second, the last one shorter."""
    held: list[Channels] = []
    length = 0
    for block in blocks:
        held.append(block)
        length += block.shape[1]
        while length >= RATE:
            whole = _side_by_side(held)
            yield whole[:, :RATE]
            held, length = [whole[:, RATE:]], length - RATE
    if length:
        yield _side_by_side(held)


def _chunks(seconds: Iterator[Second]) -> Iterator[tuple[list[Second], int, int]]:
    """Windows of up to CHUNK seconds with MARGIN before and after, and which of the window's seconds are the chunk's.

    The chunks follow each other without a gap and depend on nothing but the recording.
    """
    window: deque[Second] = deque()
    first = 0
    for second in seconds:
        window.append(second)
        if len(window) == first + CHUNK + MARGIN:
            yield list(window), first, first + CHUNK
            for _ in range(first + CHUNK - MARGIN):
                window.popleft()
            first = MARGIN
    while len(window) > first:
        last = min(len(window), first + CHUNK)
        yield list(window), first, last
        for _ in range(max(0, last - MARGIN)):
            window.popleft()
        first = min(MARGIN, last)


def _joined(window: Sequence[Second]) -> list[Channels]:
    """The seconds of each track one after the other."""
    return [_side_by_side([second[number] for second in window]) for number in range(len(window[0]))]


def _side_by_side(blocks: Sequence[Channels]) -> Channels:
    """Blocks one after the other, with silence in the channels that some of them do not have."""
    if len(blocks) == 1:
        return blocks[0]
    most = max(block.shape[0] for block in blocks)
    return np.concatenate([_widened(block, most, block.shape[1]) for block in blocks], axis=1)


def _widened(block: Channels, channels: int, length: int) -> Channels:
    missing = channels - block.shape[0], length - block.shape[1]
    return np.pad(block, ((0, missing[0]), (0, missing[1]))) if any(missing) else block
