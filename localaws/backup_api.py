"""What ministack's AWS Backup lacks: vault notifications, restore testing, and the order in which things are deleted.

Settings only: no plan here takes backups by itself.
"""

import re

from localaws import hooks
from localaws.backup_testing import Document, Key, RestoreTesting, Route, Shown, key_of, not_found
from localaws.hooks.backup import RestCall
from localaws.hooks.services import AwsRefusal


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
        hooks.backup.answer_backup_calls(self._answer, self._reset)

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
        if hooks.backup.backup_selections(call.account, call.region, plan):
            reason = "Related backup plan selections must be deleted prior to backup plan deletion."
            raise AwsRefusal("InvalidRequestException", reason)


def _vault(call: RestCall, name: str) -> Document:
    if (vault := hooks.backup.backup_vault(call.account, call.region, name)) is None:
        raise not_found(f"Vault {name} does not exist.")
    return vault
