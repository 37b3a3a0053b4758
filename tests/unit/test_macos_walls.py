"""How a process shuts its doors on macOS, with the system's answers passed in: nobody here has a Mac."""

from __future__ import annotations

import ctypes
import errno
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from earmark.domain import Fault
from earmark.errors import PrivacyError
from earmark.locality.confinement import sandbox
from earmark.locality.confinement.macos import applying, paths, services, walls
from earmark.locality.confinement.macos.profile import Places, Profile, reading, spellings
from earmark.locality.confinement.sandbox import NOT_ENFORCED, shut_the_doors
from earmark.messages import Confine, LoadModel
from earmark.models.download import confine_download
from earmark.pipeline.verdict import End
from earmark.supervisor.stages.starting import not_held, why_not_started
from earmark.transcription.as_asked import blame

from tests.folding_disk import folding_disk
from tests.macos_profile import Thing, decision
from tests.spoken import request
from tests.stub_server import LlamaCpp, running

# --- paths as the kernel has them ---


def kernel(fd: int) -> str:
    """What F_GETPATH says, by Linux's means: the name as it stands in each folder."""
    here = Path(os.readlink(f"/proc/self/fd/{fd}"))  # noqa: PTH115
    parts: list[str] = []
    while here != here.parent:
        names = os.listdir(here.parent)  # noqa: PTH208
        same = next((name for name in names if name == here.name), None)
        parts.append(same or next(n for n in names if (here.parent / n).samefile(here)))
        here = here.parent
    return "/" + "/".join(reversed(parts))


@pytest.mark.shows("privacy:macos-paths")
def test_a_folder_is_named_in_the_disks_own_case_with_what_its_links_lead_to(tmp_path: Path) -> None:
    with folding_disk(tmp_path / "backing", tmp_path / "disk") as disk:
        (disk / "Recordings" / "Über").mkdir(parents=True)
        (tmp_path / "link").symlink_to(disk / "RECORDINGS")
        for said in (disk / "recordings", tmp_path / "link", disk / "reCordings" / ".." / "RECORDINGS"):
            assert paths.as_the_kernel_has_it(said, kernel) == str(disk / "Recordings")
        # What is not there yet, below what is.
        assert paths.as_the_kernel_has_it(disk / "recordings" / "new", kernel) == str(
            disk / "Recordings" / "new"
        )
        found = paths.places([], [disk / "recordings"], kernel, [])
        heard = Thing("path", str(disk / "Recordings" / "Über" / "a.m4a"))
        assert decision(reading(found), "file-read-data", heard) == "allow"


def test_where_the_kernel_does_not_say_the_links_are_followed_all_the_same(tmp_path: Path) -> None:
    def refuses(fd: int) -> str:
        raise OSError(errno.ENOTTY, "no such question")

    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    assert paths.as_the_kernel_has_it(tmp_path / "link" / "new", refuses) == str(tmp_path / "there" / "new")


@pytest.mark.parametrize(
    ("path", "both"),
    [
        ("/Users/ada/Recordings", ("/Users/ada/Recordings", "/System/Volumes/Data/Users/ada/Recordings")),
        ("/System/Volumes/Data/work", ("/work", "/System/Volumes/Data/work")),
        ("/private/tmp", ("/private/tmp", "/System/Volumes/Data/private/tmp")),
        ("/System/Volumes/Data2", ("/System/Volumes/Data2", "/System/Volumes/Data/System/Volumes/Data2")),
    ],
)
def test_a_path_is_spelled_as_a_firmlink_and_on_the_data_volume(path: str, both: tuple[str, ...]) -> None:
    assert spellings(path) == both


