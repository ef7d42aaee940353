"""The private names of ministack that the server process hooks into: that they are there, and in the form we expect.

Their effect is what `test_gate.py` and `test_replication.py` see over HTTP. Run on an upgrade of the pinned emulator.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from localaws import emulator

# Printed in a process of its own: importing ministack starts threads and reads the environment.
LOOK = """
import importlib, inspect, json, sys
forms = {}
for name in json.loads(sys.argv[1]):
    module, *path = name.split(":")
    found = importlib.import_module(module)
    for part in path[0].split("."):
        found = getattr(found, part)
    forms[name] = str(inspect.signature(found)) if inspect.isroutine(found) else type(found).__name__
print(json.dumps(forms))
"""

EXPECTED = {
    "ministack.app:extract_region": "(headers: dict, query_params=None) -> str",
    "ministack.app:SERVICE_HANDLERS": "dict",
    "ministack.core.router:_is_aws_service_name": "(scope_name: str) -> bool",
    "ministack.core.router:detect_service": "(method: str, path: str, headers: dict, query_params: dict) -> str",
    "ministack.core.responses:request_scope": "(account_id: str, region: str)",
    "ministack.core.concurrency:spawn_background": "(fn, *args, thread_name: str = 'ministack-background', **kwargs)",
    "ministack.services.apigateway_v1:find_domain_scope": "(domain_name)",
    "ministack.services.apigateway_v1:_domain_names": "AccountRegionScopedDict",
    "ministack.services.apigateway_v1:_rest_apis": "AccountRegionScopedDict",
    "ministack.services.apigateway:_apis": "AccountRegionScopedDict",
    "ministack.services.alb:_lbs": "AccountRegionScopedDict",
    "ministack.services.lambda_svc:resolve_function_url": (
        "(url_id: str) -> tuple[str, str, str, str | None, dict] | None"
    ),
    "ministack.services.lambda_svc:_execute_function": "(func: dict, event: dict) -> dict",
    "ministack.services.lambda_svc:_account_region_from_function_config": "(config: dict) -> tuple[str, str]",
    "ministack.services.lambda_svc:invoke_async_with_retry": "(func: dict, event: dict) -> None",
    "ministack.services.lambda_svc:_iter_all_esms": "()",
    "ministack.services.eventbridge:_invoke_target": "(target, event, rule, view=None)",
    "ministack.services.sns:_deliver_to_sqs": (
        "(endpoint: str, envelope: str, raw: bool, raw_message: str, message_group_id: str = '', "
        "message_dedup_id: str = '', message_attributes: dict | None = None, topic_arn: str = '')"
    ),
    "ministack.services.sns:_deliver_to_lambda": (
        "(endpoint: str, envelope: str, topic_arn: str, sub_arn: str, msg_id: str, raw_message: str, "
        "message_attributes: dict)"
    ),
    "ministack.services.stepfunctions:_invoke_resource": "(resource, input_data)",
    "ministack.services.stepfunctions:_invoke_resource_with_timeout": "(resource, input_data, timeout)",
    "ministack.services.stepfunctions:_invoke_with_callback": "(resource, input_data, token, state_def)",
    "ministack.services.stepfunctions:_SFN_WAIT_SCALE": "float",
    "ministack.services.stepfunctions:_ExecutionError": "type",
    "ministack.services.stepfunctions:_add_event": "(execution, event_type, details=None)",
    "ministack.services.stepfunctions:_apply_jsonata_arguments": "(state_def, raw_input, ctx=None)",
    "ministack.services.stepfunctions:_executions": "AccountRegionScopedDict",
    "ministack.services.dynamodb:_emit_stream_event": (
        "(table_name: str, event_name: str, old_item: dict | None, new_item: dict | None, replicate: bool = True)"
    ),
    "ministack.services.dynamodb:stream_start_position": ("(table_name: str, *, account_id=None, region=None) -> int"),
    "ministack.services.dynamodb:stream_records_since": (
        "(table_name: str, position: int, limit: int, *, account_id=None, region=None) -> list[dict]"
    ),
    "ministack.services.lambda_svc:_poll_dynamodb_streams": "()",
    "ministack.services.lambda_svc:_esms": "AccountRegionScopedDict",
    "ministack.services.lambda_svc:_dynamodb_stream_positions": "AccountRegionScopedDict",
    "ministack.services.lambda_svc:_apply_filter_criteria": "(records: list[dict], esm: dict) -> list[dict]",
    "ministack.services.lambda_svc:_get_func_record_for_qualifier": (
        "(name: str, qualifier: str | None) -> tuple[dict | None, dict | None]"
    ),
    "ministack.services.lambda_svc:_get_func_record_for_ref": (
        "(function_ref: str) -> tuple[dict | None, dict | None, str]"
    ),
    "ministack.services.lambda_svc:_execution_record_for_config": "(func: dict, config: dict) -> dict",
    "ministack.services.lambda_svc:_send_ddb_stream_failure_record": (
        "(esm, func_rec, batch, stream_arn, result, condition)"
    ),
    "ministack.services.lambda_svc:_LAMBDA_ASYNC_RETRY_BASE_SECONDS": "float",
    "ministack.services.lambda_svc:_LAMBDA_ASYNC_RETRY_MAX_SECONDS": "float",
    "ministack.services.eventbridge:_dispatch_to_lambda": "(arn, payload)",
    "ministack.services.eventbridge:_parse_rate_seconds": "(expr: str) -> int | None",
    "ministack.services.eventbridge:_rules": "AccountRegionScopedDict",
    "ministack.services.eventbridge:_targets": "AccountRegionScopedDict",
    "ministack.services.scheduler:_schedules": "AccountRegionScopedDict",
    "ministack.services.scheduler:_to_epoch": "(value)",
    "ministack.core.lambda_runtime:Worker._spawn": "(self)",
    "ministack.core.lambda_runtime:Worker.invoke": (
        "(self, event, request_id: str, *, trace_id: str | None = None, depth=None, durable: dict | None = None, "
        "invoked_function_arn: str | None = None) -> dict"
    ),
    "ministack.core.lambda_runtime:_worker_key": "(func_name: str, config: dict, qualifier: str) -> str",
    "ministack.services.lambda_svc:acquire_worker": (
        "(func_name: str, config: dict, code_zip: bytes, qualifier: str = '$LATEST', "
        "max_concurrency: int | None = None)"
    ),
    "ministack.services.lambda_svc:invalidate_worker": (
        "(func_name: str, qualifier: str = None, account: str = None, region: str = None)"
    ),
    "ministack.services.lambda_svc:release_worker": "(worker: ministack.core.lambda_runtime.Worker) -> None",
    "ministack.core.lambda_runtime:execution_credentials": "(config: dict) -> dict[str, str]",
    "ministack.core.lambda_runtime:kill_workers": "(workers) -> None",
    "ministack.core.lambda_runtime:_workers": "dict",
    "ministack.core.lambda_runtime:_lock": "lock",
    "ministack.services.dynamodb:_replicate_write": "(table, event_name, old_item, new_item)",
    "ministack.services.dynamodb:_replica_group": "(table) -> list",
    "ministack.services.dynamodb:_tables": "AccountRegionScopedDict",
    "ministack.services.s3:_maybe_replicate": (
        "(bucket_name: str, key: str, obj: dict, data, tags: dict | None = None) -> None"
    ),
    "ministack.services.s3:_maybe_replicate_delete_marker": "(bucket_name: str, key: str) -> None",
    "ministack.services.s3:_replication_rule_for": (
        "(bucket_name: str, key: str, tags: dict | None) -> tuple[dict | None, str]"
    ),
    "ministack.services.s3:bucket_region": "(name: str) -> str | None",
    "ministack.services.s3:_buckets": "AccountScopedDict",
    "ministack.services.s3:_object_versions": "AccountScopedDict",
    "ministack.services.s3:_object_tags": "AccountScopedDict",
    "ministack.services.secretsmanager:_sync_replicas": "(secret)",
}


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = str(tmp_path_factory.mktemp("home"))
    environment = {"HOME": home, "TMPDIR": home, "GATEWAY_PORT": "1", "DOCKER_HOST": f"unix://{Path(home)}/none"}
    command = [sys.executable, "-c", LOOK, json.dumps(list(EXPECTED))]
    looked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert looked.returncode == 0, looked.stderr
    forms: dict[str, str] = json.loads(looked.stdout.splitlines()[-1])
    return forms


def test_the_worker_script_answers_for_an_exception_in_the_words_we_replace() -> None:
    code = "from ministack.core import lambda_runtime; print(lambda_runtime._PYTHON_WORKER_SCRIPT)"
    script = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert script.count(emulator.background.HANDLER_ERROR) == 1


@pytest.mark.parametrize("name", EXPECTED)
def test_ministack_has_the_name_in_the_form_we_hook(forms: dict[str, str], name: str) -> None:
    assert forms[name] == EXPECTED[name]
