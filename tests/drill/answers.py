"""AWS's answers made by hand, for a whole deployment at once, held to the shapes that botocore knows.

An answer stands for an operation in both regions; one may be put in the place of another for one region.
"""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator

from shared.deployment import Deployment
from shared.places import Place
from tests.shared.deployments import outputs

Reported = dict[str, Any] | str  # a text is an error code
Answer = Reported | Callable[[], Reported]


class Answers:
    """Answers calls before they leave. An operation without an answer fails the test that asks for it."""

    def __init__(self, deployment: Deployment, answers: dict[str, Answer]) -> None:
        self._deployment = deployment
        self._usual = answers
        self._answers: dict[tuple[str, str | None], Answer] = {}
        self.asked: list[tuple[str, str]] = []
        self.reset()
        deployment.watch(self._watch)

    def reset(self) -> None:
        """As usual again; clients are kept, since making one takes longer than a test."""
        self._answers = {(name, None): each for name, each in self._usual.items()}
        self.asked.clear()

    def set(self, operation: str, answer: Answer, place: Place | None = None) -> None:
        self._answers[operation, self._deployment.region(place) if place else None] = answer

    def _watch(self, session: boto3.Session) -> None:
        events: Any = session.events  # its stubs take handlers that answer nothing
        events.register("before-call", self._answer)

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        region = context["client_region"]
        self.asked.append((model.name, region))
        answer = self._answers.get((model.name, region), self._answers.get((model.name, None)))
        assert answer is not None, f"no answer is set for {model.name}"
        answer = answer() if callable(answer) else answer
        if isinstance(answer, str):
            parsed = {"Error": {"Code": answer, "Message": "printed by the test"}, "ResponseMetadata": {}}
            return _response(400), parsed
        problems = ParamValidator().validate(answer, model.output_shape)
        assert not problems.has_errors(), f"AWS would not answer {model.name} like this: {problems.generate_report()}"
        return _response(200), answer


def _response(status: int) -> AWSResponse:
    headers: Any = {}
    return AWSResponse("http://aws", status, headers, None)


def deployment(**changes: dict[str, Any]) -> Deployment:
    """An environment on AWS of which nothing is there but its outputs."""
    return Deployment.of("dev", outputs(changes))