def test_the_home_folder_is_refused_wherever_it_is_and_so_is_the_one_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, temporary = tmp_path / "Homes" / "ada", tmp_path / "scratch"
    for folder in (home, temporary):
        folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(temporary))
    profile = reading(paths.places([], [home / "Recordings"], kernel))
    by_name = Profile(profile.text.replace("(deny default)", "(allow default)"), profile.parameters)
    for path, said in ((home / "x", "deny"), (temporary / "x", "deny"), (home / "Recordings" / "x", "allow")):
        assert decision(by_name, "file-read-data", Thing("path", str(path))) == said, (
            "not only for want of a rule"
        )


@pytest.mark.shows("macos:editable")
@pytest.mark.parametrize("at", ["src/earmark/daemon", "lib/target", "."])
def test_the_folder_earmark_is_imported_from_can_be_read_unless_somebody_is_at_home_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    home = tmp_path / "ada"
    module = home / at / "earmark" / "locality" / "confinement" / "sandbox.py"
    module.parent.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(sandbox, "__file__", str(module))
    profile = reading(paths.places(sandbox.python_folders(), [], kernel))
    beside, own, diary = home / at / "later.py", module.parents[2] / "speech.py", home / "diary.txt"
    for path, said in ((own, "allow"), (beside, "deny" if at == "." else "allow"), (diary, "deny")):
        assert decision(profile, "file-read-data", Thing("path", str(path))) == said
        assert decision(profile, "file-map-executable", Thing("path", str(path))) == said


def test_an_environment_right_in_the_home_folder_does_not_open_that(tmp_path: Path) -> None:
    home = tmp_path / "ada"
    (home / "lib").mkdir(parents=True)
    profile = reading(paths.places([home, home / "lib", tmp_path], [], kernel, [home]))
    assert decision(profile, "file-read-data", Thing("path", str(home / "diary.txt"))) == "deny"
    assert decision(profile, "file-map-executable", Thing("path", str(home / "lib" / "x.so"))) == "allow"


# --- putting it on ---


class Library:
    """libSystem, as far as it is asked."""

    def __init__(self, status: int, why: bytes = b"") -> None:
        self.asked: list[tuple[bytes, int, list[bytes]]] = []
        self.freed: list[Any] = []
        self._buffer = ctypes.create_string_buffer(why)

        def put_on(text: bytes, flags: int, parameters: Any, error: Any) -> int:
            self.asked.append(
                (text, flags, list(itertools.takewhile(lambda one: one is not None, parameters)))
            )
            error._obj.value = ctypes.addressof(self._buffer) if why else None
            return status

        def free(error: Any) -> None:
            self.freed.append(error.value)

        self.sandbox_init_with_parameters, self.sandbox_free_error = put_on, free


@pytest.mark.shows("privacy:macos-parameters")
def test_a_profile_is_handed_over_in_memory_with_each_path_as_a_parameter() -> None:
    library, folder = Library(0), '/Users/ada/My "odd" (folder)\n'
    profile = reading(Places(("/Users",), (), (folder,)))
    applying.apply(profile, library)
    ((text, flags, parameters),) = library.asked
    assert flags == 0
    assert b"odd" not in text
    assert dict(zip(parameters[::2], parameters[1::2], strict=True))[b"READ_0"] == folder.encode()
    assert library.freed == []


def test_what_macos_says_of_a_profile_that_it_does_not_take_is_passed_on() -> None:
    library = Library(-1, b"sandbox_compile: unbound variable: file-reed*\n")
    with pytest.raises(
        OSError, match=r"does not take the profile: sandbox_compile: unbound variable: file-reed\*"
    ):
        applying.apply(Profile("(version 1)"), library)
    assert len(library.freed) == 1
    with pytest.raises(OSError, match="another sandbox already"):
        applying.apply(Profile("(version 1)"), Library(-1))
    with pytest.raises(OSError, match="has no sandbox_init_with_parameters"):
        applying.apply(Profile("(version 1)"), object())


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Profile]]:
    """A Mac whose sandbox takes a profile, or does not, and holds to it as far as is said."""
    taken: list[Profile] = []

    def that(
        takes: str = "",
        open_network: bool = False,
        lists: bool = False,
        starts: bool = False,
        services_: int = 1100,
    ) -> list[Profile]:
        def apply(profile: Profile) -> None:
            if takes:
                raise OSError(errno.EPERM, takes)
            taken.append(profile)

        monkeypatch.setattr(applying, "apply", apply)
        monkeypatch.setattr(services, "looked_up", lambda: services_ if taken else services.FOUND)
        monkeypatch.setattr(walls, "starts_a_program", lambda: starts)
        monkeypatch.setattr(walls, "can_open", lambda path, flags: lists and flags == os.O_RDONLY)
        monkeypatch.setattr(sandbox, "network_is_shut", lambda: not open_network)
        return taken

    return that


