"""Acts of the ground floor against a world that moves: whatever somebody does at any step, none of their bytes is lost.

Every act is tried with every disturbance at every one of its steps, on each kind of filesystem that is played here (with
and without exclusive renames, exchange, hard links, leases).
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from earmark.files import (
    Listings,
    OtherContent,
    content_of,
    move_without_loss,
    opened,
    put_in_place,
    recover_hidden,
    remove,
    renaming,
    take_out,
    write_new,
    writers,
)
from earmark.files.renaming import hidden_kind

OLD, NEW, MINE, LATER = b"as decided\n", b"our next version\n", b"what a person saved\n", b"and once more\n"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- acts: what is decided about is `note.md` with OLD in `here` ---


def act_take(here: Path, there: Path, step: Callable[[str], None]) -> None:
    with opened(here) as folder, opened(there) as into:
        take_out(folder, "note.md", sha(OLD), into, "note.md", step=step)


def act_remove(here: Path, there: Path, step: Callable[[str], None]) -> None:
    with opened(here) as folder:
        remove(folder, "note.md", sha(OLD), step=step)


def act_replace(here: Path, there: Path, step: Callable[[str], None]) -> None:
    with opened(here) as folder:
        put_in_place(folder, "note.md", NEW, sha(OLD), step=step)


def act_create(here: Path, there: Path, step: Callable[[str], None]) -> None:
    with opened(here) as folder:
        put_in_place(folder, "fresh.md", NEW, None, step=step)


def act_move(here: Path, there: Path, step: Callable[[str], None]) -> None:
    with opened(here) as old, opened(there) as new:
        move_without_loss(old, "note.md", new, "moved.md", sha(OLD), step=step)


ACTS = {act.__name__[4:]: act for act in (act_take, act_remove, act_replace, act_create, act_move)}


# --- what somebody does at one of the steps; returns the bytes that must not be lost ---


def nothing(here: Path) -> list[bytes]:
    return []


WRITERS: list[threading.Thread] = []


def edit_in_place(here: Path) -> list[bytes]:
    """Another program opens what has the name and writes over it; while our lease lasts, the kernel lets it wait."""
    writer = threading.Thread(target=(here / "note.md").write_bytes, args=(MINE,))
    writer.start()
    writer.join(0.03)
    WRITERS.append(writer)
    return [MINE]


def save_by_rename(here: Path) -> list[bytes]:
    (here / "saved").write_bytes(MINE)
    (here / "saved").replace(here / "note.md")
    return [MINE]


def save_twice_by_rename(here: Path) -> list[bytes]:
    save_by_rename(here)
    (here / "saved").write_bytes(LATER)
    (here / "saved").replace(here / "note.md")
    return [LATER]


def take_the_new_name(here: Path) -> list[bytes]:
    for path in (here / "fresh.md", here.parent / "there" / "moved.md", here.parent / "there" / "note.md"):
        if not path.exists():
            path.write_bytes(MINE)
    return [MINE]


def become_a_fifo(here: Path) -> list[bytes]:
    with suppress(FileNotFoundError):
        (here / "note.md").rename(here / "kept by me.md")
    os.mkfifo(here / "note.md")
    return []


def become_a_symlink(here: Path) -> list[bytes]:
    (here / "target.md").write_bytes(MINE)
    with suppress(FileNotFoundError):
        (here / "note.md").rename(here / "kept by me.md")
    (here / "note.md").symlink_to("target.md")
    return [MINE]


def delete(here: Path) -> list[bytes]:
    (here / "note.md").unlink(missing_ok=True)
    return []


def replace_the_folder(here: Path) -> list[bytes]:
    here.rename(here.with_name("renamed"))
    here.mkdir()
    (here / "note.md").write_bytes(MINE)
    return [MINE]


DISTURBANCES = (
    nothing, edit_in_place, save_by_rename, save_twice_by_rename, take_the_new_name, become_a_fifo, become_a_symlink,
    delete, replace_the_folder,
)  # fmt: skip


# --- filesystems ---


def no_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS, some FUSE: no exclusive rename and no exchange; hard links."""
    monkeypatch.setattr(renaming, "_renameat", lambda *_: False)


def no_flags_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    no_flags(monkeypatch)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)


