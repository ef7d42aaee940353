"""Web ACLs, their associations, and their logs."""

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Entry, Maybe, Name, Tags

_ACL = {"Name": "{in.name}", "Scope": "{in.scope}", "Id": "{id}"}
_CHANGEABLE = (
    "associationConfig",
    "captchaConfig",
    "challengeConfig",
    "customResponseBodies",
    "dataProtectionConfig",
    "defaultAction",
    "description",
    "rules",
    "tokenDomains",
    "visibilityConfig",
)


def _lock(context: Context) -> str:
    """The token that AWS requires with each change: of the state as it is now."""
    return str(context.call("get_web_acl", context.text(_ACL))["LockToken"])


_LOGGING = {
    "LoggingConfiguration": {
        "ResourceArn": "{in.resourceArn}",
        "LogDestinationConfigs": "{in.logDestinationConfigs}",
        "RedactedFields": "{in.redactedFields}",
        "LoggingFilter": "{in.loggingFilter}",
    }
}

TYPES = {
    "aws:wafv2/webAcl:WebAcl": Entry(
        service="wafv2",
        create=Call("create_web_acl", auto=ALL),
        update=(Call("update_web_acl", {**_ACL, "LockToken": _lock}, auto=_CHANGEABLE),),
        id="{made.Summary.Id}",
        read=Call("get_web_acl", _ACL),
        delete=(Call("delete_web_acl", {**_ACL, "LockToken": _lock}),),
        autoname=Name(limit=128),
        tags=Tags(),
        outputs={
            "arn": "{found.WebACL.ARN}",
            "capacity": "{found.WebACL.Capacity}",
            "applicationIntegrationUrl": Maybe(value="{found.ApplicationIntegrationURL}"),
        },
        unanswered={"lockToken": "changes with each change, so that a second run would differ"},
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": Entry(
        service="wafv2",
        create=Call("associate_web_acl", auto=ALL),
        id="{in.webAclArn},{in.resourceArn}",
        delete=(Call("disassociate_web_acl", {"ResourceArn": "{in.resourceArn}"}),),
    ),
    "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": Entry(
        service="wafv2",
        create=Call("put_logging_configuration", _LOGGING),
        update=(Call("put_logging_configuration", _LOGGING),),
        id="{in.resourceArn}",
        delete=(Call("delete_logging_configuration", {"ResourceArn": "{id}"}),),
    ),
}