@pytest.mark.shows("privacy:macos-tried")
def test_what_holds_on_a_mac_is_said(mac: Callable[..., list[Profile]], tmp_path: Path) -> None:
    taken = mac()
    said = shut_the_doors([tmp_path / "Recordings"], tmp_path / "model", "require", system="darwin")
    assert said == (
        "files: only the recordings and the model can be read, nothing written (macOS sandbox)",
        "no network: every connection is refused (macOS sandbox)",
        "no other program and no service of the system (macOS sandbox)",
    )
    (profile,) = taken
    readable = {path for name, path in profile.parameters if name.startswith("READ_")}
    assert readable >= {str(tmp_path / "Recordings"), str(tmp_path / "model")}


@pytest.mark.shows("privacy:macos-tried")
@pytest.mark.parametrize(
    ("like", "missing", "refuses"),
    [
        ({"takes": "macOS does not take it: x", "open_network": True}, "the network is open (macOS does not", True),
        ({"open_network": True}, "the network is open", True),
        ({"starts": True}, "other programs can be started", True),
        ({"services_": 0}, "services of the system can be asked", True),
        ({"lists": True}, "the user's other files can be read", False),
    ],
)  # fmt: skip
def test_what_does_not_hold_on_a_mac_is_said_and_refused_where_it_is_required(
    mac: Callable[..., list[Profile]], like: dict[str, Any], missing: str, refuses: bool, tmp_path: Path
) -> None:
    mac(**like)
    said = shut_the_doors([tmp_path], None, "auto", system="darwin")
    assert any(sentence.startswith(NOT_ENFORCED + missing) for sentence in said), said
    mac(**like)
    if refuses:
        with pytest.raises(PrivacyError, match="require_sandbox"):
            shut_the_doors([tmp_path], None, "require", system="darwin")
    else:
        shut_the_doors([tmp_path], None, "require", system="darwin")


def test_that_nobody_can_tell_of_services_is_said_and_is_no_reason_to_refuse(
    mac: Callable[..., list[Profile]], tmp_path: Path
) -> None:
    mac(services_=1102)
    said = shut_the_doors([tmp_path], None, "require", system="darwin")
    assert (
        said[2]
        == "no other program (macOS sandbox); whether services of the system can be asked is not known"
    )


def test_the_download_is_held_by_a_profile_of_its_own(
    mac: Callable[..., list[Profile]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "firm.pem"))
    (profile,) = taken if (taken := mac()) or confine_download(tmp_path / "models", "darwin") else []
    assert decision(profile, "file-write-create", Thing("path", str(tmp_path / "models" / "x"))) == "allow"
    assert decision(profile, "file-read-data", Thing("path", str(tmp_path / "firm.pem"))) == "allow"
    assert decision(profile, "file-read-data", Thing("path", str(tmp_path / "other.pem"))) == "deny"
    mac(takes="macOS does not take the profile: x")
    (sentence,) = confine_download(tmp_path / "models", "darwin")
    assert sentence.startswith(f"{NOT_ENFORCED}the download process can read your files (macOS does not take")


