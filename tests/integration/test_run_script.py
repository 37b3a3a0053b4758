"""scripts/run on a small stand-in project: the real earmark takes a minute and a network to install.

The stand-in has a build backend of its own (no downloads) and a command that says how it was called; Python,
venv, pip and the shell are the real ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

BACKEND = '''\
"""Makes an editable wheel by hand, as PEP 660 describes it."""
import base64, hashlib, pathlib, zipfile

def _metadata():
    return {
        "METADATA": "Metadata-Version: 2.1\\nName: earmark\\nVersion: 0\\n",
        "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "entry_points.txt": "[console_scripts]\\nearmark = standin:main\\n",
    }

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    if pathlib.Path("fail").exists():
        raise SystemExit("the disk is made of cheese")
    with open("installs", "a") as count:
        count.write("x")
    files = {f"earmark-0.dist-info/{name}": text for name, text in _metadata().items()}
    files["earmark.pth"] = str(pathlib.Path.cwd()) + "\\n"
    record = ""
    with zipfile.ZipFile(f"{wheel_directory}/earmark-0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text)}\\n"
        wheel.writestr("earmark-0.dist-info/RECORD", record + "earmark-0.dist-info/RECORD,,\\n")
    return "earmark-0-py3-none-any.whl"
'''

STANDIN = """\
import os, pathlib, sys

def main():
    if sys.argv[1:3] == ["models", "download"]:
        if os.environ.get("OFFLINE"):
            sys.exit("no network")
        print("brought", sys.argv[3:])
        (pathlib.Path(sys.prefix) / "share" / "earmark" / "models" / sys.argv[3]).mkdir(parents=True)
        return
    print("called", os.getcwd(), sys.argv[1:])
"""


class Checkout:
    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def marker(self) -> Path:
        return self.root / ".venv" / "earmark-installing"

    @property
    def installs(self) -> int:
        count = self.root / "installs"
        return len(count.read_text()) if count.exists() else 0

    def run(
        self, *arguments: str, cwd: Path | None = None, path: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        environ = {k: v for k, v in os.environ.items() if k not in {"PYTHON", "VIRTUAL_ENV"}}
        environ["PATH"] = path or f"{Path(sys.executable).resolve().parent}:{environ['PATH']}"
        return subprocess.run(
            ["/bin/sh", str(self.root / "scripts" / "run"), *arguments],
            cwd=cwd or self.root,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )


def stand_in(root: Path) -> Checkout:
    (root / "scripts").mkdir(parents=True)
    for name in ("run", "environment.sh"):
        shutil.copy(SCRIPTS / name, root / "scripts" / name)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "standin.py").write_text(STANDIN)
    return Checkout(root)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in a folder with a space in its name, started once."""
    here = stand_in(tmp_path_factory.mktemp("a folder with spaces") / "the checkout")
    first = here.run("--once")
    assert first.returncode == 0, first.stderr
    assert "Installing earmark" in first.stderr
    assert here.installs == 1
    assert "brought ['base', '--shared', '--if-none']" in first.stderr
    return here


@pytest.mark.shows("readme:start")
def test_the_default_folder_is_under_the_current_directory_and_gets_the_sample(
    checkout: Checkout, tmp_path: Path
) -> None:
    answer = checkout.run("--once", cwd=tmp_path)
    assert answer.stdout == f"called {tmp_path} ['run', '--with-sample', '--once', './Recordings']\n"


@pytest.mark.shows("readme:start")
def test_a_folder_and_further_options_are_passed_on_as_they_are(checkout: Checkout, tmp_path: Path) -> None:
    answer = checkout.run("my recordings", "--once", cwd=tmp_path)
    assert answer.stdout == f"called {tmp_path} ['run', 'my recordings', '--once']\n"
    answer = checkout.run("--once", "my recordings", cwd=tmp_path)
    assert answer.stdout == f"called {tmp_path} ['run', '--once', 'my recordings']\n"


@pytest.mark.shows("readme:start")
def test_a_second_start_is_silent_and_installs_nothing(checkout: Checkout) -> None:
    before = checkout.installs
    answer = checkout.run()
    assert answer.stderr == ""
    assert checkout.installs == before


