"""How long a frame of MP3 is, by its first four bytes (ISO 11172-3, 2.4.1.3; ISO 13818-3). Pure."""

from __future__ import annotations

_KILOBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits of the version: MPEG 1, 2 and, of Fraunhofer, 2.5."""


def mp3_frame(head: bytes) -> int:
    """The bytes of the frame that begins so; 0 if none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # layer III
        return 0
    version, rate, kilobits = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or rate == 3 or kilobits in (0, 15):
        return 0
    first = version == 3
    per_kilobit = 144_000 if first else 72_000
    return per_kilobit * _KILOBITS[1 if first else 2][kilobits] // _HERTZ[version][rate] + (head[2] >> 1 & 1)
