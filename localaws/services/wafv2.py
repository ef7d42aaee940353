"""WAF logging configurations, which ministack lacks, and protection of web ACLs in use against deletion.

Rules are stored, not applied: they count and block no request on this machine.
"""

from typing import Any

from localaws import emulator
from localaws.emulator.services import AwsRefusal, JsonCall

Document = dict[str, Any]

_PREFIX = "aws-waf-logs-"  # API WAFV2.PutLoggingConfiguration


class WebAclLogs:
    """Logging configurations by account, region and web ACL."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Document] = {}

    def install(self) -> None:
        actions = {
            "PutLoggingConfiguration": self._put,
            "GetLoggingConfiguration": self._get,
            "DeleteLoggingConfiguration": self._delete,
            "ListLoggingConfigurations": self._list,
            "DeleteWebACL": self._keep_associated,
        }
        emulator.services.answer_json_actions("waf", actions, self._kept.clear)

    def _put(self, call: JsonCall) -> Document:
        wanted: Document = call.parameters["LoggingConfiguration"]
        arn = wanted["ResourceArn"]
        if emulator.services.web_acl_of(call.account, call.region, arn) is None:
            raise _nonexistent(arn)
        destinations = wanted["LogDestinationConfigs"]
        if len(destinations) != 1:
            raise AwsRefusal("WAFInvalidParameterException", "A web ACL has exactly one log destination.")
        name = destinations[0].removesuffix(":*").rpartition(":")[2].rpartition("/")[2]
        if not name.startswith(_PREFIX):
            reason = f"The log destination {name} must have a name that begins with {_PREFIX}"
            raise AwsRefusal("WAFLogDestinationPermissionIssueException", reason)
        self._kept[call.account, call.region, arn] = wanted
        return {"LoggingConfiguration": wanted}

    def _get(self, call: JsonCall) -> Document:
        return {"LoggingConfiguration": self._of(call)}

    def _delete(self, call: JsonCall) -> Document:
        self._of(call)
        del self._kept[call.account, call.region, call.parameters["ResourceArn"]]
        return {}

    def _list(self, call: JsonCall) -> Document:
        here = (call.account, call.region)
        return {"LoggingConfigurations": [kept for key, kept in self._kept.items() if key[:2] == here]}

    def _keep_associated(self, call: JsonCall) -> Document | None:
        """Refuse to delete a web ACL that is associated with a resource; otherwise delete its log settings, too."""
        record = emulator.services.web_acl_of(call.account, call.region, f"/{call.parameters.get('Id', '')}")
        if record is None:
            return None
        if emulator.services.web_acl_resources(call.account, call.region, record["ARN"]):
            reason = "AWS WAF couldn't perform the operation because your resource is being used by another resource."
            raise AwsRefusal("WAFAssociatedItemException", reason)
        self._kept.pop((call.account, call.region, record["ARN"]), None)
        return None

    def _of(self, call: JsonCall) -> Document:
        arn = call.parameters["ResourceArn"]
        if (kept := self._kept.get((call.account, call.region, arn))) is None:
            raise _nonexistent(arn)
        return kept


def _nonexistent(arn: str) -> AwsRefusal:
    return AwsRefusal("WAFNonexistentItemException", f"AWS WAF couldn't perform the operation: {arn} doesn't exist.")
