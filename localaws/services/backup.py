"""Restore testing plans and selections, which ministack's AWS Backup lacks. Settings only: no restore test runs."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from localaws import emulator
from localaws.emulator.backup import RestCall
from localaws.emulator.services import AwsRefusal

Document = dict[str, Any]
Shown = tuple[int, Document | None]
Key = tuple[str, str, str]  # account, region, name
Route = tuple[str, str, Callable[..., Shown | None]]  # method, path as a regular expression, what answers

_PLAN_LIST = (
    "CreationTime",
    "LastUpdateTime",
    "RestoreTestingPlanArn",
    "RestoreTestingPlanName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartWindowHours",
)
_SELECTION_LIST = (
    "CreationTime",
    "IamRoleArn",
    "ProtectedResourceType",
    "RestoreTestingPlanName",
    "RestoreTestingSelectionName",
    "ValidationWindowHours",
)
_NAME = re.compile(r"[a-zA-Z0-9_]{1,50}")  # [BACKUP-9]


class RestoreTesting:
    """Plans by account, region and name, and their selections."""

    def __init__(self) -> None:
        self._plans: dict[Key, Document] = {}
        self._selections: dict[Key, dict[str, Document]] = {}  # by plan, by name
        self._tags: dict[str, dict[str, str]] = {}

    def routes(self) -> list[Route]:
        plan, selection = r"restore-testing/plans/([^/]+)", r"restore-testing/plans/([^/]+)/selections/([^/]+)"
        return [
            ("PUT", r"restore-testing/plans", self._create_plan),
            ("GET", r"restore-testing/plans", self._list_plans),
            ("GET", plan, lambda call, name: (200, {"RestoreTestingPlan": self._plan(call, name)})),
            ("PUT", plan, self._update_plan),
            ("DELETE", plan, self._delete_plan),
            ("PUT", f"{plan}/selections", self._create_selection),
            ("GET", f"{plan}/selections", self._list_selections),
            ("GET", selection, self._get_selection),
            ("PUT", selection, self._update_selection),
            ("DELETE", selection, self._delete_selection),
            ("GET", r"tags/(arn:.+:restore-testing-plan:.+)", self._list_tags),
            ("POST", r"tags/(arn:.+:restore-testing-plan:.+)", self._tag),
            ("POST", r"untag/(arn:.+:restore-testing-plan:.+)", self._untag),
        ]

    def reset(self) -> None:
        for kept in (self._plans, self._selections, self._tags):
            kept.clear()

    def _create_plan(self, call: RestCall) -> Shown:
        wanted: Document = call.body["RestoreTestingPlan"]
        name = wanted["RestoreTestingPlanName"]
        if not _NAME.fullmatch(name):
            reason = f"Restore testing plan name {name} is not 1 to 50 letters, digits and underscores."
            raise AwsRefusal("InvalidParameterValueException", reason)
        if key_of(call, name) in self._plans:
            raise AwsRefusal("AlreadyExistsException", f"Restore testing plan {name} already exists.")
        arn = f"arn:aws:backup:{call.region}:{call.account}:restore-testing-plan:{name}-{uuid.uuid4()}"
        made = {"CreationTime": time.time(), "RestoreTestingPlanArn": arn, **_token(call)}
        self._plans[key_of(call, name)] = {"StartWindowHours": 24, **wanted, **made}
        self._selections[key_of(call, name)] = {}
        self._tags[arn] = dict(call.body.get("Tags") or {})
        return 201, self._about(call, name)

    def _list_plans(self, call: RestCall) -> Shown:
        here = (call.account, call.region)
        plans = [plan for key, plan in self._plans.items() if key[:2] == here]
        return 200, {"RestoreTestingPlans": [_only(plan, _PLAN_LIST) for plan in plans]}

    def _update_plan(self, call: RestCall, name: str) -> Shown:
        plan = self._plan(call, name)
        plan |= {**call.body["RestoreTestingPlan"], "LastUpdateTime": time.time()}
        return 200, self._about(call, name) | {"UpdateTime": plan["LastUpdateTime"]}

    def _delete_plan(self, call: RestCall, name: str) -> Shown:
        """A plan goes after its selections (API Backup.DeleteRestoreTestingPlan)."""
        arn = self._plan(call, name)["RestoreTestingPlanArn"]
        if self._selections[key_of(call, name)]:
            raise AwsRefusal("InvalidRequestException", f"Restore testing plan {name} still has selections.")
        for kept in (self._plans, self._selections):
            kept.pop(key_of(call, name))
        del self._tags[arn]
        return 204, None

    def _create_selection(self, call: RestCall, plan: str) -> Shown:
        self._plan(call, plan)
        wanted: Document = call.body["RestoreTestingSelection"]
        name, kept = wanted["RestoreTestingSelectionName"], self._selections[key_of(call, plan)]
        if name in kept:
            raise AwsRefusal("AlreadyExistsException", f"Restore testing selection {name} already exists.")
        if not wanted.get("ProtectedResourceArns") and not wanted.get("ProtectedResourceConditions"):
            reason = "A selection needs ProtectedResourceArns, which may be *, or ProtectedResourceConditions."
            raise AwsRefusal("InvalidParameterValueException", reason)
        made = {"CreationTime": time.time(), "RestoreTestingPlanName": plan, **_token(call)}
        kept[name] = {"ValidationWindowHours": 0, **wanted, **made}
        return 201, self._about(call, plan) | {"RestoreTestingSelectionName": name, "CreationTime": time.time()}

    def _list_selections(self, call: RestCall, plan: str) -> Shown:
        self._plan(call, plan)
        kept = self._selections[key_of(call, plan)].values()
        return 200, {"RestoreTestingSelections": [_only(selection, _SELECTION_LIST) for selection in kept]}

    def _get_selection(self, call: RestCall, plan: str, name: str) -> Shown:
        return 200, {"RestoreTestingSelection": self._selection(call, plan, name)}

    def _update_selection(self, call: RestCall, plan: str, name: str) -> Shown:
        self._selection(call, plan, name).update(call.body["RestoreTestingSelection"])
        about = {"RestoreTestingSelectionName": name, "UpdateTime": time.time()}
        return 200, self._about(call, plan) | about

    def _delete_selection(self, call: RestCall, plan: str, name: str) -> Shown:
        self._selection(call, plan, name)
        del self._selections[key_of(call, plan)][name]
        return 204, None

    def _list_tags(self, _call: RestCall, arn: str) -> Shown:
        return 200, {"Tags": self._tags_of(arn)}

    def _tag(self, call: RestCall, arn: str) -> Shown:
        self._tags_of(arn).update(call.body["Tags"])
        return 200, None

    def _untag(self, call: RestCall, arn: str) -> Shown:
        for key in call.body["TagKeyList"]:
            self._tags_of(arn).pop(key, None)
        return 200, None

    def _tags_of(self, arn: str) -> dict[str, str]:
        if arn not in self._tags:
            raise not_found(f"Resource {arn} does not exist.")
        return self._tags[arn]

    def _plan(self, call: RestCall, name: str) -> Document:
        if (plan := self._plans.get(key_of(call, name))) is None:
            raise not_found(f"Restore testing plan {name} does not exist.")
        return plan

    def _selection(self, call: RestCall, plan: str, name: str) -> Document:
        self._plan(call, plan)
        if (selection := self._selections[key_of(call, plan)].get(name)) is None:
            raise not_found(f"Restore testing selection {name} does not exist.")
        return selection

    def _about(self, call: RestCall, name: str) -> Document:
        return _only(self._plan(call, name), ("CreationTime", "RestoreTestingPlanArn", "RestoreTestingPlanName"))


def key_of(call: RestCall, name: str) -> Key:
    return call.account, call.region, name


def not_found(message: str) -> AwsRefusal:
    return AwsRefusal("ResourceNotFoundException", message)


def _token(call: RestCall) -> Document:
    return _only(call.body, ("CreatorRequestId",))


def _only(document: Document, names: tuple[str, ...]) -> Document:
    return {name: document[name] for name in names if name in document}


# What ministack's AWS Backup lacks: vault notifications, restore testing, and the order in which things are deleted.
#
# Settings only: no plan here takes backups by itself.


class BackupApi:
    """Answers the calls that ministack lacks; everything else is left to it."""

    def __init__(self) -> None:
        self._notifications: dict[Key, Document] = {}
        self._testing = RestoreTesting()
        notifications = r"backup-vaults/([^/]+)/notification-configuration"
        self._routes: list[Route] = [
            ("PUT", notifications, self._put_notifications),
            ("GET", notifications, self._get_notifications),
            ("DELETE", notifications, self._delete_notifications),
            ("DELETE", r"backup-vaults/([^/]+)", self._forget_notifications),
            ("DELETE", r"backup/plans/([^/]+)", self._keep_selected),
            *self._testing.routes(),
        ]

    def install(self) -> None:
        emulator.backup.answer_backup_calls(self._answer, self._reset)

    def _answer(self, call: RestCall) -> Shown | None:
        for method, path, act in self._routes:
            if method == call.method and (found := re.fullmatch(path, call.path)):
                return act(call, *found.groups())
        return None

    def _reset(self) -> None:
        self._notifications.clear()
        self._testing.reset()

    def _put_notifications(self, call: RestCall, vault: str) -> Shown:
        arn = _vault(call, vault)["BackupVaultArn"]
        wanted = {name: call.body[name] for name in ("SNSTopicArn", "BackupVaultEvents")}
        self._notifications[key_of(call, vault)] = {"BackupVaultName": vault, "BackupVaultArn": arn, **wanted}
        return 200, None

    def _get_notifications(self, call: RestCall, vault: str) -> Shown:
        _vault(call, vault)
        if (kept := self._notifications.get(key_of(call, vault))) is None:
            raise not_found(f"No notifications are associated with vault {vault}.")
        return 200, kept

    def _delete_notifications(self, call: RestCall, vault: str) -> Shown:
        _vault(call, vault)
        self._notifications.pop(key_of(call, vault), None)
        return 200, None

    def _forget_notifications(self, call: RestCall, vault: str) -> None:
        self._notifications.pop(key_of(call, vault), None)

    def _keep_selected(self, call: RestCall, plan: str) -> None:
        """A plan goes after its selections (API Backup.DeleteBackupPlan)."""
        if emulator.backup.backup_selections(call.account, call.region, plan):
            reason = "Related backup plan selections must be deleted prior to backup plan deletion."
            raise AwsRefusal("InvalidRequestException", reason)


def _vault(call: RestCall, name: str) -> Document:
    if (vault := emulator.backup.backup_vault(call.account, call.region, name)) is None:
        raise not_found(f"Vault {name} does not exist.")
    return vault
