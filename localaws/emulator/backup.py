"""AWS Backup: calls that ministack lacks."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from localaws.emulator.patches import Undo, patch_each
from localaws.emulator.services import AwsRefusal


@dataclass(frozen=True)
class RestCall:
    """One request of a REST service; `path` without slashes at its ends."""

    account: str
    region: str
    method: str
    path: str
    body: dict[str, Any]


def answer_backup_calls(
    answer: Callable[[RestCall], tuple[int, dict[str, Any] | None] | None], reset: Callable[[], None]
) -> Undo:
    """Let `answer(call)` give status and document; None leaves it to ministack. May raise AwsRefusal."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import backup

    async def handle_request(handle: Any, method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        document = json.loads(body) if body else {}
        call = RestCall(get_account_id(), get_region(), method, unquote(path).strip("/"), document)
        try:
            answered = answer(call)
        except AwsRefusal as refusal:
            return backup._err(refusal.code, str(refusal), refusal.status)
        if answered is None:
            return await handle(method, path, headers, body, query)
        status, shown = answered
        return status, {"Content-Type": "application/json"}, b"" if shown is None else json.dumps(shown).encode()

    def reset_both(forget: Any) -> None:
        forget()
        reset()

    return patch_each({"services.backup:handle_request": handle_request, "services.backup:reset": reset_both})


def backup_vault(account: str, region: str, name: str) -> dict[str, Any] | None:
    from ministack.services import backup

    record: dict[str, Any] | None = backup._vaults.get_scoped(account, region, name)
    return record


def backup_selections(account: str, region: str, plan: str) -> list[str]:
    """Ids of the selections of a backup plan."""
    from ministack.services import backup

    found = backup._selections.items_scoped(account, region)
    return [identity for identity, record in found if record["BackupPlanId"] == plan]