IMITATION = """
import sys
from earmark.locality.confinement import calls, landlock, sandbox, seccomp
from earmark.locality.confinement.macos import applying, services
def apply(profile):
    # What Linux can do of it.
    named = [path for name, path in profile.parameters if name.startswith(("READ", "PYTHON"))]
    landlock.restrict([*named, *sandbox._SYSTEM], [])
    seccomp.allow_only(calls.SUMMARIES)
applying.apply = apply
answers = iter([services.FOUND, services.REFUSED])
services.looked_up = lambda: next(answers)
*others, _ = sandbox.shut_the_doors.__defaults__
sandbox.shut_the_doors.__defaults__ = (*others, "darwin")
from earmark.summarization import worker
raise SystemExit(worker.main())
"""


@pytest.mark.shows("privacy:macos-require")
@pytest.mark.skipif(sys.platform != "linux", reason="Linux's walls stand in for a Mac's")
def test_a_required_sandbox_does_not_keep_a_mac_from_summarizing() -> None:
    """The whole summarization worker, with the door that it started before its profile was on."""
    with running(LlamaCpp()) as stub:
        lines = Confine(endpoint=stub.url, require=True).line() + request(stub.url).line()
        done = subprocess.run([sys.executable, "-c", IMITATION], input=lines, capture_output=True, timeout=60)
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert replies, done.stderr
    assert replies[0]["type"] == "ready", replies
    assert replies[0]["sandbox"][:3] == [
        "files: only the summary templates can be read, nothing written (macOS sandbox)",
        "no network: every connection is refused (macOS sandbox)",
        "no other program and no service of the system (macOS sandbox)",
    ]
    assert replies[-1]["type"] == "summarized", replies
    assert replies[-1]["summary"]["by"] == "llama.cpp"


# --- what is said where it does not work ---


@pytest.mark.shows("privacy:macos-trouble")
def test_a_worker_that_does_not_come_up_behind_its_profile_is_a_trouble_with_a_way_out() -> None:
    end, model = End(-6, None, ready=False), LoadModel(model_dir="/m", model_name="base", readable=())
    for order, way_out in (
        (model, True),
        (Confine(endpoint="none"), False),
        (model.model_copy(update={"sandbox": "require"}), False),
    ):
        sentence = why_not_started(end, order, 3, "darwin")
        assert "Its macOS sandbox profile, which was made without a Mac, may be the reason" in sentence
        assert ('[transcription] sandbox = "off" shows whether it is' in sentence) is way_out
    off = model.model_copy(update={"sandbox": "off"})
    assert "profile" not in why_not_started(end, off, 3, "darwin") + why_not_started(end, model, 3, "linux")


@pytest.mark.shows("privacy:macos-tried")
def test_a_worker_that_works_without_all_of_its_walls_is_a_trouble_on_a_mac() -> None:
    model = LoadModel(model_dir="/m", model_name="base", readable=())
    said = ("files: fine", f"{NOT_ENFORCED}the network is open (macOS does not take the profile: x)")
    sentence = not_held(said, model, "darwin")
    assert sentence.startswith(
        "The transcription worker works without all of its walls: the network is open (macOS does"
    )
    assert not_held(said, Confine(endpoint="none"), "darwin").startswith("The summarization worker")
    off = model.model_copy(update={"sandbox": "off"})
    assert (
        not_held(said, model, "linux"),
        not_held(said[:1], model, "darwin"),
        not_held(said, off, "darwin"),
    ) == ("",) * 3


def test_a_file_that_macos_keeps_from_earmark_is_the_users_to_allow() -> None:
    refused = PermissionError(errno.EPERM, "Operation not permitted")
    fault, sentence = blame(refused, "darwin")
    assert fault is Fault.ACCESS
    assert "System Settings > Privacy & Security" in sentence
    assert blame(refused, "linux")[0] is Fault.INTERNAL
    assert blame(PermissionError(errno.EACCES, ""), "darwin") == blame(
        PermissionError(errno.EACCES, ""), "linux"
    )
