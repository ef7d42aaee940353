"""Refused calls as a client sees them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


def error_of(call: Any, **arguments: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value


def status_of(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
