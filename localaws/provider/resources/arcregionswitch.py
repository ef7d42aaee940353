"""Plans of ARC Region switch: for the graph alone."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import Call, Entry, Tags

# What the provider calls a list of one, by the API's own word.
_BLOCKS = {"customActionLambdaConfigs": "customActionLambdaConfig", "globalAuroraConfigs": "globalAuroraConfig"}
_ONE = {"ungracefuls": "ungraceful"}


def _workflows(context: Context) -> list[dict[str, Any]]:
    """With each step's block in its place; one that is not known here stays and is refused."""
    return [
        {**workflow, "steps": [_step(each) for each in workflow.get("steps") or []]}
        for workflow in context.inputs["workflows"]
    ]


def _step(given: dict[str, Any]) -> dict[str, Any]:
    step = {key: value for key, value in given.items() if key not in _BLOCKS}
    blocks = {_BLOCKS[key]: _block(value[0]) for key, value in given.items() if key in _BLOCKS}
    return {**step, "executionBlockConfiguration": blocks}


def _block(given: dict[str, Any]) -> dict[str, Any]:
    return {_ONE.get(key, key): value[0] if key in _ONE else value for key, value in given.items()}


def _alarms(context: Context) -> dict[str, Any]:
    return {
        each["mapBlockKey"]: {key: value for key, value in each.items() if key != "mapBlockKey"}
        for each in context.inputs.get("associatedAlarms") or []
    }


TYPES = {
    "aws:arcregionswitch/plan:Plan": Entry(
        service="arc-region-switch",
        create=Call(
            "create_plan",
            {
                "name": "{in.name}",
                "description": "{in.description}",
                "executionRole": "{in.executionRole}",
                "recoveryApproach": "{in.recoveryApproach}",
                "regions": "{in.regions}",
                "primaryRegion": "{in.primaryRegion}",
                "recoveryTimeObjectiveMinutes": "{in.recoveryTimeObjectiveMinutes}",
                "associatedAlarms": _alarms,
                "workflows": _workflows,
            },
            takes=("associatedAlarms", "workflows"),
        ),
        id="{made.plan.arn}",
        delete=(Call("delete_plan", {"arn": "{id}"}),),
        outputs={"arn": "{id}"},
        tags=Tags(),
        not_emulated="the embedded AWS has no ARC Region switch; set drill:regionSwitch to false here",
    ),
}
