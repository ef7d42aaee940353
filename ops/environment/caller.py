"""Who asks AWS: the account and the name behind the credentials at hand."""

from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from ops.cli.errors import CouldNotStart

LINK = "https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-authentication.html"
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})


@dataclass(frozen=True)
class Caller:
    account: str
    arn: str

    @property
    def name(self) -> str:
        """The user's or the session's name."""
        return self.arn.rpartition("/")[2]


def caller(region: str) -> Caller:
    """Asked in `region`, so that another one may be lost. Raises CouldNotStart with the remedy."""
    try:
        found = boto3.Session(region_name=region).client("sts", config=_CONFIG).get_caller_identity()
    except NoCredentialsError as error:
        raise CouldNotStart(f"no AWS credentials: sign in (`aws sso login`) or choose a profile; {LINK}") from error
    except (BotoCoreError, ClientError) as error:
        raise CouldNotStart(f"AWS credentials were rejected in {region}: {error}; {LINK}") from error
    return Caller(account=found["Account"], arn=found["Arn"])


def shown(account: str) -> str:
    """Enough of an account's number to tell two apart, and too little to use."""
    return f"…{account[-4:]}"
