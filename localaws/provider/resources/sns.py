"""Topics."""

from localaws.provider.context import Context
from localaws.provider.table import Call, Do, Entry, Name, Tags

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


_SUBSCRIPTION_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "replayPolicy": "ReplayPolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}


def _default_policy(context: Context) -> None:
    """A topic always has a policy: by default, its owner may do everything with it."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            "SNS:GetTopicAttributes",
            "SNS:SetTopicAttributes",
            "SNS:AddPermission",
            "SNS:RemovePermission",
            "SNS:DeleteTopic",
            "SNS:Subscribe",
            "SNS:ListSubscriptionsByTopic",
            "SNS:Publish",
        ],
        "Resource": context.id,
        "Condition": {"StringEquals": {"AWS:SourceOwner": context.account}},
    }
    policy = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
    asked = {"TopicArn": context.id, "AttributeName": "Policy", "AttributeValue": policy}
    context.call("set_topic_attributes", asked)


_POLICY = Call(
    "set_topic_attributes",
    {"TopicArn": "{in.arn}", "AttributeName": "Policy", "AttributeValue": "{in.policy}"},
)


def _change_subscription(argument: str, attribute: str) -> Call:
    value = {"SubscriptionArn": "{id}", "AttributeName": attribute, "AttributeValue": f"{{in.{argument}}}"}
    return Call("set_subscription_attributes", value)


def _pending(context: Context) -> bool:
    return str(context.get("found.Attributes.PendingConfirmation")).lower() == "true"


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
    "aws:sns/topicPolicy:TopicPolicy": Entry(
        service="sns",
        create=_POLICY,
        update=(_POLICY,),
        id="{in.arn}",
        delete=(Do(_default_policy),),
        outputs={"owner": "{account}"},
    ),
    "aws:sns/topicSubscription:TopicSubscription": Entry(
        service="sns",
        create=Call(
            "subscribe",
            {
                "TopicArn": "{in.topic}",
                "Protocol": "{in.protocol}",
                "Endpoint": "{in.endpoint}",
                "Attributes": {word: f"{{in.{key}}}" for key, word in _SUBSCRIPTION_ATTRIBUTES.items()},
                "ReturnSubscriptionArn": True,
            },
        ),
        update=tuple(_change_subscription(key, word) for key, word in _SUBSCRIPTION_ATTRIBUTES.items()),
        id="{made.SubscriptionArn}",
        read=Call("get_subscription_attributes", {"SubscriptionArn": "{id}"}),
        delete=(Call("unsubscribe", {"SubscriptionArn": "{id}"}),),
        provider_only={
            "confirmationTimeoutInMinutes": "how long the provider waits for an endpoint",
            "endpointAutoConfirms": "whether the provider waits for an endpoint",
        },
        outputs={
            "arn": "{id}",
            "ownerId": "{account}",
            "pendingConfirmation": _pending,
            "confirmationWasAuthenticated": lambda context: not _pending(context),
        },
    ),
}
