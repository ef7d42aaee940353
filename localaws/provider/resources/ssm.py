"""Parameters, and settings of Parameter Store."""

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags


def _overwrite(context: Context) -> None:
    keys = ("type", "description", "tier", "keyId", "allowedPattern", "dataType")
    asked = {key: context.inputs[key] for key in keys if key in context.inputs}
    value = context.inputs.get("value", context.inputs.get("insecureValue"))
    context.call("put_parameter", {"name": context.id, "value": value, "overwrite": True, **asked})


_CHANGEABLE = ("value", "insecureValue", "type", "description", "tier", "keyId", "allowedPattern", "dataType")

TYPES = {
    "aws:ssm/parameter:Parameter": Entry(
        service="ssm",
        create=Call("put_parameter", auto=ALL),
        update=(Do(_overwrite, takes=_CHANGEABLE),),
        id="{in.name}",
        read=Call("get_parameter", {"Name": "{id}", "WithDecryption": True}),
        delete=(Call("delete_parameter", {"Name": "{id}"}),),
        rename={"insecureValue": "Value"},
        autoname=Name(limit=1011),
        tags=Tags(resource="{id}", kind="Parameter"),
        outputs={
            "arn": lambda context: f"arn:aws:ssm:{context.region}:{context.account}:parameter/{context.id.lstrip('/')}",
            "version": "{found.Parameter.Version}",
            "hasValueWo": False,
        },
    ),
    "aws:ssm/serviceSetting:ServiceSetting": Entry(
        service="ssm",
        create=Call("update_service_setting", auto=ALL),
        update=(Call("update_service_setting", auto=ALL),),
        id="{in.settingId}",
        read=Call("get_service_setting", {"SettingId": "{id}"}),
        delete=(Call("reset_service_setting", {"SettingId": "{id}"}),),
        outputs={"arn": "{found.ServiceSetting.ARN}", "status": "{found.ServiceSetting.Status}"},
    ),
}
