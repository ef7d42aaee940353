"""Calls to AWS with their errors in our words. An error's own text is never used: it may quote what was sent."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

# What can go wrong with a parameter, named for what is to be done about it. No message holds a value.


class NotCopyable(Exception):
    """It cannot be made equal until a person has done something; the message is the reason."""


class RegionUnavailable(Exception):
    """A region does not answer."""

    def __init__(self, region: str, reason: str) -> None:
        super().__init__(f"{region} does not answer: {reason}")
        self.region = region


class Busy(Exception):
    """AWS asks to come back later."""


class Moved(Exception):
    """The parameter changed after it was read; retry immediately."""


class NotYet(Exception):
    """To be looked at again after `seconds`, and not before."""

    def __init__(self, seconds: int, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds


Answer = TypeVar("Answer")

_LATER = {
    "InternalServerError",
    "LimitExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TooManyUpdates",
}
_CHANGED_MEANWHILE = {
    "InvalidResourceId",  # of the tagging calls: the parameter is gone
    "ParameterAlreadyExists",
    "ParameterNotFound",
    "ParameterVersionNotFound",
}


def called(region: str, operation: str, call: Callable[[], Answer]) -> Answer:
    """The answer of `call`. Raises RegionUnavailable, Busy, Moved or NotCopyable, and nothing of botocore's."""
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
    if code in _CHANGED_MEANWHILE:
        return Moved(f"{operation} in {region}: {code}")
    if code in _LATER:
        return Busy(f"{operation} in {region}: {code}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return RegionUnavailable(region, code)
    return NotCopyable(f"{operation} in {region}: {code}")