def no_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    real = renaming._renameat
    monkeypatch.setattr(
        renaming, "_renameat", lambda a, b, c, d, flag: flag != renaming._EXCHANGE and real(a, b, c, d, flag)
    )


def no_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "_ask", lambda _: False)


FILESYSTEMS = {"native": lambda _: None} | {
    f.__name__: f for f in (no_flags, no_flags_no_links, no_exchange, no_lease)
}


def visible(root: Path) -> list[bytes]:
    """The content of every file that a person sees, trash included."""
    return [
        p.read_bytes()
        for p in root.rglob("*")
        if p.is_file() and not p.is_symlink() and hidden_kind(p.name) is None
    ]


def run(
    root: Path, act: str, disturb: Callable[[Path], list[bytes]], at: int
) -> tuple[list[str], list[bytes], bool]:
    """Do an act in a fresh world, disturbed at its n-th step; returns its steps, what must be there, whether it went."""
    here, there = root / "here", root / "there"
    here.mkdir(parents=True)
    there.mkdir()
    (here / "note.md").write_bytes(OLD)
    steps: list[str] = []
    precious: list[bytes] = []

    def step(name: str) -> None:
        steps.append(name)
        if len(steps) == at:
            precious.extend(disturb(here))

    try:
        ACTS[act](here, there, step)
        went = True
    except (OtherContent, OSError):
        went = False
    while WRITERS:
        WRITERS.pop().join()
    return steps, precious, went


@pytest.mark.parametrize("filesystem", FILESYSTEMS)
@pytest.mark.parametrize("act", ACTS)
def test_nobodys_bytes_are_lost_whatever_happens_at_any_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, filesystem: str
) -> None:
    FILESYSTEMS[filesystem](monkeypatch)
    tried = 0
    for disturb in DISTURBANCES:
        for at in range(1, 40):
            root = tmp_path / f"{disturb.__name__}-{at}"
            steps, precious, went = run(root, act, disturb, at)
            tried += 1
            where = f"{act} on {filesystem}: {disturb.__name__} at step {at} ({steps[at - 1 : at]})"
            left = visible(root)
            for data in precious:
                assert data in left, where
            if disturb is not delete and act not in ("remove", "replace"):
                assert OLD in left or disturb is edit_in_place or "save" in disturb.__name__, where
            if (
                act == "move"
                and disturb is save_by_rename
                and precious
                and (root / "there" / "moved.md").exists()
            ):
                assert (root / "there" / "moved.md").read_bytes() == OLD, f"{where}: a save was moved along"
            if act == "replace" and went:
                assert NEW in left or disturb is not nothing, where
            if act in ("take", "move", "create"):
                assert not any(hidden_kind(p.name) for p in root.rglob("*")), where
            if len(steps) < at:
                break
        else:
            pytest.fail("the steps were not all enumerated")
    assert tried > 20


@pytest.mark.parametrize("filesystem", FILESYSTEMS)
def test_a_replacement_never_takes_the_name_from_a_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filesystem: str
) -> None:
    """The person's version keeps the name; ours, which the ledger can make again, is not beside it."""
    FILESYSTEMS[filesystem](monkeypatch)
    for at in range(1, 12):
        root = tmp_path / str(at)
        steps, _, _ = run(root, "replace", save_by_rename, at)
        if len(steps) < at:
            break
        assert (root / "here" / "note.md").read_bytes() == MINE, steps
        assert {p.name for p in (root / "here").iterdir()} == {"note.md"}


@pytest.mark.parametrize("filesystem", FILESYSTEMS)
def test_two_saves_during_one_replacement_are_both_kept_and_the_later_has_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filesystem: str
) -> None:
    FILESYSTEMS[filesystem](monkeypatch)
    pairs = 0
    for first in range(1, 12):
        for second in range(first + 1, 12):
            here = tmp_path / f"{first}-{second}"
            here.mkdir()
            (here / "note.md").write_bytes(OLD)
            steps: list[str] = []

            def step(
                name: str, steps: list[str] = steps, here: Path = here, at: tuple[int, int] = (first, second)
            ) -> None:
                steps.append(name)
                if len(steps) in at:
                    (here / "saved").write_bytes(MINE if len(steps) == at[0] else LATER)
                    (here / "saved").replace(here / "note.md")

            with suppress(OtherContent, OSError):
                act_replace(here, here, step)
            if len(steps) < second:
                break
            pairs += 1
            assert (here / "note.md").read_bytes() == LATER, (steps, first, second)
            assert all(hidden_kind(p.name) is None for p in here.iterdir())
            if steps[second - 1] == "before:give-back":
                assert MINE in visible(here), "both versions are the person's"
    assert pairs > 3


