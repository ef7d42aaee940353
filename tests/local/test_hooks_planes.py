"""Contracts of the hooks behind the control planes, global endpoints and alarms with the pinned ministack."""

import asyncio
import importlib
import inspect
import json
from typing import Any

import pytest

from localaws import emulator
from localaws.emulator.backup import RestCall
from localaws.emulator.ec2 import Ec2Call
from localaws.emulator.services import AwsRefusal, JsonCall

SIGNATURES = {
    "core.responses:request_scope": "(account_id: str, region: str)",
    "services.acm:_request_certificate": "(data)",
    "services.apigateway_v1:_create_domain_name": "(data)",
    "services.apigateway_v1:_resolve_api_key": "(value)",
    "services.apigateway_v1:_update_usage_plan": "(plan_id, data)",
    "services.apigateway_v1:_v1_error": "(code, message, status)",
    "services.apigateway_v1:_v1_response": "(data, status=200)",
    "services.backup:_err": "(code, msg, status=400)",
    "services.backup:handle_request": "(method, path, headers, body_bytes, query_params)",
    "services.backup:reset": "()",
    "services.cloudwatch:_calc_stats": "(points)",
    "services.cloudwatch:_dims_key": "(dims: dict) -> str",
    "services.cloudwatch:_evaluate_alarm": "(alarm)",
    "services.cloudwatch:_evaluate_all_alarms": "()",
    "services.cloudwatch:_is_percentile_stat": "(stat_name)",
    "services.cloudwatch:_set_alarm_state": "(params, cbor_data, is_cbor, is_json=False)",
    "services.cloudwatch:_stat_value": "(stats, stat_name, points=None)",
    "services.cloudwatch:handle_request": "(method, path, headers, body, query_params)",
    "services.ec2:_create_network_interface": "(p)",
    "services.ec2:_error": "(code, message, status)",
    "services.ec2:_p": "(params, key, default='')",
    "services.ec2:_parse_member_list": "(params, prefix)",
    "services.eventbridge:_archive_event": "(event, view=None)",
    "services.eventbridge:_dispatch_event": "(event, view=None)",
    "services.eventbridge:_dispatch_to_event_bus": "(spec, event, rule, event_path, target_input_payload=None)",
    "services.eventbridge:_put_events": "(data, allow_aws_source=False)",
    "services.eventbridge:_rule_key": "(rule_name: str, bus_name: str) -> str",
    "services.eventbridge:handle_request": "(method, path, headers, body, query_params)",
    "services.ssm:_add_tags_to_resource": "(data)",
    "services.ssm:_get_parameter_history": "(data)",
    "services.ssm:_parameter_tag_arn": "(resource_type: str, resource_id: str) -> str | None",
    "services.ssm:_put_parameter": "(data)",
    "services.ssm:_remove_tags_from_resource": "(data)",
    "services.ssm:handle_request": "(method, path, headers, body, query_params)",
    "services.waf:handle_request": "(method, path, headers, body, query_params)",
    "services.waf:reset": "()",
}
STORES = {
    "acm": ("_certificates",),
    "apigateway_v1": ("_api_keys", "_domain_names", "_usage_plans"),
    "backup": ("_selections", "_vaults"),
    "cloudwatch": ("_alarms", "_composite_alarms", "_metrics"),
    "ec2": ("_flow_logs", "_network_interfaces", "_security_groups", "_subnets", "_vpc_endpoints", "_vpc_peering"),
    "eventbridge": ("_event_buses",),
    "waf": ("_associations", "_web_acls"),
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_hooked_function_has_the_signature_we_know(name: str) -> None:
    module, _, function = name.partition(":")
    found = importlib.import_module(f"ministack.{module}")
    original = emulator.services.originals.get((found.__name__, function)) or getattr(found, function)

    assert str(inspect.signature(original)) == SIGNATURES[name]


@pytest.mark.parametrize(("service", "store"), [(service, store) for service in STORES for store in STORES[service]])
def test_a_store_we_read_is_kept_by_account_and_region(service: str, store: str) -> None:
    from ministack.core.responses import AccountRegionScopedDict

    assert isinstance(getattr(importlib.import_module(f"ministack.services.{service}"), store), AccountRegionScopedDict)


def test_the_ec2_actions_we_extend_are_in_ministacks_table_and_the_missing_one_is_still_missing() -> None:
    from ministack.services import ec2

    extended = (
        "CreateVpcEndpoint",
        "DeleteVpcEndpoints",
        "ModifyVpcEndpoint",
        "CreateFlowLogs",
        "DescribeFlowLogs",
        "DescribeVpcEndpoints",
        "DescribeVpcPeeringConnections",
        "CreateVpcPeeringConnection",
        "AcceptVpcPeeringConnection",
    )
    assert set(extended) <= ec2._ACTION_MAP.keys()
    assert "ModifyVpcPeeringConnectionOptions" not in ec2._ACTION_MAP


def test_an_ec2_action_answers_in_ec2s_words_and_refuses_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services import ec2

    monkeypatch.setattr(ec2, "_ACTION_MAP", dict(ec2._ACTION_MAP))

    def act(call: Ec2Call, original: Any) -> Any:
        if call.text("Kind") == "known":
            return 200, {}, "-".join(call.texts("Each")).encode()
        return original()

    emulator.ec2.extend_ec2_action("MakeThing", act)
    asked = {"Action": ["MakeThing"], "Kind": ["known"], "Each.1": ["a"], "Each.2": ["b"]}
    assert ec2._ACTION_MAP["MakeThing"](asked) == (200, {}, b"a-b")

    status, _, body = ec2._ACTION_MAP["MakeThing"]({"Action": ["MakeThing"]})
    assert status == 400
    assert b"<Code>InvalidAction</Code>" in body


def test_an_action_of_a_json_service_is_answered_refused_left_to_ministack_and_forgotten_on_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ministack.services import waf

    for name in ("handle_request", "reset"):
        monkeypatch.setattr(waf, name, getattr(waf, name))
    forgotten: list[str] = []

    def act(call: JsonCall) -> dict[str, Any] | None:
        if "Refuse" in call.parameters:
            raise AwsRefusal("WAFLimitsExceededException", "too much")
        return call.parameters.get("Answer")

    emulator.services.answer_json_actions("waf", {"ListWebACLs": act}, lambda: forgotten.append("all"))

    def ask(**parameters: Any) -> tuple[int, dict[str, Any]]:
        headers = {"x-amz-target": "AWSWAF_20190729.ListWebACLs"}
        status, _, body = asyncio.run(waf.handle_request("POST", "/", headers, json.dumps(parameters).encode(), {}))
        return status, json.loads(body)

    assert ask(Answer={"x": 1}) == (200, {"x": 1})
    assert ask(Refuse=True)[1]["__type"] == "WAFLimitsExceededException"
    assert "WebACLs" in ask(Scope="REGIONAL")[1]
    waf.reset()
    assert forgotten == ["all"]


def test_a_backup_call_is_answered_refused_left_to_ministack_and_forgotten_on_reset(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ministack.services import backup

    for name in ("handle_request", "reset"):
        monkeypatch.setattr(backup, name, getattr(backup, name))
    forgotten: list[str] = []

    def answer(call: RestCall) -> tuple[int, dict[str, Any] | None] | None:
        if call.path == "own/arn:a:b":
            return 201, {"Method": call.method, **call.body}
        if call.path == "refused":
            raise AwsRefusal("InvalidRequestException", "no")
        return None

    emulator.backup.answer_backup_calls(answer, lambda: forgotten.append("all"))

    def ask(method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
        status, _, answered = asyncio.run(backup.handle_request(method, path, {}, body, {}))
        return status, json.loads(answered)

    assert ask("PUT", "/own/arn%3Aa%3Ab/", b'{"a": 1}') == (201, {"Method": "PUT", "a": 1})
    assert ask("GET", "/refused")[1]["__type"] == "InvalidRequestException"
    assert "BackupVaultList" in ask("GET", "/backup-vaults")[1]
    backup.reset()
    assert forgotten == ["all"]
