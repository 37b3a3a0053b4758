"""`earmark config set`, `unset`, `edit` and `show`: one key or all of it, and never a broken file in force."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from earmark.config import document, load_config

from tests.conftest import QUICK, Installation, wait_for
from tests.forked import said

MINE = """\
# my own words
[summary]   # the server at home
endpoint = "none"  # until it is back

[notes]
tags = [
    "recording",  # mine
]
"""


@pytest.fixture
def home(tmp_path: Path) -> Installation:
    made = Installation(tmp_path)
    made.folder.mkdir()
    return made


@pytest.mark.shows("configuration:set")
def test_one_key_is_set_and_unset_and_all_else_stays_as_it_is(home: Installation) -> None:
    file = home.configure(MINE)
    for words, line in (
        (("summary.endpoint", "auto"), 'endpoint = "auto"  # until it is back'),
        (("notes.tags", "talk", "a b"), 'tags = ["talk", "a b"]'),
        (("transcription.languages", "de,en"), 'languages = ["de", "en"]'),
        (("intake.ignore", '["x,y"]'), 'ignore = ["x,y"]'),
        (("intake.recursive", "off"), "recursive = false"),
        (("intake.settle_seconds", "5"), "settle_seconds = 5"),
        (("retention.audio.keep_for", "2y5m"), 'keep_for = "2y5m"'),
        (("privacy", "device"), 'privacy = "device"'),
    ):
        done = said(home, "config", "set", *words)
        assert done.returncode == 0, done.stderr
        assert line in file.read_text().splitlines()
    text = file.read_text()
    assert "# my own words" in text
    assert "[summary]   # the server at home" in text
    assert tomllib.loads(text)["intake"] == {"ignore": ["x,y"], "recursive": False, "settle_seconds": 5}
    assert said(home, "config", "unset", "intake.ignore").returncode == 0
    assert file.read_text() == text.replace('ignore = ["x,y"]\n', "")
    again = said(home, "config", "unset", "intake.ignore")
    assert (again.returncode, "is not set" in again.stdout) == (0, True)


def test_in_the_sample_a_key_is_set_under_the_line_that_explains_it(home: Installation) -> None:
    file = home.configure(document.sample())
    assert said(home, "config", "set", "summary.endpoint", "auto").returncode == 0
    assert said(home, "config", "set", "remember_voices", "yes").returncode == 0
    before, after = document.sample().splitlines(), file.read_text().splitlines()
    added = [line for line in after if line not in before]
    assert added == ["remember_voices = true", 'endpoint = "auto"']
    for line in added:
        assert after[after.index(line) - 1].startswith(f"# {line.split()[0]} = ")


@pytest.mark.shows("configuration:set")
def test_a_key_of_one_folder_is_set_in_its_own_section(home: Installation) -> None:
    file = home.configure(f'[[folder]]\npath = "{home.root}/other"\n')
    for key, value in (("language", "de"), ("retention.audio.keep_for", "30d"), ("tags", "work")):
        done = said(home, "config", "set", "--folder", home.folder, key, value)
        assert done.returncode == 0, done.stderr
    folders = load_config(file).folder
    assert [f.path for f in folders] == [home.root / "other", home.folder]
    assert (folders[1].language, folders[1].tags, folders[0].language) == ("de", ("work",), None)
    gone = said(home, "config", "set", "--folder", home.root / "Recrodings", "language", "de")
    assert (gone.returncode, "no such folder" in gone.stderr) == (66, True)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("set", "summary.endpont", "none"), "did you mean `summary.endpoint`?"),
        (("set", "endpoint", "none"), "did you mean `summary.endpoint`?"),
        (("set", "sumary.endpoint", "none"), "did you mean `summary.endpoint`?"),
        (("set", "summary", "none"), "is a section"),
        (("set", "folder.language", "de"), "--folder"),
        (("set", "intake.settle_seconds", "-1"), "at least 0.2"),
        (("set", "transcription.language", "english"), "no language"),
        (("set", "privacy", "cloud"), "summary.allowed_hosts"),
        (("set", "transcription.workers", "abc"), "a whole number is needed (found 'abc')"),
        (("set", "intake.recursive", "maybe"), "true or false is needed"),
        (("set", "notes.layout", "x"), "it must be 'two-files' or 'one-file'"),
        (("set", "", "x"), "the key is empty"),
        (("unset", ""), "the key is empty"),
        (("unset", "notes.tag"), "did you mean `notes.tags`?"),
    ],
)
@pytest.mark.shows("configuration:set")
def test_what_cannot_be_is_wrong_usage_and_changes_nothing(
    home: Installation, words: tuple[str, ...], hint: str
) -> None:
    file = home.configure(MINE)
    done = said(home, "config", *words)
    assert (done.returncode, hint in done.stderr) == (2, True), done.stderr
    assert file.read_text() == MINE


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("summary.template", "nonsense", "meeting, memo, interview"),
        ("summary.template", "", "name a template"),
        ("summary.template", "../meeting", "a template's name is"),
        ("summary.language", "xx", "no language has this code"),
        ("summary.model", "", "name a model"),
        ("transcription.model", "nonsense", "no speech model named 'nonsense'"),
        ("transcription.model", "", "auto"),
        ("transcription.draft", "speakers", "no speech model"),
        ("transcription.model_dir", "/nowhere/at/all", "there is no such folder"),
        ("transcription.vocabulary_from", "/etc/passwd", "is no folder"),
        ("transcription.vocabulary_from", "", "it is empty"),
        ("summary.api_key_file", "/nowhere/key", "there is no such file"),
    ],
)
@pytest.mark.shows("configuration:named")
def test_a_value_that_names_what_is_not_there_is_refused(
    home: Installation, key: str, value: str, hint: str
) -> None:
    file = home.configure(MINE)
    done = said(home, "config", "set", key, value)
    assert (done.returncode, hint in done.stderr) == (2, True), done.stderr
    assert file.read_text() == MINE
    section, name = key.split(".")
    if (section == "transcription" and "_" in name) or name == "language":
        return
    done = said(home, "config", "set", "--folder", home.folder, name, value)
    assert (done.returncode, file.read_text()) == (2, MINE), done.stderr


@pytest.mark.shows("configuration:named")
def test_what_a_file_names_that_is_not_there_is_said_by_the_check(home: Installation) -> None:
    home.configure(
        f'[summary]\ntemplate = "nonsense"\n[[folder]]\npath = "{home.folder}"\ntemplate = ""\nmodel = "nowhere"\n'
    )
    done = said(home, "config", "check")
    assert done.returncode == 78
    for words in ("`summary.template`: template 'nonsense'", "`template` of", "`model` of"):
        assert words in done.stderr
    home.configure('[transcription]\nvocabulary_from = "/nowhere/at/all"\nmodel = "base"\n')
    done = said(home, "config", "check")
    assert done.returncode == 0, done.stderr
    assert "`transcription.vocabulary_from`: /nowhere/at/all: there is no such folder" in done.stdout
    home.configure('[transcription]\nvocabulary_from = ""\n')
    assert said(home, "config", "check").returncode == 78


@pytest.mark.shows("configuration:named")
def test_a_model_that_one_command_brings_may_be_named_before_it_is_there(home: Installation) -> None:
    file = home.configure(MINE)
    done = said(home, "config", "set", "transcription.model", "base")
    assert done.returncode == 0, done.stderr
    assert "earmark models download base" in done.stdout
    assert 'model = "base"' in file.read_text()
    own = home.root / "home" / "config" / "templates"
    own.mkdir(parents=True, exist_ok=True)
    (own / "mine.md").write_text("---\nsections:\n  decisions: What was decided\n---\n")
    assert said(home, "config", "set", "summary.template", "mine").returncode == 0


def test_a_file_with_a_mark_in_front_is_read_and_changed_as_any_other_and_keeps_it(
    home: Installation,
) -> None:
    file = home.configure(MINE)
    file.write_bytes(b"\xef\xbb\xbf" + MINE.replace("\n", "\r\n").encode())
    assert load_config(file).summary.endpoint == "none"
    assert said(home, "config", "set", "summary.endpoint", "auto").returncode == 0
    assert said(home, "config", "set", "summary.max_points", "5").returncode == 0
    assert said(home, "config", "unset", "notes.tags").returncode == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbf# my own words\r\n")
    config = load_config(file)
    assert (config.summary.endpoint, config.summary.max_points) == ("auto", 5)


def test_a_linked_file_is_changed_where_it_lies_and_keeps_its_rights(home: Installation) -> None:
    file = home.configure("")
    file.unlink()
    real = home.root / "dotfiles" / "earmark.toml"
    real.parent.mkdir()
    real.write_text(MINE)
    real.chmod(0o640)
    file.symlink_to(real)
    assert said(home, "config", "set", "summary.endpoint", "auto").returncode == 0
    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert 'endpoint = "auto"' in real.read_text()
    assert [p.name for p in real.parent.iterdir()] == ["earmark.toml"]


def test_a_file_that_was_wrong_before_is_not_made_worse_and_a_wrong_key_can_be_taken_out(
    home: Installation,
) -> None:
    file = home.configure(f"bogus = 1\n{MINE}")
    done = said(home, "config", "set", "privacy", "device")
    assert (done.returncode, "bogus" in done.stderr) == (78, True)
    assert said(home, "config", "unset", "bogus").returncode == 0
    assert file.read_text() == MINE
    file.write_text("x = [\n")
    assert said(home, "config", "set", "privacy", "device").returncode == 78


def test_what_is_shown_is_a_configuration_that_says_the_same(home: Installation) -> None:
    file = home.configure(
        f'{MINE}[[folder]]\npath = "{home.folder}"\nretention = {{ audio = {{ keep_for = "30d" }} }}\n'
    )
    before = load_config(file)
    shown = said(home, "config", "show")
    assert shown.returncode == 0
    file.write_text(shown.stdout)
    assert load_config(file) == before


def edited(home: Installation, script: str) -> subprocess.CompletedProcess[str]:
    """`config edit` with an editor that is this line of shell, "$1" being the file."""
    editor = home.root / "editor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o755)
    return subprocess.run(
        [sys.executable, "-m", "earmark", "config", "edit"],
        env=home.environment | {"VISUAL": str(editor)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip


@pytest.mark.shows("configuration:edit")
def test_an_edit_takes_the_files_place_only_if_it_is_right_and_is_gone_on_with_otherwise(
    home: Installation,
) -> None:
    made = edited(home, "sed -i 's/^# privacy = /privacy = /' \"$1\"")
    assert made.returncode == 0, made.stderr
    file = home.root / "home" / "config" / "config.toml"
    sample = document.sample()  # where there was no file
    assert file.read_text() == sample.replace("# privacy = ", "privacy = ")
    file.write_text(MINE)

    wrong = edited(home, 'sed -i \'s/"none"/""/; 1i # more of mine\' "$1"')
    assert (wrong.returncode, "`summary.endpoint`" in wrong.stderr) == (78, True)
    assert file.read_text() == MINE
    (kept,) = home.state.glob("config.edited*")
    assert "# more of mine" in kept.read_text()
    assert str(kept) in wrong.stderr

    mended = edited(home, 'sed -i \'s/""/"auto"/\' "$1"')
    assert mended.returncode == 0, mended.stderr
    assert file.read_text() == "# more of mine\n" + MINE.replace('"none"', '"auto"')
    assert not list(home.state.glob("config.edited*"))

    failed = edited(home, "exit 3")
    assert (failed.returncode, "ended with 3" in failed.stderr) == (74, True)
    assert "not changed" in edited(home, "true").stdout
    assert not list(home.state.glob("config.edited*"))


@pytest.mark.shows("configuration:edit")
def test_an_editor_that_empties_the_file_or_saves_beside_another_program_costs_nobodys_words(
    home: Installation,
) -> None:
    file = home.configure(MINE)
    for script, says in ((': > "$1"', "left an empty file"), (': > "$1"; exit 1', "ended with 1")):
        emptied = edited(home, script)
        assert (emptied.returncode, says in emptied.stderr) == (74, True)
        assert file.read_text() == MINE
        assert not list(home.state.glob("config.edited*")), "nothing to go on with"
    beside = edited(home, f"echo '# theirs' >> '{file}'; echo '# of mine' >> \"$1\"")
    assert beside.returncode == 74
    (kept,) = home.state.glob("config.edited*")
    assert str(kept) in beside.stderr
    assert kept.read_text() == f"{MINE}# of mine\n"
    assert file.read_text() == f"{MINE}# theirs\n"
    assert str(kept) in edited(home, "true").stderr, "until it is removed"
    failed = edited(home, "echo '# more' >> \"$1\"; exit 2")
    assert str(next(path for path in home.state.glob("config.edited*") if path != kept)) in failed.stderr


@pytest.mark.shows("configuration:edit")
def test_on_a_terminal_a_wrong_edit_can_be_edited_again(home: Installation) -> None:
    file = home.configure(MINE)
    editor = home.root / "editor"
    # Wrong the first time, right the second.
    editor.write_text('#!/bin/sh\ngrep -q bogus "$1" && sed -i /bogus/d "$1" || sed -i "1i bogus = 1" "$1"\n')
    editor.chmod(0o755)
    with terminal() as (ours, theirs):
        process = subprocess.Popen(
            [sys.executable, "-m", "earmark", "config", "edit"],
            env=home.environment | {"EDITOR": str(editor)}, stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        shown = b""
        while b"Edit it again?" not in shown:
            shown += os.read(ours, 4096)
        assert b"bogus" in shown
        os.write(ours, b"y\n")
        assert process.wait(60) == 0
    assert file.read_text() == MINE


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.shows("configuration:newer")
def test_a_running_daemon_takes_a_set_key_up_and_status_says_when_the_file_is_another_one(
    home: Installation,
) -> None:
    file = home.configure(QUICK)
    daemon = home.daemon()
    wait_for(lambda: home.status()["report"], what="its report")
    done = said(home, "config", "set", "intake.scan_seconds", "2")
    assert "the running daemon reads it now" in done.stdout
    wait_for(
        lambda: (
            any(e["event"] == "configuration read again" for e in home.events())
            or "reload" in str(home.events())
        )
    )
    wait_for(lambda: not home.status()["config_newer"], what="the daemon's account of it")

    file.write_text(f"{QUICK}bogus = 1\n")
    shown = said(home, "status").stdout
    assert "is broken, so the one before it is in force" in shown
    assert "bogus" in shown
    file.write_text(f"{QUICK}# another\n")
    assert "has not read it yet" in said(home, "status").stdout
    assert home.stop(daemon) == 0
