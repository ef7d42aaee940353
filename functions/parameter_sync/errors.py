"""Errors of synchronizing a parameter, named for the reaction, and the translation of botocore's errors to them.

No message holds a value; the text of an AWS error is never used, because it may quote the request.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError


class NotCopyable(Exception):
    """The parameter cannot be synchronized until an operator acts; the message is the reason."""


class RegionUnavailable(Exception):
    """A region does not answer; `region` is its name."""

    def __init__(self, region: str, reason: str) -> None:
        super().__init__(f"{region} does not answer: {reason}")
        self.region = region


class Throttled(Exception):
    """AWS throttled the call; retry later."""


class ConcurrentModification(Exception):
    """The parameter changed after it was read; retry immediately."""


class DeletionWithheld(Exception):
    """The parameter is missing in the other region and is not deleted now; the message is the reason."""


class RetryAfter(Exception):
    """The parameter must be synchronized again after `seconds`, not before."""

    def __init__(self, seconds: int, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


Response = TypeVar("Response")

_THROTTLED = {
    "InternalServerError",
    "LimitExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TooManyUpdates",
}
_CHANGED = {
    "InvalidResourceId",  # from tagging calls: the parameter was deleted
    "ParameterAlreadyExists",
    "ParameterNotFound",
    "ParameterVersionNotFound",
}


def called(region: str, operation: str, call: Callable[[], Response]) -> Response:
    """The response of `call`. Raises RegionUnavailable, Throttled, ConcurrentModification or NotCopyable, and none of
    botocore's errors."""
    try:
        return call()
    except ClientError as error:
        raise _problem(region, operation, error) from None
    except ParamValidationError:
        raise NotCopyable(f"{operation} in {region}: the request is not valid") from None
    except BotoCoreError as error:
        raise RegionUnavailable(region, type(error).__name__) from None


def _problem(region: str, operation: str, error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "ClientError")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _CHANGED:
        return ConcurrentModification(f"{operation} in {region}: {code}")
    if code in _THROTTLED:
        return Throttled(f"{operation} in {region}: {code}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return RegionUnavailable(region, code)
    return NotCopyable(f"{operation} in {region}: {code}")
