"""Who may use a queue."""

from localaws.runner.table import Call, Entry

_PUT = Call("set_queue_attributes", {"QueueUrl": "{in.queueUrl}", "Attributes": {"Policy": "{in.policy}"}})

TYPES = {
    "aws:sqs/queuePolicy:QueuePolicy": Entry(
        service="sqs",
        create=_PUT,
        update=(_PUT,),
        id="{in.queueUrl}",
        # SQS takes an empty policy for none.
        delete=(Call("set_queue_attributes", {"QueueUrl": "{id}", "Attributes": {"Policy": ""}}),),
    ),
}
