"""Which endings recordings have, and which of FFmpeg's demuxers read them.

The ending decides what is taken from a drop folder, but for a few that others have, too; how a file is read, its content
decides.
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

ALSO_OF_OTHERS = frozenset("act dts mpp mts tp trp ts voc".split())
"""Endings of sound that programs (TypeScript, device trees), Microsoft Project and word lists have, too: a file of such a
name is no recording if its content says so (`of_others`)."""

NO_SOUND = frozenset(
    (
        # documents, notes, mail, calendars, places
        "asc base bib canvas csl csv doc docm docx dot dotx eml epub excalidraw gdoc gdraw gform gjam gmap gpx gsheet "
        "gsite gslides ics json kml loop kmz markdown mbox md mdx mobi msg numbers odg odp ods odt one onetoc2 org "
        "pages paper pdf pot potx pps ppsx ppt pptm pptx ps pst rst rtf tex tsv txt url vcf vsdx wbtx web webloc "
        "whiteboard xls xlsm xlsx xml yaml yml "
        # pictures, and what cameras lay beside them
        "aae afdesign afphoto ai arw avif bmp bnp bdm clpi cpf cpi cr2 cr3 crw ctg dng drawio gif gpr heic heif ico ifo "
        "ind inp int img indd insp jfif jp2 jpeg jpg jxl lrf lrv mif modd moff mpl mpls nef orf pef png ppn psb psd raf "
        "raw rw2 sav sketch smi srw svg thm tif tiff webp xcf xmp "
        # subtitles, play lists, marks and overviews of sound
        "als asd ass cpr cue edl flp gpk hprj lrc m3u m3u8 mid midi mrk nfo pek pkf pls ptx reapeaks rpp rpp-bak sesx "
        "sfk sfl srt ssa sub tmk ttml utl vtt xsesx zdt "
        # archives, disks, signatures, settings, data
        "7z apk bak bz2 cab cer cfg conf crt db db3 deb desktop dmg env exe gpg gz htm html idx ini iso jar key lnk "
        "lock log md5 msi otf par2 pem pub rar rpm sfv sha1 sha256 sig sql sqlite sqlite3 swp sys tar tgz toml torrent "
        "ttf woff woff2 xz zip zst "
        # programs
        "a bash bat c cc cjs class cmd coffee cpp cs css cts dart dll dockerfile dylib ejs el elf ex exs fish flow "
        "gradle go graphql h hbs hpp hs ipynb java jinja js json5 jsonc jsonl jsx kt less lua map mjs mk ml node o "
        "patch php pl plist po proto ps1 py pyc pyd pyi pyo pyx qmd r rb rmd rs sass scala scss sh sln snap so styl "
        "svelte swift tmpl tsbuildinfo tsx typed vue wasm whl zsh "
    ).split()
)
"""Endings of what lies beside recordings and holds none."""

HEAD = 4_096
"""Bytes at the start of a file that tell what it is."""

_COMPOUND = b"\xd0\xcf\x11\xe0"
"""How files of older Microsoft programs begin ([MS-CFB] 2.2)."""


def of_others(name: str, head: bytes) -> bool:
    """Whether a file is another program's that has the ending of a recording. `head`: its first `HEAD` bytes."""
    if name.rpartition(".")[2].lower() not in ALSO_OF_OTHERS:
        return False
    return head.startswith(_COMPOUND) or is_text(head)


def is_text(head: bytes) -> bool:
    """Whether a file is text, by its first `HEAD` bytes."""
    try:
        text = head.decode("utf-8", "strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        return False
    return len(text) > 0 and sum(c.isprintable() or c.isspace() for c in text) / len(text) > 0.97
