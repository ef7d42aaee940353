"""Puts a run's folder into the environment's bucket, where the other region gets a copy and retention holds."""

import mimetypes
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from shared.deployment import Deployment
from shared.places import Place

PREFIX = "drills"
_TYPES = {".jsonl": "application/jsonl", ".md": "text/markdown; charset=utf-8"}


class UploadError(RuntimeError):
    """A file did not reach the bucket."""


def upload(deployment: Deployment, folder: Path, place: Place = Place.PRIMARY) -> list[str]:
    """Every file of the run's own, not of folders in it; the objects' keys. Raises UploadError."""
    bucket = deployment.cell(place).storage.bucket_name
    client = deployment.client("s3", place)
    keys = []
    for path in sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")):
        key = f"{PREFIX}/{deployment.environment}/{folder.name}/{path.name}"
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        try:
            client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType=kind)
        except (BotoCoreError, ClientError) as error:
            raise UploadError(f"{path.name} did not reach the bucket in {deployment.region(place)}: {error}") from error
        keys.append(key)
    return keys
