"""`earmark models`: what is here, bringing a model in by hand, and the one process that may ask a hub."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.files import FileLock
from earmark.locality.confinement import landlock
from earmark.models import catalog
from earmark.models.catalog import CATALOG, GB, Device, fit, known, speed, tiny_speed
from earmark.models.fetching import download, download_environment
from earmark.models.inventory import inventory, verify
from earmark.models.sideload import add, remove
from earmark.weights.card import read_card

from tests.conftest import Installation, wait_for
from tests.stub_hub import COMMIT, Hub, running_hub

DEVICE = Device(memory=8 * GB, cores=4)
FILES: Mapping[str, bytes] = {
    "config.json": b"{}", "tokenizer.json": b"{}", "vocabulary.txt": b"a\nb\n", "model.bin": os.urandom(3_000_000),
}  # fmt: skip


def folder_with(place: Path, files: Mapping[str, bytes] = FILES) -> Path:
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    return place


def hub(**options: object) -> Hub:
    extra = {"README.md": b"# a model", "weights.safetensors": b"not wanted"}
    return Hub("Systran/faster-whisper-small.en", {**FILES, **extra}, **options)  # type: ignore[arg-type]


def test_the_names_and_repositories_are_those_of_faster_whisper() -> None:
    utils = pytest.importorskip("faster_whisper.utils")
    ours = {m.name: m.repo for m in CATALOG} | {a: known(a).repo for a in catalog.ALIASES}  # type: ignore[union-attr]
    assert ours == utils._MODELS


def test_what_fits_depends_on_memory_cores_and_gpu() -> None:
    large = known("large-v3")
    assert large
    assert fit(large.size, large.work, Device(2 * GB, 8)) == "not"
    assert fit(large.size, large.work, Device(16 * GB, 4)) == "slowly"
    assert fit(large.size, large.work, Device(16 * GB, 4, "NVIDIA")) == "well"
    assert fit(76_000_000, 1, Device(4 * GB, 1)) == "well"


@pytest.mark.shows("transcription:speed")
def test_what_was_measured_here_says_how_long_other_models_would_take() -> None:
    assert tiny_speed({}) is None
    assert tiny_speed({"base": 10.0, "somebody's": 900.0, "small": 0.0}) == pytest.approx(19.0)
    small = known("small")
    assert small
    assert speed(small.work, Device(8 * GB, 2), tiny_speed({"base": 10.0})) == pytest.approx(19.0 / 6.2)
    assert fit(small.size, small.work, Device(8 * GB, 8), tiny=6.2) == "slowly"


@pytest.mark.shows("transcription:add")
def test_a_model_is_added_from_a_folder_and_found_again_as_it_was(tmp_path: Path) -> None:
    source = folder_with(tmp_path / "usb" / "my-small")
    add(source, tmp_path / "models", Instant(time.time()))
    entry = next(e for e in inventory(tmp_path / "models", DEVICE, {}) if e.name == "my-small")
    assert entry.problem == ""
    assert "usb" in entry.source
    assert verify(entry) == []
    assert (entry.folder.stat().st_mode & 0o777, (entry.folder / "model.bin").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


def test_verify_names_the_file_that_is_no_longer_what_it_was(tmp_path: Path) -> None:
    add(folder_with(tmp_path / "m"), tmp_path / "models", Instant(0.0))
    (tmp_path / "models" / "m" / "vocabulary.txt").write_bytes(b"a\nc\n")
    entry = next(e for e in inventory(tmp_path / "models", DEVICE, {}) if e.name == "m")
    (problem,) = verify(entry)
    assert "vocabulary.txt" in problem
    assert "sha256" in problem


def archive(path: Path, members: Mapping[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as made:
            for name, data in members.items():
                made.writestr(name, data)
    else:
        with tarfile.open(path, "w:gz") as tar:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["small.zip", "small.tar.gz"])
def test_an_archive_can_put_nothing_outside_the_models_folder(tmp_path: Path, name: str) -> None:
    members = {f"faster-whisper-small/{n}": data for n, data in FILES.items()}
    members |= {
        "../../evil.txt": b"x",
        "/tmp/earmark-evil": b"x",
        "../../../config.json2": b"x",
        "setup.py": b"x",
    }
    add(archive(tmp_path / name, members), tmp_path / "deep" / "models", Instant(0.0))
    written = {str(p.relative_to(tmp_path / "deep")) for p in (tmp_path / "deep").rglob("*") if p.is_file()}
    assert written == {"models/.locks/adding"} | {f"models/small/{n}" for n in (*FILES, "earmark-model.json")}
    assert not Path("/tmp/earmark-evil").exists()


def test_links_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nobody's business")
    source = tmp_path / "linked.tar"
    with tarfile.open(source, "w") as tar:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            if name == "config.json":
                info.type, info.linkname = tarfile.SYMTYPE, str(secret)
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    with pytest.raises(ModelError, match=r"config\.json missing"):
        add(source, tmp_path / "models", Instant(0.0))
    assert not (tmp_path / "models" / "linked").exists()


@pytest.mark.parametrize("missing", ["tokenizer.json", "model.bin", "vocabulary.txt"])
def test_an_incomplete_model_is_refused_with_what_is_missing_and_leaves_nothing(
    tmp_path: Path, missing: str
) -> None:
    source = folder_with(tmp_path / "half", {n: d for n, d in FILES.items() if n != missing})
    with pytest.raises(ModelError, match=missing):
        add(source, tmp_path / "models", Instant(0.0))
    assert [p.name for p in (tmp_path / "models").iterdir()] == [".locks"]


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", ""])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError):
        add(folder_with(tmp_path / "m"), tmp_path / "models", Instant(0.0), name or ".")


@pytest.mark.shows("privacy:models")
def test_a_model_is_downloaded_checked_by_hash_and_recorded(installation: Installation) -> None:
    """In whatever folder it is said: nothing that lies there is imported."""
    (installation.root / "json.py").write_text("raise SystemExit(9)")
    with running_hub(hub()) as served:
        done = subprocess.run(
            [Path(sys.executable).with_name("earmark"), "models", "download", "small.en"],
            env=installation.environment | {"HF_ENDPOINT": served.url}, capture_output=True, text=True, timeout=90,
            cwd=installation.root,
        )  # fmt: skip
    (installation.root / "json.py").unlink()
    assert done.returncode == 0, done.stderr
    folder = installation.root / "home" / "data" / "models" / "small.en"
    assert {p.name for p in folder.iterdir()} == {*FILES, "earmark-model.json"}
    card = json.loads((folder / "earmark-model.json").read_text())
    assert card["revision"] == COMMIT
    assert card["license"] == "mit"
    assert card["source"].endswith("/Systran/faster-whisper-small.en")
    agents = {headers.get("user-agent") or headers.get("User-Agent") for _, _, headers in served.requests}
    assert not any("authorization" in map(str.lower, headers) for _, _, headers in served.requests)
    assert agents
    assert installation.earmark("models", "verify", "small.en").returncode == 0


@pytest.mark.shows("transcription:download")
def test_a_download_that_was_killed_goes_on_where_it_stopped(installation: Installation) -> None:
    with running_hub(hub(cut=1_500_000)) as served:
        command = [sys.executable, "-m", "earmark", "models", "download", "small.en"]
        environment = installation.environment | {"HF_ENDPOINT": served.url}
        partial = installation.root / "home" / "data" / "models" / ".partial-small.en"
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as first:
            wait_for(
                lambda: any(p.stat().st_size > 100_000 for p in partial.rglob("model.bin*.part")),
                60,
                "half a download",
            )
            first.kill()
        served.cut = None
        before = len(served.requests)
        assert subprocess.run(command, env=environment, capture_output=True, timeout=90).returncode == 0
    ranges = [
        headers["Range"]
        for _, path, headers in served.requests[before:]
        if "Range" in headers and "model.bin" in path
    ]
    assert ranges
    assert int(ranges[-1].removeprefix("bytes=").rstrip("-")) > 100_000
    assert (partial.parent / "small.en" / "model.bin").read_bytes() == FILES["model.bin"]


@pytest.mark.shows("privacy:models")
@pytest.mark.parametrize("file", ["model.bin", "tokenizer.json"])
def test_a_file_that_is_not_what_the_hub_lists_is_refused(tmp_path: Path, file: str) -> None:
    data = FILES[file]
    lie = bytes([data[0] ^ 1]) + data[1:]
    with (
        running_hub(hub(served={file: lie})) as served,
        pytest.raises(ModelError, match=file.replace(".", r"\.")),
    ):
        download(
            "small.en", tmp_path / "models", Instant(0.0), environ={**os.environ, "HF_ENDPOINT": served.url}
        )
    assert not (tmp_path / "models" / "small.en").exists()


@pytest.mark.shows("privacy:models")
def test_the_download_process_knows_no_token_and_sends_no_telemetry(tmp_path: Path) -> None:
    hostile = {"HF_TOKEN": "secret", "HUGGING_FACE_HUB_TOKEN": "secret", "HOME": "/home/me", "PATH": "/bin"}
    environment = download_environment(hostile, tmp_path)
    assert "secret" not in environment.values()
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert environment["HOME"] == str(tmp_path)


def test_the_download_process_finds_the_certificates_although_it_starts_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for told in ({"SSL_CERT_FILE": "own.pem"}, {"PIP_CERT": "own.pem"}):
        assert download_environment(told, tmp_path)["SSL_CERT_FILE"] == str(tmp_path / "own.pem")


@pytest.mark.shows("privacy:models")
@pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
def test_the_download_process_cannot_read_a_recording_nor_write_beside_it(tmp_path: Path) -> None:
    recording = tmp_path / "Recordings" / "standup.m4a"
    recording.parent.mkdir()
    recording.write_bytes(b"speech")
    models = tmp_path / "models"
    models.mkdir()
    done = subprocess.run(
        [
            sys.executable, "-c",
            "import sys; from pathlib import Path; from earmark.models.download import confine_download\n"
            "confine_download(Path(sys.argv[1]))\n"
            "Path(sys.argv[1], 'ok').write_text('x')\n"
            "for act in (Path(sys.argv[2]).read_bytes, lambda: Path(sys.argv[2] + '.txt').write_text('x')):\n"
            "    try: act(); print('possible')\n"
            "    except PermissionError: print('refused')",
            str(models), str(recording),
        ],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.stdout.split() == ["refused", "refused"], done.stderr
    assert (models / "ok").exists()


@pytest.mark.parametrize(
    "card",
    [
        '{"name": ["x"], "source": "y"}',
        '{"name": "x", "source": "y", "files": ["model.bin"]}',
        '{"name": "x", "source": "y", "files": {"../../../etc/passwd": "0"}}',
        '{"name": "x", "source": "y", "license": null, "added_at": "soon"}',
        "[" * 100_000,
        " " * 2_000_000 + '{"name": "x", "source": "y"}',
    ],
)  # fmt: skip
def test_a_card_that_nobody_here_wrote_is_none(tmp_path: Path, card: str) -> None:
    (tmp_path / "earmark-model.json").write_text(card)
    assert read_card(tmp_path) is None


def test_what_a_killed_add_left_is_gone_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / "models" / ".adding-x" / "big"
    left.mkdir(parents=True)
    (left / "model.bin").write_bytes(b"half")
    add(folder_with(tmp_path / "mine"), tmp_path / "models", Instant(5.0))
    assert not left.parent.exists()
    with (
        FileLock(tmp_path / "models" / ".locks" / "adding"),
        pytest.raises(ModelError, match="Another process is adding"),
    ):
        add(folder_with(tmp_path / "other"), tmp_path / "models", Instant(5.0))


def test_a_link_to_a_model_is_removed_as_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    remove(tmp_path / "link")
    remove(tmp_path / "elsewhere")
    assert list(tmp_path.iterdir()) == []


def test_an_added_model_is_listed_and_removed(installation: Installation, tmp_path: Path) -> None:
    source = folder_with(tmp_path / "mine")
    added = installation.earmark("models", "add", source)
    assert added.returncode == 0
    assert "used from now on, in place of tiny.en" in " ".join(added.stdout.split())
    assert "earmark models download tiny.en" in added.stdout
    listed = json.loads(installation.earmark("models", "list", "--json").stdout)["models"]
    assert [e["name"] for e in listed] == ["mine", "tiny.en"]
    assert installation.earmark("models", "remove", "mine", "--yes").returncode == 0
    assert not (installation.root / "home" / "data" / "models" / "mine").exists()


def test_an_unknown_name_is_refused_before_anything_is_asked(installation: Installation) -> None:
    with running_hub(hub()) as served:
        done = subprocess.run(
            [sys.executable, "-m", "earmark", "models", "download", "smal.en"],
            env=installation.environment | {"HF_ENDPOINT": served.url}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 2
    assert "models list --all" in done.stderr
    assert served.requests == []
