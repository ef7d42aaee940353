"""The small parts: archives, ignored paths, secrets in values."""

import io
import os
import time
import zipfile
from pathlib import Path

import pulumi
import pytest

from localaws.core import archives
from localaws.core.errors import TableError
from localaws.engine.state import Record, deletion_order
from localaws.provider import ignored, values


def _folder(root: Path) -> Path:
    (root / "lib").mkdir(parents=True)
    (root / "lib" / "a.py").write_text("a = 1\n")
    (root / "lib" / "b.py").write_text("b = 2\n")
    return root


def _names(packed: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        return opened.namelist()


def test_an_archive_is_the_same_bytes_whenever_and_wherever_it_is_packed(tmp_path: Path) -> None:
    here, there = _folder(tmp_path / "here"), _folder(tmp_path / "there")
    os.utime(there / "lib" / "a.py", (time.time() - 9999, time.time() - 9999))
    archive = pulumi.AssetArchive({"z.py": pulumi.StringAsset("z"), "pkg": pulumi.FileArchive("lib")})

    packed = archives.pack(archive, here)

    assert packed == archives.pack(archive, there)
    assert archives.digest(archive, here) == archives.digest(archive, there)
    assert _names(packed) == ["pkg/a.py", "pkg/b.py", "z.py"]


def test_a_changed_file_changes_the_digest(tmp_path: Path) -> None:
    folder, archive = _folder(tmp_path), pulumi.FileArchive("lib")
    before = archives.digest(archive, folder)
    (folder / "lib" / "a.py").write_text("a = 10\n")

    assert archives.digest(archive, folder) != before


def test_a_ready_zip_is_passed_on_as_it_is_and_unpacked_inside_another_archive(tmp_path: Path) -> None:
    packed = archives.pack(pulumi.FileArchive("lib"), _folder(tmp_path))
    (tmp_path / "ready.zip").write_bytes(packed)

    assert archives.pack(pulumi.FileArchive("ready.zip"), tmp_path) == packed
    assert _names(archives.pack(pulumi.AssetArchive({"x": pulumi.FileArchive("ready.zip")}), tmp_path)) == [
        "x/a.py",
        "x/b.py",
    ]


def test_a_remote_asset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="RemoteAsset is remote"):
        archives.pack(pulumi.AssetArchive({"a": pulumi.RemoteAsset("https://example.com/a")}), tmp_path)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("size", {"size": 1, "tags": {"a": "new", "c": "new"}, "rules": [{"x": 2}, {"x": 3}]}),
        ("tags.a", {"size": 2, "tags": {"a": "old", "c": "new"}, "rules": [{"x": 2}, {"x": 3}]}),
        ("tags.c", {"size": 2, "tags": {"a": "new"}, "rules": [{"x": 2}, {"x": 3}]}),
        ('tags["b"]', {"size": 2, "tags": {"a": "new", "c": "new", "b": "old"}, "rules": [{"x": 2}, {"x": 3}]}),
        ("rules[0].x", {"size": 2, "tags": {"a": "new", "c": "new"}, "rules": [{"x": 1}, {"x": 3}]}),
        ("rules[*].x", {"size": 2, "tags": {"a": "new", "c": "new"}, "rules": [{"x": 1}, {"x": 3}]}),
        ("nothing", {"size": 2, "tags": {"a": "new", "c": "new"}, "rules": [{"x": 2}, {"x": 3}]}),
    ],
)
def test_an_ignored_path_is_as_it_was(path: str, kept: dict[str, object]) -> None:
    former = {"size": 1, "tags": {"a": "old", "b": "old"}, "rules": [{"x": 1}]}
    now = {"size": 2, "tags": {"a": "new", "c": "new"}, "rules": [{"x": 2}, {"x": 3}]}

    assert ignored.apply(now, former, [path]) == kept
    assert now["size"] == 2


def test_a_frozen_value_comes_back_with_its_secrets_in_envelopes(tmp_path: Path) -> None:
    value = {"plain": [1.0, "a"], "deep": {"word": values.secret({"a": "b"})}}

    thawed = values.thaw(values.freeze(value, tmp_path))

    assert thawed == {"plain": [1, "a"], "deep": {"word": values.secret({"a": "b"})}}
    assert values.hide(thawed, tmp_path) == {"plain": [1, "a"], "deep": {"word": "[secret]"}}
    assert list(values.secret_texts(thawed)) == ["b"]


def _record(name: str, *dependencies: str) -> Record:
    return Record(
        urn=name, type="", name=name, id="", region="", provider="", inputs={}, outputs={}, tags={},
        dependencies=[*dependencies],
    )  # fmt: skip


def test_dependents_go_first_even_if_they_were_made_first() -> None:
    made = [_record("alarm", "topic"), _record("table"), _record("topic")]

    order = [record.urn for record in deletion_order({record.urn: record for record in made})]

    assert order == ["alarm", "topic", "table"]
