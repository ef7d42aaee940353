"""Pulumi assets and archives as bytes: the same files give the same zip, whenever and wherever it is made.

Paths are relative to the program's folder, as with the Pulumi CLI. Remote assets are refused: nothing here reaches a
network.
"""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pulumi

from localaws.core.errors import TableError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_PERMISSIONS = 0o644 << 16


def files(archive: pulumi.Archive, folder: Path) -> dict[str, bytes]:
    """The archive's files by their path in it. Raises TableError for a remote one or a path that is not there."""
    if isinstance(archive, pulumi.FileArchive):
        return _from_path(folder / archive.path)
    if not isinstance(archive, pulumi.AssetArchive):
        raise TableError(f"{type(archive).__name__} is remote; use files of the repository")
    found: dict[str, bytes] = {}
    for name, member in archive.assets.items():
        if isinstance(member, pulumi.Archive):
            found |= {f"{name}/{inner}": data for inner, data in files(member, folder).items()}
        else:
            found[name] = content(member, folder)
    return found


def pack(archive: pulumi.Archive, folder: Path) -> bytes:
    """A zip of `archive`: sorted names, one fixed time. A FileArchive of a ready zip is passed on as it is."""
    if isinstance(archive, pulumi.FileArchive) and (folder / archive.path).is_file():
        return (folder / archive.path).read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in sorted(files(archive, folder).items()):
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.external_attr = _PERMISSIONS
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, data)
    return buffer.getvalue()


def content(asset: Any, folder: Path) -> bytes:
    """The bytes of one asset. Raises TableError for a remote one or a path that is not there."""
    if isinstance(asset, pulumi.StringAsset):
        return asset.text.encode()
    if isinstance(asset, pulumi.FileAsset):
        if not (folder / asset.path).is_file():
            raise TableError(f"asset {asset.path} is not there")
        return (folder / asset.path).read_bytes()
    raise TableError(f"{type(asset).__name__} is remote; use files of the repository")


def digest(value: Any, folder: Path) -> str:
    """SHA-256 over names and contents, so that packing again is no change."""
    if isinstance(value, pulumi.FileAsset):
        return _file_digest(folder / value.path)
    if isinstance(value, pulumi.Asset):
        return hashlib.sha256(content(value, folder)).hexdigest()
    return summary(value, folder)[1]


def summary(archive: pulumi.Archive, folder: Path) -> tuple[int, str]:
    """The number of files in the archive, and its digest."""
    found = _digests(archive, folder)
    total = hashlib.sha256()
    for name, file in sorted(found.items()):
        total.update(f"{len(name)}:{name}{file}".encode())
    return len(found), total.hexdigest()


def _digests(archive: pulumi.Archive, folder: Path) -> dict[str, str]:
    """The digest of each file by its path in the archive; files are not read again while nothing in them changed."""
    if isinstance(archive, pulumi.FileArchive) and (folder / archive.path).is_dir():
        return {
            name: _digest_once(entry.path, (status := entry.stat()).st_mtime_ns, status.st_size)
            for name, entry in _walk(str(folder / archive.path))
        }
    if isinstance(archive, pulumi.AssetArchive):
        found: dict[str, str] = {}
        for name, member in archive.assets.items():
            if isinstance(member, pulumi.Archive):
                found |= {f"{name}/{inner}": value for inner, value in _digests(member, folder).items()}
            else:
                found[name] = digest(member, folder)
        return found
    return {name: hashlib.sha256(data).hexdigest() for name, data in files(archive, folder).items()}


def _file_digest(path: Path) -> str:
    if not path.is_file():
        raise TableError(f"asset {path} is not there")
    status = path.stat()
    return _digest_once(str(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=20_000)
def _digest_once(path: str, _changed: int, _size: int) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def _walk(folder: str, prefix: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file under `folder` with its path in there. A layer has thousands, so this is done with plain texts."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _walk(entry.path, f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}", entry


def _from_path(path: Path) -> dict[str, bytes]:
    if path.is_file():
        with zipfile.ZipFile(path) as packed:
            return {info.filename: packed.read(info) for info in packed.infolist() if not info.is_dir()}
    if not path.is_dir():
        raise TableError(f"archive {path} is neither a folder nor a zip file")
    return {name: Path(entry.path).read_bytes() for name, entry in _walk(str(path))}
