"""The health function's API document describes what the function answers."""

from components.ingress.openapi import health_description
from tests.functions.harness import EAST_1, MakeFunction, Tables

DOCUMENT = health_description()
OPERATION = DOCUMENT["paths"]["/health"]["get"]
SCHEMAS = DOCUMENT["components"]["schemas"]


def test_every_answer_is_one_the_document_describes(function: MakeFunction, tables: Tables) -> None:
    service = function(EAST_1, CONTROL_DECISION_SECONDS="0.000001")
    answers = [service.ask("GET", "/health"), service.ask("GET", "/health", query={"depth": "?"})]
    tables.silent = {EAST_1}
    answers.append(service.ask("GET", "/health"))

    described = {int(status): list(answer["content"]) for status, answer in OPERATION["responses"].items()}
    assert {answer.status: [answer.headers["Content-Type"]] for answer in answers} == described
    for answer in answers:
        (content,) = OPERATION["responses"][str(answer.status)]["content"].values()
        schema = SCHEMAS[content["schema"]["$ref"].rpartition("/")[2]]
        assert set(schema["required"]) <= answer.body.keys() <= schema["properties"].keys()


def test_a_status_is_one_of_the_documents() -> None:
    from health.logic import HealthStatus

    assert SCHEMAS["HealthReport"]["properties"]["status"]["enum"] == [each.value for each in HealthStatus]
    assert OPERATION["parameters"][0]["schema"]["enum"] == ["deep", "shallow"]
