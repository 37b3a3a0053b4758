"""The wheel that `pip install .`, `uv tool install .` and `pipx install .` build: is everything inside?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from earmark.cli.manual.parser import outline
from earmark.config.editing import all_keys

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daemon" / "earmark"


PLACES = {
    "share/man/man1/earmark.1": ".TH EARMARK 1 ",
    "share/man/man5/earmark.toml.5": ".TH EARMARK.TOML 5 ",
    "share/bash-completion/completions/earmark": "complete -o default -F _earmark earmark",
    "share/zsh/site-functions/_earmark": "#compdef earmark",
    "share/fish/vendor_completions.d/earmark.fish": "complete --command earmark",
}
"""Where man, bash-completion, zsh and fish look below a prefix, and what each file has in it."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from this checkout in an environment of its own as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PIP_USER": "0"})
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("earmark-*.whl")
    return zipfile.ZipFile(path)


def test_every_file_of_the_package_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    here = {
        str(path.relative_to(PACKAGE.parent))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here - set(wheel.namelist()) == set()
    # Templates, schema, sample and the typing mark are no Python files, and are what packagers forget.
    for needed in ("earmark/sample/sample.m4a", "earmark/ledger/schema.sql", "earmark/py.typed"):
        assert needed in wheel.namelist()
    assert any(name.startswith("earmark/notes/") and name.endswith(".j2") for name in wheel.namelist())


def test_the_wheel_has_the_unit_files_as_they_are(wheel: zipfile.ZipFile) -> None:
    for name in (
        "systemd/earmark.service",
        "systemd/system/earmark.service",
        "launchd/org.earmark.daemon.plist",
    ):
        assert wheel.read(f"earmark/service/units/{name}") == (ROOT / name).read_bytes()


@pytest.mark.shows("service:prompt")
def test_the_wheel_installs_nothing_outside_its_package_but_the_command_its_page_and_its_completions(
    wheel: zipfile.ZipFile,
) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    (metadata,) = (top for top in tops if top.endswith(".dist-info"))
    (data,) = (top for top in tops if top.endswith(".data"))
    assert tops == {"earmark", metadata, data}
    assert {name.removeprefix(f"{data}/data/") for name in wheel.namelist() if name.startswith(data)} == set(
        PLACES
    )
    assert "earmark = earmark.cli.start:main" in wheel.read(f"{metadata}/entry_points.txt").decode()
    assert f"{metadata}/licenses/LICENSE" in wheel.namelist()


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prefix below which an installer puts what is for other programs."""
    prefix = tmp_path_factory.mktemp("prefix")
    (data,) = {name.split("/")[0] for name in wheel.namelist() if ".data/" in name}
    for place, sign in PLACES.items():
        file = prefix / place
        file.parent.mkdir(parents=True)
        file.write_bytes(wheel.read(f"{data}/data/{place}"))
        assert sign in file.read_text()
    return prefix


COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_earmark
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.shows("service:prompt")
@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("earmark re", {"retry", "resummarize", "retention", "receipts"}),
        ("earmark --system sta", {"status"}),
        ("earmark retention pl", {"plan"}),
        ("earmark retry --fa", {"--failed"}),
        ("earmark transcribe a.m4a --format s", {"srt"}),
        ("earmark transcribe -f = v", {"vtt"}),  # bash makes three words of -f=v
        ("earmark retry ta", {"talk to me.m4a"}),
        ("earmark hold --why list ta", {"talk to me.m4a"}),  # a value that is called like a verb
        ("earmark service install ", {"Recordings"}),
        ("earmark receipts report --folder R", {"Recordings"}),
        ("earmark retry -- --fa", {""}),
        ("earmark speakers merge ta", {""}),
    ],
)
def test_bash_completes_verbs_options_their_values_files_and_folders(
    installed: Path, tmp_path: Path, typed: str, offered: set[str]
) -> None:
    (tmp_path / "Recordings").mkdir()
    (tmp_path / "talk to me.m4a").touch()
    script = installed / "share/bash-completion/completions/earmark"
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE, "bash", script, *typed.split(" ")],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = done.stdout.split("\n")[:-1]
    assert set(found) == offered or (typed.endswith("re") and offered < set(found))


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", "share/bash-completion/completions/earmark"),
        ("zsh", "share/zsh/site-functions/_earmark"),
        ("fish", "share/fish/vendor_completions.d/earmark.fish"),
    ],
)
def test_each_shell_can_read_its_completion(installed: Path, shell: str, place: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    done = subprocess.run([shell, "-n", installed / place], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.shows("service:prompt")
def test_the_man_page_has_every_verb_and_option_and_no_macro_that_nobody_knows(installed: Path) -> None:
    page = (installed / "share/man/man1/earmark.1").read_text()
    plain = re.sub(r"\\f[BIR]", "", page).replace("\\-", "-")
    for path, command in outline().walk():
        assert path in plain
        assert [name for option in command.options for name in option.names if name not in plain] == []
    settings = (installed / "share/man/man5/earmark.toml.5").read_text()
    assert [key for key in all_keys() if f"\\fB{key.rpartition('.')[2]}\\fR" not in settings] == []
    known = {".TH", ".SH", ".SS", ".TP", ".IP", ".PP", ".RS", ".RE", ".B", ".BR", ".I"}
    for file in ("share/man/man1/earmark.1", "share/man/man5/earmark.toml.5"):
        lines = (installed / file).read_text().splitlines()
        assert {line.split()[0] for line in lines if line[:1] in (".", "'")} <= known
        if shutil.which("groff"):
            drawn = subprocess.run(
                ["groff", "-man", "-ww", "-Tutf8", installed / file], capture_output=True, text=True
            )
            assert (drawn.returncode, drawn.stderr) == (0, "")
