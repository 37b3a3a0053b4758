"""`export verify` tells everything that is not exactly a file of the manifest, whatever it is, and opens none of it."""

from __future__ import annotations

import os
import socket
import stat
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from earmark.cli import export as verbs
from earmark.errors import RetentionError
from earmark.export import export, verify
from earmark.verbs.opening import opened_context
from typer.testing import CliRunner

from tests.daemon_rig import Rig
from tests.retention_world import World

pytest_plugins = ("tests.retention_root",)


def exported(root: Path, name: str) -> Path:
    world = World(root, {})
    world.record("a.wav")
    export(world.context, root / name)
    assert verify(root / name)[1] == []
    return root / name


def audio(top: Path) -> Path:
    return next(top.glob("recordings/a-*/a.wav"))


def linked_audio(top: Path) -> None:
    """The recording itself, moved out, and a link to it in its place."""
    moved = audio(top).rename(top.parent / "moved.wav")
    next(top.glob("recordings/a-*")).joinpath("a.wav").symlink_to(moved)


def linked_folder(top: Path) -> None:
    """The same with the folder that the recording is in."""
    inside = audio(top).parent
    inside.rename(top.parent / "moved")
    inside.symlink_to(top.parent / "moved")


def pipe_as_audio(top: Path) -> None:
    file = audio(top)
    file.unlink()
    os.mkfifo(file)


def folder_as_audio(top: Path) -> None:
    file = audio(top)
    file.unlink()
    file.mkdir()


def linked(name: str) -> Callable[[Path], None]:
    def change(top: Path) -> None:
        moved = (top / name).rename(top.parent / f"moved-{name}")
        (top / name).symlink_to(moved)

    return change


def a_socket(top: Path) -> None:
    here = Path.cwd()
    os.chdir(top)  # a socket's path may be 107 bytes long
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("sock")
    os.chdir(here)


@pytest.mark.shows("retention:export")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda top: os.mkfifo(top / "fifo"), "not in the manifest: fifo (a pipe)"),
        (
            lambda top: (top / "broken").symlink_to("/nowhere"),
            "not in the manifest: broken (a symbolic link)",
        ),
        (lambda top: (top / "etc").symlink_to("/etc"), "not in the manifest: etc (a symbolic link)"),
        (lambda top: (audio(top).parent / "up").symlink_to(".."), "up (a symbolic link)"),
        (lambda top: (top / "empty").mkdir(), "not in the manifest: empty (a folder)"),
        (lambda top: (audio(top).parent / "x" / "y").mkdir(parents=True), "x/y (a folder)"),
        (lambda top: (top / ".hidden").touch(), "not in the manifest: .hidden"),
        (a_socket, "not in the manifest: sock (a socket)"),
        (linked_audio, "a.wav (a symbolic link has its name)"),
        (linked_folder, "a.wav"),
        (pipe_as_audio, "a.wav (a pipe has its name)"),
        (folder_as_audio, "a.wav (a folder has its name)"),
        (linked("SHA256SUMS"), "missing: SHA256SUMS (a symbolic link has its name)"),
        (linked("receipts.jsonl"), "missing: receipts.jsonl (a symbolic link has its name)"),
    ],
)
def test_what_is_not_exactly_a_file_of_the_manifest_is_told(
    root: Path, change: Callable[[Path], None], sentence: str
) -> None:
    top = exported(root, "out")
    change(top)
    assert sentence in "\n".join(verify(top)[1])
    done = CliRunner().invoke(verbs.app, ["verify", str(top)], env={"COLUMNS": "300"})
    assert done.exit_code == 1
    assert "as exported" not in done.output


@pytest.mark.parametrize("what", ["link", "pipe"])
def test_a_manifest_that_is_no_regular_file_is_not_read(root: Path, what: str) -> None:
    top = exported(root, "out")
    moved = (top / "manifest.json").rename(root / "moved.json")
    if what == "link":
        (top / "manifest.json").symlink_to(moved)
    else:
        os.mkfifo(top / "manifest.json")
    with pytest.raises(RetentionError, match=r"no manifest\.json \(a .* has its name\)"):
        verify(top)


def test_a_pipe_in_the_place_of_an_archive_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "out.zip")
    with pytest.raises(RetentionError, match="is not a readable export"):
        verify(root / "out.zip")


def added(file: Path, name: str, data: str = "", kind: int = 0) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = kind << 16
        archive.writestr(info, data)


def commented(file: Path) -> None:
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"hello"


def an_entry_commented(file: Path) -> None:
    repacked(file, lambda info: setattr(info, "comment", b"hello"))


def an_entry_with_more(file: Path) -> None:
    repacked(file, lambda info: setattr(info, "extra", b"\xfe\xca\x05\x00hello"))


