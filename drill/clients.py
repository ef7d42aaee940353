"""The one place that makes AWS clients. A tool for two regions has no default region, so it is always spelled out."""

import os
from typing import Any

from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.session import Session

_NO_ENVIRONMENT = {
    name: (key, None, default, convert)
    for name, (key, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
} | {
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""botocore's settings without their environment variables: a rehearsal must not depend on the user's AWS set-up, and a
profile named there that does not exist would stop even a client with explicit keys."""

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 4},
    proxies={},  # a proxy of the environment would be asked for loopback
)


def local_client(service: str, *, region: str, endpoint: str, account: str) -> Any:
    """A client for the embedded AWS at `endpoint`, which takes the account id as access key and any secret."""
    return Session(session_vars=_NO_ENVIRONMENT).create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=account,
        aws_secret_access_key="embedded",
        config=_CONFIG,
    )
