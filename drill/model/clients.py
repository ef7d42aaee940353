"""The one place that makes AWS clients. A tool for two regions has no default region, so it is always spelled out."""

from typing import Any

from botocore.session import Session

from shared.aws_sessions import LOCAL_CONFIG, NO_ENVIRONMENT


def local_client(service: str, *, region: str, endpoint: str, account: str) -> Any:
    """A client for the embedded AWS at `endpoint`, which takes the account id as access key and any secret."""
    return Session(session_vars=NO_ENVIRONMENT).create_client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=account,
        aws_secret_access_key="embedded",
        config=LOCAL_CONFIG,
    )
