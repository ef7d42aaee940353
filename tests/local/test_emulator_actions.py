"""Actions added to ministack's services: EC2, JSON services, AWS Backup."""

import asyncio
import json
from typing import Any

from localaws import emulator
from localaws.emulator.backup import RestCall
from localaws.emulator.ec2 import Ec2Call
from localaws.emulator.services import AwsRefusal, JsonCall


def test_an_ec2_action_answers_in_ec2s_words_and_refuses_in_them() -> None:
    from ministack.services import ec2

    name = "ModifyVpcPeeringConnectionOptions"  # ministack lacks it

    def act(call: Ec2Call, original: Any) -> Any:
        if call.text("Kind") == "known":
            return 200, {}, "-".join(call.texts("Each")).encode()
        return original()

    undo = emulator.ec2.extend_ec2_action(name, act)
    asked = {"Action": [name], "Kind": ["known"], "Each.1": ["a"], "Each.2": ["b"]}
    assert ec2._ACTION_MAP[name](asked) == (200, {}, b"a-b")

    status, _, body = ec2._ACTION_MAP[name]({"Action": [name]})
    assert status == 400
    assert b"<Code>InvalidAction</Code>" in body
    undo()
    assert name not in ec2._ACTION_MAP


def test_an_action_of_a_json_service_is_answered_refused_left_to_ministack_and_forgotten_on_reset() -> None:
    from ministack.services import waf

    forgotten: list[str] = []

    def act(call: JsonCall) -> dict[str, Any] | None:
        if "Refuse" in call.parameters:
            raise AwsRefusal("WAFLimitsExceededException", "too much")
        return call.parameters.get("Answer")

    undo = emulator.services.answer_json_actions("waf", {"ListWebACLs": act}, lambda: forgotten.append("all"))

    def ask(**parameters: Any) -> tuple[int, dict[str, Any]]:
        headers = {"x-amz-target": "AWSWAF_20190729.ListWebACLs"}
        status, _, body = asyncio.run(waf.handle_request("POST", "/", headers, json.dumps(parameters).encode(), {}))
        return status, json.loads(body)

    assert ask(Answer={"x": 1}) == (200, {"x": 1})
    assert ask(Refuse=True)[1]["__type"] == "WAFLimitsExceededException"
    assert "WebACLs" in ask(Scope="REGIONAL")[1]
    waf.reset()
    assert forgotten == ["all"]
    undo()


def test_a_backup_call_is_answered_refused_left_to_ministack_and_forgotten_on_reset() -> None:
    from ministack.services import backup

    forgotten: list[str] = []

    def answer(call: RestCall) -> tuple[int, dict[str, Any] | None] | None:
        if call.path == "own/arn:a:b":
            return 201, {"Method": call.method, **call.body}
        if call.path == "refused":
            raise AwsRefusal("InvalidRequestException", "no")
        return None

    undo = emulator.backup.answer_backup_calls(answer, lambda: forgotten.append("all"))

    def ask(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        status, _, answered = asyncio.run(backup.handle_request(method, path, {}, body, {}))
        return status, json.loads(answered)

    assert ask("PUT", "/own/arn%3Aa%3Ab/", b'{"a": 1}') == (201, {"Method": "PUT", "a": 1})
    assert ask("GET", "/refused")[1]["__type"] == "InvalidRequestException"
    assert "BackupVaultList" in ask("GET", "/backup-vaults")[1]
    backup.reset()
    assert forgotten == ["all"]
    undo()
