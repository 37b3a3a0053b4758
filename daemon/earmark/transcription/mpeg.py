"""How long a frame of MPEG audio, AAC, AC-3, DTS or AMR is, or a packet of a program stream, by its first bytes. Pure."""

from __future__ import annotations

from collections.abc import Callable

_KILOBITS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By version and layer (ISO 11172-3, 2.4.2.3; ISO 13818-3); layer III of version 2 is like layer II."""

_HERTZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""By the two bits of the version: MPEG 1, 2 and, of Fraunhofer, 2.5."""

_AC3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
"""ETSI TS 102 366, table 4.13."""

_AMR = (12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0)
_AMR_WIDE = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0)
"""Bytes of payload behind the first, by the type of the frame (RFC 4867, 5.3)."""


def mpeg_frame(head: bytes) -> int:
    """The bytes of the frame of MP1, MP2 or MP3 that begins so; 0 if none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return 0
    version, layer, rate, kilobits = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or layer == 4 or rate == 3 or kilobits in (0, 15):
        return 0
    first, padding, hertz = version == 3, head[2] >> 1 & 1, _HERTZ[version][rate]
    bits = 1_000 * _KILOBITS[(1, layer) if first else (2, min(layer, 2))][kilobits]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and not first else 144) * bits // hertz + padding


def mp3_frame(head: bytes) -> int:
    """The bytes of the frame of MP3 that begins so; 0 if none does."""
    return mpeg_frame(head) if len(head) >= 2 and head[1] >> 1 & 3 == 1 else 0


def adts_frame(head: bytes) -> int:
    """The bytes of the frame of AAC that begins so (ISO 14496-3, 1.A.3.2); 0 if none does."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else 0


def latm_frame(head: bytes) -> int:
    """The bytes of the frame of AAC in LOAS that begins so (ISO 14496-3, 1.7.2); 0 if none does."""
    if len(head) < 3 or head[0] != 0x56 or head[1] & 0xE0 != 0xE0:
        return 0
    length = (head[1] & 0x1F) << 8 | head[2]
    return 3 + length if length else 0


def ac3_frame(head: bytes) -> int:
    """The bytes of the frame of AC-3 or E-AC-3 that begins so (ETSI TS 102 366, 4.4 and E.1.2); 0 if none does."""
    if len(head) < 6 or head[:2] != b"\x0bw":
        return 0
    if 11 <= head[5] >> 3 <= 16:
        return 2 * (((head[2] & 7) << 8 | head[3]) + 1)
    rate, code = head[4] >> 6, head[4] & 63
    if head[5] >> 3 > 10 or rate == 3 or code >= 2 * len(_AC3_KILOBITS):
        return 0
    kilobits = _AC3_KILOBITS[code >> 1]
    return 2 * {0: 2 * kilobits, 1: 320 * kilobits // 147 + (code & 1), 2: 3 * kilobits}[rate]


def amr_frame(head: bytes) -> int:
    """The bytes of the frame of AMR that begins so; 0 if none does."""
    return 1 + _AMR[head[0] >> 3 & 15] if head and not head[0] & 0x83 else 0


def wide_amr_frame(head: bytes) -> int:
    """The same of AMR-WB."""
    return 1 + _AMR_WIDE[head[0] >> 3 & 15] if head and not head[0] & 0x83 else 0


def dts_frame(head: bytes) -> int:
    """The bytes of the frame of DTS that begins so (ETSI TS 102 114, 5.3), if nothing extends it; 0 if none does."""
    if len(head) < 8 or head[:4] != b"\x7f\xfe\x80\x01":
        return 0
    length = ((head[5] & 3) << 12 | head[6] << 4 | head[7] >> 4) + 1
    return length if length >= 96 else 0


def program_packet(head: bytes) -> int:
    """The bytes of the pack header or packet of a program stream that begins so (ISO 13818-1, 2.5.3); 0 if none does."""
    if len(head) < HEAD or head[:3] != b"\0\0\1":
        return 0
    if head[3] == 0xBA:
        return 14 + (head[13] & 7) if head[4] >> 6 == 1 else 12 if head[4] >> 4 == 2 else 0
    if head[3] == 0xB9:
        return 4
    length = int.from_bytes(head[4:6], "big")
    return 6 + length if head[3] >= 0xBB and length else 0


HEAD = 14
"""Bytes by which the longest of these headers says its length."""

FRAMES: tuple[Callable[[bytes], int], ...] = (
    mpeg_frame,
    adts_frame,
    ac3_frame,
    latm_frame,
    dts_frame,
    program_packet,
)
"""Kinds of frames that begin with a mark."""