def test_a_start_without_a_model_and_a_network_says_so_and_the_next_goes_on(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout.root / ".venv" / "share" / "earmark" / "models" / "base").rmdir()
    monkeypatch.setenv("OFFLINE", "1")
    answer = checkout.run()
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "no network" in answer.stderr
    monkeypatch.delenv("OFFLINE")
    assert checkout.run().stdout.startswith("called")


def test_help_is_shown_without_installing_anything(tmp_path: Path) -> None:
    checkout = stand_in(tmp_path / "checkout")
    answer = checkout.run("--help")
    assert "sh scripts/run [FOLDER] [OPTIONS]" in answer.stdout
    assert not (checkout.root / ".venv").exists()


def test_changed_code_takes_effect_without_an_install(checkout: Checkout) -> None:
    before = checkout.installs
    (checkout.root / "standin.py").write_text("def main():\n    print('pulled')\n")
    try:
        assert checkout.run().stdout == "pulled\n"
    finally:
        (checkout.root / "standin.py").write_text(STANDIN)
    assert checkout.installs == before


@pytest.mark.shows("readme:start")
def test_a_changed_pyproject_is_installed_again(checkout: Checkout) -> None:
    before = checkout.installs
    with (checkout.root / "pyproject.toml").open("a") as project:
        project.write("# a dependency more\n")
    assert checkout.run().returncode == 0
    assert checkout.installs == before + 1


def test_an_install_that_fails_shows_pips_words_and_the_next_start_recovers(checkout: Checkout) -> None:
    with (checkout.root / "pyproject.toml").open("a") as project:
        project.write("# and another\n")
    (checkout.root / "fail").touch()
    answer = checkout.run()
    assert answer.returncode == 69
    assert "the disk is made of cheese" in answer.stderr
    assert "start this again" in answer.stderr
    (checkout.root / "fail").unlink()
    assert checkout.run().stdout.startswith("called")


def test_a_start_while_another_installs_says_which_process_it_is(checkout: Checkout) -> None:
    checkout.marker.write_text(f"{os.getpid()}\n")
    try:
        answer = checkout.run()
    finally:
        checkout.marker.unlink()
    assert answer.returncode == 75
    assert f"process {os.getpid()} is installing" in answer.stderr


def test_an_interrupted_install_is_started_afresh(checkout: Checkout) -> None:
    ended = subprocess.run(["/bin/sh", "-c", "echo $$"], capture_output=True, text=True).stdout
    checkout.marker.write_text(ended)
    half = checkout.root / ".venv" / "half-unpacked"
    half.touch()
    before = checkout.installs
    answer = checkout.run()
    assert answer.stdout.startswith("called"), answer.stderr
    assert checkout.installs == before + 1
    assert not half.exists()
    assert not checkout.marker.exists()


def test_a_half_made_environment_without_a_working_python_is_made_again(tmp_path: Path) -> None:
    checkout = stand_in(tmp_path / "checkout")
    (checkout.root / ".venv" / "bin").mkdir(parents=True)
    (checkout.root / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")
    assert checkout.run().stdout.startswith("called")


def path_with(folder: Path, python: str) -> str:
    """A PATH with the shell's tools and no Python but this one, a shell script."""
    folder.mkdir()
    for tool in ("dirname", "cat", "cksum", "tr", "sed", "tail", "rm", "mkdir", "sleep"):
        (folder / tool).symlink_to(shutil.which(tool) or pytest.skip(f"{tool} is not here"))
    (folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
    (folder / "python3").chmod(0o755)
    return str(folder)


def test_a_machine_with_an_old_python_only_is_told_what_to_install(tmp_path: Path) -> None:
    checkout = stand_in(tmp_path / "checkout")
    answer = checkout.run(path=path_with(tmp_path / "bin", "exit 1"))
    assert answer.returncode == 69
    assert "Python 3.11 or newer was not found" in answer.stderr
    assert "apt install python3 python3-venv" in answer.stderr
    assert not (checkout.root / ".venv").exists()


def test_a_debian_python_without_its_venv_module_is_told_the_package(tmp_path: Path) -> None:
    checkout = stand_in(tmp_path / "checkout")
    without_ensurepip = f'case $2 in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"'
    answer = checkout.run(path=path_with(tmp_path / "bin", without_ensurepip))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert answer.returncode == 69
    assert f"sudo apt install {version}-venv" in answer.stderr
