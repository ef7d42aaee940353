"""A resource's tags as its own service returns them."""

from collections.abc import Callable
from typing import Any

from localaws.engine.state import Record
from localaws.provider.resources import TABLE
from tests.runner.conftest import Client


def read(client: Client, record: Record) -> dict[str, str]:
    entry = TABLE[record.type]
    assert entry.tags is not None
    target = record.id if entry.tags.resource == "{id}" else record.outputs["arn"]
    service = client(entry.service, record.region)
    found = _READ[entry.service](service, target, entry.tags.kind)
    return dict(found) if isinstance(found, dict) else {_either(tag, "Key"): _either(tag, "Value") for tag in found}


def _either(tag: dict[str, str], word: str) -> str:
    return tag[word] if word in tag else tag[f"Tag{word}"]


def _iam(service: Any, target: str, kind: str) -> Any:
    if kind == "role":
        return service.list_role_tags(RoleName=target)["Tags"]
    return service.list_policy_tags(PolicyArn=target)["Tags"]


def _ec2(service: Any, target: str, _: str) -> Any:
    return service.describe_tags(Filters=[{"Name": "resource-id", "Values": [target]}])["Tags"]


def _route53(service: Any, target: str, kind: str) -> Any:
    return service.list_tags_for_resource(ResourceType=kind, ResourceId=target)["ResourceTagSet"]["Tags"]


def _ssm(service: Any, target: str, kind: str) -> Any:
    return service.list_tags_for_resource(ResourceType=kind, ResourceId=target)["TagList"]


_READ: dict[str, Callable[[Any, str, str], Any]] = {
    "acm": lambda service, target, _: service.list_tags_for_certificate(CertificateArn=target)["Tags"],
    "apigateway": lambda service, target, _: service.get_tags(resourceArn=target)["tags"],
    "backup": lambda service, target, _: service.list_tags(ResourceArn=target)["Tags"],
    "cloudwatch": lambda service, target, _: service.list_tags_for_resource(ResourceARN=target)["Tags"],
    "dynamodb": lambda service, target, _: service.list_tags_of_resource(ResourceArn=target)["Tags"],
    "ec2": _ec2,
    "elbv2": lambda service, target, _: service.describe_tags(ResourceArns=[target])["TagDescriptions"][0]["Tags"],
    "events": lambda service, target, _: service.list_tags_for_resource(ResourceARN=target)["Tags"],
    "globalaccelerator": lambda service, target, _: service.list_tags_for_resource(ResourceArn=target)["Tags"],
    "iam": _iam,
    "kms": lambda service, target, _: service.list_resource_tags(KeyId=target)["Tags"],
    "lambda": lambda service, target, _: service.list_tags(Resource=target)["Tags"],
    "logs": lambda service, target, _: service.list_tags_for_resource(resourceArn=target)["tags"],
    "rds": lambda service, target, _: service.list_tags_for_resource(ResourceName=target)["TagList"],
    "route53": _route53,
    "s3": lambda service, target, _: service.get_bucket_tagging(Bucket=target)["TagSet"],
    "secretsmanager": lambda service, target, _: service.describe_secret(SecretId=target)["Tags"],
    "sns": lambda service, target, _: service.list_tags_for_resource(ResourceArn=target)["Tags"],
    "sqs": lambda service, target, _: service.list_queue_tags(QueueUrl=target)["Tags"],
    "ssm": _ssm,
    "stepfunctions": lambda service, target, _: [
        {"Key": tag["key"], "Value": tag["value"]} for tag in service.list_tags_for_resource(resourceArn=target)["tags"]
    ],
    "wafv2": lambda service, target, _: service.list_tags_for_resource(ResourceARN=target)["TagInfoForResource"][
        "TagList"
    ],
}
