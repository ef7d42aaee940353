"""Findings of the preflight check. A check that could not be carried out is a warning or worse, never ok."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict

from shared.deployment import Deployment
from shared.places import Place
from shared.redaction import masked

# Error codes of the embedded AWS for an operation it lacks: its own, and ministack's.
_NOT_EMULATED = ("NotImplemented", "InvalidAction", "UnknownOperationException", "UnsupportedOperation")
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")


class Severity(StrEnum):
    """In rising order. A warning does not keep a region from taking over; something critical does."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


_RISING = list(Severity)


@dataclass(frozen=True)
class Found:
    """One assessment; unless it is ok, with a remedy."""

    severity: Severity
    evidence: str
    remedy: str = ""


class Finding(BaseModel):
    """A check's finding, as `check --json` prints it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: Severity
    evidence: str
    remedy: str


@dataclass(frozen=True)
class Check:
    """A named assessment of a deployment. Calling it never raises for an error of AWS or of the connection."""

    name: str
    assess: Callable[[Deployment], Found]

    def __call__(self, deployment: Deployment) -> Finding:
        try:
            found = self.assess(deployment)
        except ClientError as error:
            found = _refused(error)
        except (BotoCoreError, httpx.HTTPError) as error:
            found = critical(
                f"no answer: {type(error).__name__}: {error}",
                "check that the region is up and the stacks' outputs are complete",
            )
        return Finding(
            name=self.name,
            severity=found.severity,
            evidence=masked(found.evidence),
            remedy=masked(found.remedy),
        )


def check(name: str) -> Callable[[Callable[[Deployment], Found]], Check]:
    """Decorates an assessment of a whole deployment."""
    return lambda assess: Check(name, assess)


def check_each(name: str) -> Callable[[Callable[[Deployment, Place], Found]], Check]:
    """Decorates an assessment of one region; the check is the worst of both regions."""
    return lambda assess: Check(name, lambda deployment: worst(assess(deployment, place) for place in Place))


def ok(evidence: str) -> Found:
    return Found(Severity.OK, evidence)


def warning(evidence: str, remedy: str) -> Found:
    return Found(Severity.WARNING, evidence, remedy)


def critical(evidence: str, remedy: str) -> Found:
    return Found(Severity.CRITICAL, evidence, remedy)


def not_checked(reason: str, remedy: str = "check it in the AWS console") -> Found:
    return warning(f"could not be checked: {reason}", remedy)


def worst(found: Iterable[Found]) -> Found:
    """All of them as one: the worst severity and what to do about it, the evidence of each."""
    every = list(found)
    severity = max((each.severity for each in every), key=_RISING.index)
    remedies = dict.fromkeys(each.remedy for each in every if each.severity is severity and each.remedy)
    return Found(severity, "; ".join(each.evidence for each in every), "; ".join(remedies))


def _refused(error: ClientError) -> Found:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _NOT_EMULATED:
        return not_checked(f"the embedded AWS has no {error.operation_name}", "check it on AWS")
    if code in _DENIED or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403:
        return not_checked(
            f"{error.operation_name} is not allowed ({code})", "grant it to the role that runs this check"
        )
    message = error.response.get("Error", {}).get("Message", "")
    return critical(f"{error.operation_name} failed: {code}: {message}", "if it is gone, deploy its stack again")