def test_a_crash_at_any_step_leaves_only_what_recovery_gives_back_or_recognizes(tmp_path: Path) -> None:
    class Dead(BaseException):
        """The process is no more."""

    for act in ACTS:
        for at in range(1, 40):
            root = tmp_path / f"{act}-{at}"

            def die(_: Path) -> list[bytes]:
                raise Dead

            try:
                run(root, act, die, at)
                break
            except Dead:
                pass
            # Finally blocks ran, which a kill would not have let; the enumeration with real kills is in the daemon's tests.
            for folder in (root / "here", root / "there"):
                for path in list(folder.iterdir()):
                    if hidden_kind(path.name):
                        with opened(folder) as held:
                            recover_hidden(held, path.name, lambda s: s in (sha(OLD), sha(NEW)))
            assert not any(hidden_kind(p.name) for p in root.rglob("*"))


def test_a_hidden_file_that_nobody_knows_gets_its_name_back(tmp_path: Path) -> None:
    (tmp_path / ".earmark-0123456789abcdef.swap.note.md").write_bytes(MINE)
    (tmp_path / ".earmark-0123456789abcdee.swap.note.md").write_bytes(LATER)
    (tmp_path / ".earmark-0123456789abcded.tmp").write_bytes(b"half of our")
    (tmp_path / ".earmark-0123456789abcdeg.tmp").write_bytes(b"not our pattern")
    with opened(tmp_path) as folder:
        for name in sorted(folder.names()):
            recover_hidden(folder, name, lambda _: False)
    found = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert found.pop(".earmark-0123456789abcdeg.tmp") == b"not our pattern"
    assert set(found) == {"note.md", "note (2).md"}
    assert set(found.values()) == {MINE, LATER}


def test_a_new_file_is_written_though_another_earmark_tidies_the_folder_meanwhile(tmp_path: Path) -> None:
    tidied: list[str] = []

    def tidy(_: str) -> None:
        """As a daemon does that starts at that moment, at each of the steps of the first try."""
        for path in tmp_path.iterdir():
            if hidden_kind(path.name) and len(tidied) < 2:
                with opened(tmp_path) as folder:
                    recover_hidden(folder, path.name, lambda _: False)
                tidied.extend([] if path.exists() else [path.name])

    write_new(tmp_path / "sample.wav", NEW, step=tidy)
    assert len(tidied) == 2
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"sample.wav": NEW}


@pytest.mark.parametrize("act", ["take", "remove", "replace"])
def test_a_file_that_somebody_writes_to_stays(tmp_path: Path, act: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "note.md").write_bytes(OLD)
    with (here / "note.md").open("ab") as writer:
        if not writers.being_written(here / "note.md"):
            pytest.skip("this system grants no leases here")
        with pytest.raises(OtherContent):
            ACTS[act](here, there, lambda _: None)
        writer.write(MINE)
    assert (here / "note.md").read_bytes() == OLD + MINE
    assert [p.name for p in here.iterdir()] == ["note.md"]


@pytest.mark.parametrize("make", [os.mkfifo, lambda p: p.mkdir(), lambda p: p.symlink_to("elsewhere")])
def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "note.md")
    with pytest.raises(OSError, match="ordinary file"):
        content_of(tmp_path / "note.md")


def test_a_parent_that_became_a_symlink_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside" / "deep"
    outside.mkdir(parents=True)
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="is a symlink"), opened(drop / "sub" / "deep", drop):
        pass


def test_the_name_that_differs_only_in_case_or_form_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "Memo.md").touch()
    (tmp_path / "cafe\u0301.md").touch()
    with opened(tmp_path) as folder:
        assert Listings().taken(folder, "memo.MD")
        assert Listings().taken(folder, "caf\u00e9.md")
        assert not Listings().taken(folder, "memo.md", but="Memo.md")
        assert not Listings().taken(folder, "memos.md")
