"""Experiment templates of AWS FIS: for the graph alone."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import Call, Entry, Tags


def _actions(context: Context) -> dict[str, Any]:
    """By name, as the API has them; a Pulumi action has one target, the API's has several."""
    actions = {}
    for given in context.inputs["actions"]:
        rest = {
            key: value for key, value in given.items() if key not in ("name", "parameters", "target", "startAfters")
        }
        target = given.get("target")
        actions[given["name"]] = {
            **rest,
            "parameters": _pairs(given.get("parameters")),
            **({"targets": {target["key"]: target["value"]}} if target else {}),
            **({"startAfter": given["startAfters"]} if given.get("startAfters") else {}),
        }
    return actions


def _targets(context: Context) -> dict[str, Any]:
    """By name, with tags as a map."""
    targets = {}
    for given in context.inputs.get("targets") or []:
        rest = {key: value for key, value in given.items() if key not in ("name", "resourceTags")}
        tags = _pairs(given.get("resourceTags"))
        targets[given["name"]] = {**rest, **({"resourceTags": tags} if tags else {})}
    return targets


def _pairs(given: list[dict[str, str]] | None) -> dict[str, str]:
    return {each["key"]: each["value"] for each in given or []}


TYPES = {
    "aws:fis/experimentTemplate:ExperimentTemplate": Entry(
        service="fis",
        create=Call(
            "create_experiment_template",
            {
                "description": "{in.description}",
                "roleArn": "{in.roleArn}",
                "stopConditions": "{in.stopConditions}",
                "actions": _actions,
                "targets": _targets,
                "logConfiguration": "{in.logConfiguration}",
                "experimentOptions": "{in.experimentOptions}",
                "experimentReportConfiguration": "{in.experimentReportConfiguration}",
            },
            takes=("actions", "targets"),
        ),
        id="{made.experimentTemplate.id}",
        delete=(Call("delete_experiment_template", {"id": "{id}"}),),
        tags=Tags(),
        not_emulated="the embedded AWS makes no experiments of FIS; set drill:faultInjection to false here",
    ),
}
