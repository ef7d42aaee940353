"""Queues."""

from localaws.provider.table import Call, Entry, Name, Tags

_ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_VALUES = {word: f"{{in.{key}}}" for key, word in _ATTRIBUTES.items()}


_PUT = Call("set_queue_attributes", {"QueueUrl": "{in.queueUrl}", "Attributes": {"Policy": "{in.policy}"}})

TYPES = {
    "aws:sqs/queue:Queue": Entry(
        service="sqs",
        create=Call("create_queue", {"QueueName": "{in.name}", "Attributes": _VALUES}),
        update=(Call("set_queue_attributes", {"QueueUrl": "{id}", "Attributes": _VALUES}),),
        id="{made.QueueUrl}",
        delete=(Call("delete_queue", {"QueueUrl": "{id}"}),),
        autoname=Name(limit=80),
        tags=Tags(resource="{id}"),
        outputs={"url": "{id}", "arn": "arn:aws:sqs:{region}:{account}:{out.name}"},
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Entry(
        service="sqs",
        create=_PUT,
        update=(_PUT,),
        id="{in.queueUrl}",
        # SQS takes an empty policy for none.
        delete=(Call("set_queue_attributes", {"QueueUrl": "{id}", "Attributes": {"Policy": ""}}),),
    ),
}
