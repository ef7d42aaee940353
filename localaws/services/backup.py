"""Additions to ministack's AWS Backup: vault notifications, restore testing, and the order in which plans are deleted.

Settings only: no plan takes backups by itself, and no restore test runs.
"""

import re
import time
import uuid

from localaws import emulator
from localaws.emulator.backup import RestCall
from localaws.emulator.services import AwsRefusal
from localaws.services.api_model import Document, RestOperations

Key = tuple[str, ...]  # account, region, name of the plan or vault, name of the selection

_NAME = re.compile(r"[a-zA-Z0-9_]{1,50}")  # [BACKUP-9]


class BackupApi:
    """One method per operation; see `RestOperations`. Each returns all it has of the resource."""

    def __init__(self) -> None:
        self._notifications: dict[Key, Document] = {}
        self._plans: dict[Key, Document] = {}
        self._selections: dict[Key, Document] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def install(self) -> None:
        emulator.backup.answer_backup_calls(RestOperations("backup", self).respond, self._reset)

    def _reset(self) -> None:
        for records in (self._notifications, self._plans, self._selections, self._tags):
            records.clear()

    def put_backup_vault_notifications(self, call: RestCall, parameters: Document) -> Document:
        arn = _vault(call, parameters)["BackupVaultArn"]
        self._notifications[_key(call, parameters["BackupVaultName"])] = {**parameters, "BackupVaultArn": arn}
        return {}

    def get_backup_vault_notifications(self, call: RestCall, parameters: Document) -> Document:
        name = _vault(call, parameters)["BackupVaultName"]
        return _found(self._notifications, _key(call, name), f"No notifications are associated with vault {name}.")

    def delete_backup_vault_notifications(self, call: RestCall, parameters: Document) -> Document:
        self._notifications.pop(_key(call, _vault(call, parameters)["BackupVaultName"]), None)
        return {}

    def delete_backup_vault(self, call: RestCall, parameters: Document) -> None:
        self._notifications.pop(_key(call, parameters["BackupVaultName"]), None)

    def delete_backup_plan(self, call: RestCall, parameters: Document) -> None:
        """A plan is deleted after its selections (API Backup.DeleteBackupPlan)."""
        if emulator.backup.backup_selections(call.account, call.region, parameters["BackupPlanId"]):
            reason = "Related backup plan selections must be deleted prior to backup plan deletion."
            raise AwsRefusal("InvalidRequestException", reason)

    def create_restore_testing_plan(self, call: RestCall, parameters: Document) -> Document:
        plan: Document = parameters["RestoreTestingPlan"]
        name = plan["RestoreTestingPlanName"]
        if not _NAME.fullmatch(name):
            reason = f"Restore testing plan name {name} is not 1 to 50 letters, digits and underscores."
            raise AwsRefusal("InvalidParameterValueException", reason)
        arn = f"arn:aws:backup:{call.region}:{call.account}:restore-testing-plan:{name}-{uuid.uuid4()}"
        made = {"StartWindowHours": 24, **plan, **_creation(parameters), "RestoreTestingPlanArn": arn}
        _add(self._plans, _key(call, name), made, f"Restore testing plan {name} already exists.")
        self._tags[arn] = dict(parameters.get("Tags") or {})
        return made

    def get_restore_testing_plan(self, call: RestCall, parameters: Document) -> Document:
        return {"RestoreTestingPlan": self._plan(call, parameters)}

    def list_restore_testing_plans(self, call: RestCall, _parameters: Document) -> Document:
        return {"RestoreTestingPlans": [plan for key, plan in self._plans.items() if key[:2] == _key(call)]}

    def update_restore_testing_plan(self, call: RestCall, parameters: Document) -> Document:
        plan = self._plan(call, parameters)
        plan |= {**parameters["RestoreTestingPlan"], "LastUpdateTime": time.time()}
        return {**plan, "UpdateTime": plan["LastUpdateTime"]}

    def delete_restore_testing_plan(self, call: RestCall, parameters: Document) -> Document:
        """A plan is deleted after its selections (API Backup.DeleteRestoreTestingPlan)."""
        plan = self._plan(call, parameters)
        key = _key(call, plan["RestoreTestingPlanName"])
        if any(selection[:3] == key for selection in self._selections):
            raise AwsRefusal("InvalidRequestException", f"Restore testing plan {key[2]} still has selections.")
        del self._plans[key], self._tags[plan["RestoreTestingPlanArn"]]
        return {}

    def create_restore_testing_selection(self, call: RestCall, parameters: Document) -> Document:
        plan, selection = self._plan(call, parameters), parameters["RestoreTestingSelection"]
        name = selection["RestoreTestingSelectionName"]
        if not selection.get("ProtectedResourceArns") and not selection.get("ProtectedResourceConditions"):
            reason = "A selection needs ProtectedResourceArns, which may be *, or ProtectedResourceConditions."
            raise AwsRefusal("InvalidParameterValueException", reason)
        of_plan = {"RestoreTestingPlanName": plan["RestoreTestingPlanName"]}
        made = {"ValidationWindowHours": 0, **selection, **_creation(parameters), **of_plan}
        key = _key(call, plan["RestoreTestingPlanName"], name)
        _add(self._selections, key, made, f"Restore testing selection {name} already exists.")
        return {**plan, **made}

    def get_restore_testing_selection(self, call: RestCall, parameters: Document) -> Document:
        return {"RestoreTestingSelection": self._selections[self._selection(call, parameters)]}

    def list_restore_testing_selections(self, call: RestCall, parameters: Document) -> Document:
        plan = _key(call, self._plan(call, parameters)["RestoreTestingPlanName"])
        return {"RestoreTestingSelections": [made for key, made in self._selections.items() if key[:3] == plan]}

    def update_restore_testing_selection(self, call: RestCall, parameters: Document) -> Document:
        selection = self._selections[self._selection(call, parameters)]
        selection |= parameters["RestoreTestingSelection"]
        return {**self._plan(call, parameters), **selection, "UpdateTime": time.time()}

    def delete_restore_testing_selection(self, call: RestCall, parameters: Document) -> Document:
        del self._selections[self._selection(call, parameters)]
        return {}

    def list_tags(self, _call: RestCall, parameters: Document) -> Document | None:
        tags = self._tags.get(parameters["ResourceArn"])
        return None if tags is None else {"Tags": tags}

    def tag_resource(self, _call: RestCall, parameters: Document) -> Document | None:
        if (tags := self._tags.get(parameters["ResourceArn"])) is None:
            return None
        tags.update(parameters["Tags"])
        return {}

    def untag_resource(self, _call: RestCall, parameters: Document) -> Document | None:
        if (tags := self._tags.get(parameters["ResourceArn"])) is None:
            return None
        for key in parameters["TagKeyList"]:
            tags.pop(key, None)
        return {}

    def _plan(self, call: RestCall, parameters: Document) -> Document:
        name = parameters["RestoreTestingPlanName"]
        return _found(self._plans, _key(call, name), f"Restore testing plan {name} does not exist.")

    def _selection(self, call: RestCall, parameters: Document) -> Key:
        plan, name = parameters["RestoreTestingPlanName"], parameters["RestoreTestingSelectionName"]
        key = _key(call, plan, name)
        _found(self._selections, key, f"Restore testing selection {name} of plan {plan} does not exist.")
        return key


def _key(call: RestCall, *names: str) -> Key:
    return call.account, call.region, *names


def _add(records: dict[Key, Document], key: Key, record: Document, otherwise: str) -> None:
    if key in records:
        raise AwsRefusal("AlreadyExistsException", otherwise)
    records[key] = record


def _found(records: dict[Key, Document], key: Key, otherwise: str) -> Document:
    if (record := records.get(key)) is None:
        raise AwsRefusal("ResourceNotFoundException", otherwise)
    return record


def _creation(parameters: Document) -> Document:
    token = {"CreatorRequestId": parameters["CreatorRequestId"]} if "CreatorRequestId" in parameters else {}
    return {"CreationTime": time.time(), **token}


def _vault(call: RestCall, parameters: Document) -> Document:
    name = parameters["BackupVaultName"]
    if (vault := emulator.backup.backup_vault(call.account, call.region, name)) is None:
        raise AwsRefusal("ResourceNotFoundException", f"Vault {name} does not exist.")
    return vault
