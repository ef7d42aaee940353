"""boto3 clients by service and region, paginated reads, and the identity behind the credentials."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from shared.aws_sessions import Sessions
from shared.command_line import CouldNotStart

Client = Callable[[str, str], Any]
"""From boto3's name of a service and a region to a client."""

LINK = "https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-authentication.html"


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


def caller(region: str, sessions: Sessions | None = None) -> Caller:
    """The STS identity, by a call in `region`, so that another region may be lost. Raises CouldNotStart."""
    try:
        identity = (sessions or Sessions()).client("sts", region).get_caller_identity()
    except NoCredentialsError as error:
        raise CouldNotStart(f"no AWS credentials: sign in (`aws sso login`) or choose a profile; {LINK}") from error
    except (BotoCoreError, ClientError) as error:
        raise CouldNotStart(f"AWS credentials were rejected in {region}: {error}; {LINK}") from error
    return Caller(account=identity["Account"], arn=identity["Arn"])


def masked(account: str) -> str:
    """The last digits of an account id, which distinguish accounts and are of no use to others."""
    return f"…{account[-4:]}"