def a_link_in_its_place(file: Path) -> None:
    def change(info: zipfile.ZipInfo) -> None:
        if info.filename.endswith("a.wav"):
            info.external_attr = (stat.S_IFLNK | 0o777) << 16

    repacked(file, change)


def repacked(file: Path, change: Callable[[zipfile.ZipInfo], None]) -> None:
    with zipfile.ZipFile(file) as old:
        all_of_it = [(info.filename, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(file, "w") as new:
        for name, data in all_of_it:
            info = zipfile.ZipInfo(name)
            change(info)
            new.writestr(info, data)


def taken_out_of_the_directory(file: Path) -> None:
    """A file is added whose bytes stay while the directory is written as it was, so that no list names it."""
    added(file, "extra", "hidden")
    with zipfile.ZipFile(file, "a") as archive:
        archive.filelist.remove(archive.getinfo("extra"))
        archive.NameToInfo.pop("extra")
        archive.comment = b""
        archive._didModify = True  # type: ignore[attr-defined]


def behind_the_stream(file: Path) -> None:
    """Every file is packed as it was, and its packed bytes go on after their end."""
    with zipfile.ZipFile(file) as old:
        all_of_it = [(info.filename, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(file, "w") as new:
        for name, data in all_of_it:
            packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            packed = packer.compress(data) + packer.flush() + b"hidden"
            new.writestr(zipfile.ZipInfo(name), packed)
            info = new.getinfo(name)
            info.compress_type, info.file_size, info.CRC = zipfile.ZIP_DEFLATED, len(data), zlib.crc32(data)
            assert new.fp is not None
            end = new.fp.seek(0, os.SEEK_END)
            new.fp.seek(info.header_offset)
            new.fp.write(info.FileHeader(zip64=False))
            new.fp.seek(end)


NONE_OF_ITS_FILES = "bytes that belong to none of its files"


@pytest.mark.shows("retention:export")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda file: file.write_bytes(b"PREFIX" + file.read_bytes()), NONE_OF_ITS_FILES),
        (lambda file: file.write_bytes(file.read_bytes() + b"\0suffix"), NONE_OF_ITS_FILES),
        (taken_out_of_the_directory, NONE_OF_ITS_FILES),
        (behind_the_stream, NONE_OF_ITS_FILES),
        (an_entry_with_more, NONE_OF_ITS_FILES),
        (commented, "holds a comment"),
        (an_entry_commented, "holds a comment"),
        (lambda file: added(file, "x/", "dirdata"), "not in the manifest: x (a folder)"),
        (lambda file: added(file, "recordings/", "dirdata"), "recordings/ (a folder that holds bytes)"),
        (lambda file: added(file, "../evil", "x"), "not in the manifest: ../evil"),
        (lambda file: added(file, "link", "/etc", stat.S_IFLNK | 0o777), "link (a symbolic link)"),
        (lambda file: added(file, "fifo", "", stat.S_IFIFO | 0o600), "fifo (a pipe)"),
        (a_link_in_its_place, "a.wav (a symbolic link has its name)"),
    ],
)
def test_what_was_put_into_an_archive_is_told(
    root: Path, change: Callable[[Path], None], sentence: str
) -> None:
    file = exported(root, "out.zip")
    change(file)
    assert sentence in "\n".join(verify(file)[1])


def test_a_damaged_file_in_an_archive_was_changed(root: Path) -> None:
    file = exported(root, "out.zip")
    with zipfile.ZipFile(file) as archive:
        info = next(info for info in archive.infolist() if info.filename.endswith("a.wav"))
    raw = bytearray(file.read_bytes())
    at = info.header_offset + 30 + len(info.filename.encode()) + 20
    raw[at : at + info.compress_size] = bytes(255 - byte for byte in raw[at : at + info.compress_size])
    file.write_bytes(raw)
    (problem,) = verify(file)[1]
    assert problem.startswith("changed: recordings/a-")


def test_a_link_to_an_export_may_be_named(root: Path) -> None:
    for name in ("out", "out.zip"):
        (root / "link").symlink_to(exported(root / name.replace(".", "-"), name))
        assert verify(root / "link")[1] == []
        (root / "link").unlink()


def test_every_file_that_was_written_beside_a_recording_is_in_the_export(tmp_path: Path) -> None:
    rig = Rig(tmp_path, {"notes": {"formats": ["srt", "vtt", "txt", "json"]}})
    rig.drop("talk.m4a")
    assert rig.run_once() == 0
    with opened_context(rig.installed, rig.config()) as context:
        result = export(context, tmp_path / "out")
    assert result.missing == []
    assert {p.suffix for p in (tmp_path / "out").glob("recordings/*/talk.*")} == {
        ".m4a", ".md", ".srt", ".vtt", ".txt", ".json",
    }  # fmt: skip
