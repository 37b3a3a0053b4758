"""Which endings recordings have, and which of FFmpeg's demuxers read them. Data.

The ending decides what is taken from a drop folder; how a file is read, its content decides.
"""

from __future__ import annotations

from collections.abc import Mapping

ENDINGS_OF: Mapping[str, str] = {
    "aac": "aac adts",
    "ac3": "ac3",
    "act": "act",
    "aiff": "aif aifc aiff",
    "amr": "amr awb",
    "ape": "ape",
    "asf": "asf wma wmv",
    "au": "au snd",
    "avi": "avi divx",
    "caf": "caf",
    "dsf": "dsf",
    "dss": "dss",
    "dts": "dts",
    "dtshd": "dtshd",
    "dv": "dv",
    "eac3": "eac3 ec3",
    "flac": "fla flac",
    "flv": "flv",
    "loas": "latm loas",
    "matroska": "mk3d mka mkv weba webm",
    "mov": "3g2 3ga 3gp 3gp2 3gpp 3gpp2 f4a f4b f4v m4a m4b m4p m4r m4v mj2 mov mp4 mp4a mp4v qt qta",
    "mp3": "m1a m2a mp1 mp2 mp3 mpa mpga",
    "mpc": "mp+ mpp",
    "mpc8": "mpc",
    "mpeg": "m2p mpe mpeg mpg vob",
    "mpegts": "m2t m2ts mts tp trp ts",
    "mxf": "mxf",
    "nistsphere": "nist sph",
    "ogg": "oga ogg oggtheora ogm ogv ogx opus spx",
    "oma": "aa3 at3 oma",
    "rm": "ra rm rmvb",
    "tak": "tak",
    "tta": "tta",
    "voc": "voc",
    "w64": "w64",
    "wav": "bwf rf64 wav wave",
    "wv": "wv",
}
"""Endings, in lower case, of what a demuxer reads: containers and codecs of recorders, phones, cameras, calls and dictation
machines (dss, act, oma). A demuxer is in it only if it opens no file but the one it is given."""

DEMUXERS = ",".join((*ENDINGS_OF, "mp4", "m4a", "3gp", "3g2", "mj2", "webm"))
"""FFmpeg's names of all of them, as its `format_whitelist` wants them; "mov" and "matroska" answer to more than one."""

ENDINGS = frozenset(ending for endings in ENDINGS_OF.values() for ending in endings.split())
"""All endings that are taken, without their dot."""

NO_SOUND = frozenset(
    (
        "7z aae asc bak base bib bmp bz2 canvas cfg conf cr2 csl css csv cue db dng doc docx dot dotx edl eml epub "
        "excalidraw gif gpx gz heic heif htm html ico ics idx ini ipynb jpeg jpg js json key kml lnk lock log lrc lrv m3u "
        "m3u8 markdown mbox md mobi msg nef nfo numbers odp ods odt org otf pages pdf php pls png ppt pptx ps psd py qmd "
        "r raf rar rmd rst rtf sh sig sql sqlite srt sub svg tar tex thm tif tiff toml tsv ttf ttml txt url vcf vtt "
        "webloc webp woff woff2 xls xlsx xml xmp yaml yml zip"
    ).split()
)
"""Endings of what lies beside recordings and holds none: documents, pictures, subtitles, archives, a camera's thumbnails."""
