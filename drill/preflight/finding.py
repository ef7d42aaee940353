"""What a check finds, and how a check that could not look says so: never as if all were well."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict

from shared.deployment import Deployment
from shared.redaction import masked

# What the embedded AWS answers for what it lacks: its own refusal, and ministack's.
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
    """What one look found. Whoever is not ok says what to do about it."""

    severity: Severity
    evidence: str
    remedy: str = ""


class Finding(BaseModel):
    """A check's finding, as it is shown and told to programs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    severity: Severity
    evidence: str
    remedy: str


@dataclass(frozen=True)
class Check:
    """A named look at a deployment. Calling it never raises for what AWS answers or does not."""

    name: str
    look: Callable[[Deployment], Found]

    def __call__(self, deployment: Deployment) -> Finding:
        try:
            found = self.look(deployment)
        except ClientError as error:
            found = _refused(error)
        except (BotoCoreError, httpx.HTTPError) as error:
            found = critical(
                f"nobody answered: {type(error).__name__}: {error}",
                "see whether the region is there at all, and the stacks' outputs whole",
            )
        return Finding(
            name=self.name,
            severity=found.severity,
            evidence=masked(found.evidence),
            remedy=masked(found.remedy),
        )


def check(name: str) -> Callable[[Callable[[Deployment], Found]], Check]:
    """Make a look a check."""
    return lambda look: Check(name, look)


def ok(evidence: str) -> Found:
    return Found(Severity.OK, evidence)


def warning(evidence: str, remedy: str) -> Found:
    return Found(Severity.WARNING, evidence, remedy)


def critical(evidence: str, remedy: str) -> Found:
    return Found(Severity.CRITICAL, evidence, remedy)


def not_looked_at(reason: str, remedy: str = "look at it by another way") -> Found:
    return warning(f"could not be looked at: {reason}", remedy)


def worst(found: Iterable[Found]) -> Found:
    """All of them as one: the worst severity and what to do about it, the evidence of each."""
    every = list(found)
    severity = max((each.severity for each in every), key=_RISING.index)
    remedies = dict.fromkeys(each.remedy for each in every if each.severity is severity and each.remedy)
    return Found(severity, "; ".join(each.evidence for each in every), "; ".join(remedies))


def _refused(error: ClientError) -> Found:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _NOT_EMULATED:
        return not_looked_at(f"this AWS does not know {error.operation_name}", "look at it on AWS")
    if code in _DENIED or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403:
        return not_looked_at(
            f"{error.operation_name} is not allowed to you ({code})", "allow it to who runs this check"
        )
    message = error.response.get("Error", {}).get("Message", "")
    return critical(f"{error.operation_name} failed: {code}: {message}", "if it is gone, deploy its stack again")
