"""Topics."""

from localaws.runner.table import Call, Entry, Name, Tags

_ATTRIBUTES = {
    "applicationFailureFeedbackRoleArn": "ApplicationFailureFeedbackRoleArn",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "fifoThroughputScope": "FifoThroughputScope",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}


def _change(argument: str, attribute: str) -> Call:
    value = {"TopicArn": "{id}", "AttributeName": attribute, "AttributeValue": f"{{in.{argument}}}"}
    return Call("set_topic_attributes", value)


TYPES = {
    "aws:sns/topic:Topic": Entry(
        service="sns",
        create=Call(
            "create_topic",
            {"Name": "{in.name}", "Attributes": {word: f"{{in.{key}}}" for key, word in _ATTRIBUTES.items()}},
        ),
        update=tuple(_change(key, word) for key, word in _ATTRIBUTES.items()),
        id="{made.TopicArn}",
        delete=(Call("delete_topic", {"TopicArn": "{id}"}),),
        autoname=Name(limit=256),
        tags=Tags(resource="{id}"),
        outputs={"arn": "{id}", "owner": "{account}", "beginningArchiveTime": ""},
    ),
}
