"""boto3 clients by service and region, paginated reads, and the identity behind the credentials."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from shared.command_line import CouldNotStart

Client = Callable[[str, str], Any]
"""From boto3's name of a service and a region to a client."""

LINK = "https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-authentication.html"
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


def pages(client: Any, operation: str, key: str, **parameters: Any) -> list[Any]:
    """Everything that a call lists under `key`, over all pages."""
    if not client.can_paginate(operation):
        return list(getattr(client, operation)(**parameters)[key])
    return [each for page in client.get_paginator(operation).paginate(**parameters) for each in page.get(key, [])]


@dataclass(frozen=True)
class Caller:
    account: str
    arn: str

    @property
    def name(self) -> str:
        """The user's or the session's name."""
        return self.arn.rpartition("/")[2]


def caller(region: str) -> Caller:
    """The STS identity, by a call in `region`, so that another region may be lost. Raises CouldNotStart."""
    try:
        identity = boto3.Session(region_name=region).client("sts", config=_CONFIG).get_caller_identity()
    except NoCredentialsError as error:
        raise CouldNotStart(f"no AWS credentials: sign in (`aws sso login`) or choose a profile; {LINK}") from error
    except (BotoCoreError, ClientError) as error:
        raise CouldNotStart(f"AWS credentials were rejected in {region}: {error}; {LINK}") from error
    return Caller(account=identity["Account"], arn=identity["Arn"])


def masked(account: str) -> str:
    """The last digits of an account id, which distinguish accounts and are of no use to others."""
    return f"…{account[-4:]}"
