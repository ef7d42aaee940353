"""The registry of ministack's private names that are replaced. Nothing else in this repository replaces one.

`PATCHED` holds each name with the form it must have in the pinned ministack and the functions of this package that
replace it, the innermost first. `tests/local/test_patches.py` compares it with ministack, so that an upgrade fails
there and nowhere else.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

Undo = Callable[[], None]
PassOn = Callable[[str, str, Callable[[], None]], None]  # from region, to region, what does it

_HANDLER = "(method, path, headers, body, query_params)"
_IN_TIME = "(resource, input_data, timeout)"
_WITH_CALLBACK = "(resource, input_data, token, state_def)"
_EC2_ACTION = "(p)"
_EC2_CALL = "(params)"

# Name ("module:attribute", or "module:dictionary[key]") to its form, a signature or a type, and its replacements.
PATCHED: dict[str, tuple[str, ...]] = {
    "app:extract_region": ("(headers: dict, query_params=None) -> str", "serve_unsigned_calls_by_region"),
    "core.lambda_runtime:Worker._spawn": ("(self)", "bound_workers", "refuse_new_workers"),
    "core.lambda_runtime:Worker.invoke": (
        "(self, event, request_id: str, *, trace_id: str | None = None, depth=None, durable: dict | None = None, "
        "invoked_function_arn: str | None = None) -> dict",
        "keep_workers_whose_handler_raised",
    ),
    "core.lambda_runtime:_PYTHON_WORKER_SCRIPT": ("str", "keep_workers_whose_handler_raised"),
    "core.lambda_runtime:execution_credentials": (
        "(config: dict) -> dict[str, str]",
        "add_to_worker_environment",
        "name_functions_to_parameter_store",
    ),
    "core.lambda_runtime:subprocess": ("module", "fork_python_workers"),
    "core.router:_is_aws_service_name": ("(scope_name: str) -> bool", "route_unknown_services_quickly"),
    "services.acm:_request_certificate": ("(data)", "issue_certificates"),
    "services.alb:_ACTION_MAP[CreateListener]": ("(params)", "name_network_load_balancers"),
    "services.alb:_ACTION_MAP[CreateLoadBalancer]": ("(params)", "name_network_load_balancers"),
    "services.alb:_ACTION_MAP[CreateTargetGroup]": ("(params)", "fill_target_group_defaults"),
    "services.alb:_ACTION_MAP[DescribeTargetHealth]": ("(params)", "answer_target_health"),
    "services.alb:_lb_xml": ("(lb)", "answer_canonical_zones"),
    "services.alb:_proxy_http_target": (
        "(target, tg, method, path, headers, body, query_params, raw_query_string=None)",
        "choose_targets",
    ),
    "services.apigateway_v1:_create_domain_name": ("(data)", "answer_regional_zones"),
    "services.apigateway_v1:_lambda_proxy_response": ("(result)", "answer_throttled_integrations"),
    "services.apigateway_v1:_resolve_api_key": ("(value)", "resolve_api_keys_by_region"),
    "services.apigateway_v1:_update_usage_plan": ("(plan_id, data)", "patch_usage_plans"),
    "services.apigateway_v1:find_domain_scope": ("(domain_name)", "serve_unsigned_calls_by_region"),
    "services.backup:handle_request": (
        "(method, path, headers, body_bytes, query_params)",
        "answer_backup_calls",
    ),
    "services.backup:reset": ("()", "answer_backup_calls"),
    "services.cloudwatch:_evaluate_alarm": ("(alarm)", "stop_alarm_evaluation"),
    "services.cloudwatch:_evaluate_all_alarms": ("()", "stop_alarm_evaluation"),
    "services.cloudwatch:handle_request": (_HANDLER, "answer_json_actions"),
    "services.cloudwatch:reset": ("()", "answer_json_actions"),
    "services.cloudwatch_logs:_describe_log_groups": ("(data)", "list_groups_while_streams_come"),
    "services.dynamodb:_emit_stream_event": (
        "(table_name: str, event_name: str, old_item: dict | None, new_item: dict | None, replicate: bool = True)",
        "take_over_streams",
    ),
    "services.dynamodb:_record_age_cutoff": ("(record: dict, cutoff: float) -> bool", "expire_stream_records"),
    "services.dynamodb:_replicate_write": ("(table, event_name, old_item, new_item)", "intercept_global_table_writes"),
    "services.ec2:_ACTION_MAP[AcceptVpcPeeringConnection]": (_EC2_CALL, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[CreateFlowLogs]": (_EC2_CALL, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[CreateVpcEndpoint]": (_EC2_ACTION, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[CreateVpcPeeringConnection]": (_EC2_CALL, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[DeleteVpcEndpoints]": (_EC2_ACTION, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[DescribeFlowLogs]": (_EC2_CALL, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[DescribeVpcEndpoints]": (_EC2_ACTION, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[DescribeVpcPeeringConnections]": (_EC2_CALL, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[ModifyVpcEndpoint]": (_EC2_ACTION, "extend_ec2_action"),
    "services.ec2:_ACTION_MAP[ModifyVpcPeeringConnectionOptions]": ("NoneType", "extend_ec2_action"),  # it lacks this
    "services.eventbridge:_dispatch_event": ("(event, view=None)", "on_published_events"),
    "services.eventbridge:_dispatch_to_event_bus": (
        "(spec, event, rule, event_path, target_input_payload=None)",
        "forward_to_other_buses",
    ),
    "services.eventbridge:_dispatch_to_lambda": ("(arn, payload)", "invoke_targets_asynchronously"),
    "services.eventbridge:_invoke_target": ("(target, event, rule, view=None)", "gate_event_targets"),
    "services.eventbridge:_parse_rate_seconds": ("(expr: str) -> int | None", "take_over_rates"),
    "services.eventbridge:_put_events": ("(data, allow_aws_source=False)", "on_published_events"),
    "services.eventbridge:handle_request": (_HANDLER, "answer_json_actions"),
    "services.eventbridge:reset": ("()", "answer_json_actions"),
    "services.lambda_svc:_LAMBDA_ASYNC_RETRY_BASE_SECONDS": ("float", "pace_asynchronous_retries"),
    "services.lambda_svc:_LAMBDA_ASYNC_RETRY_MAX_SECONDS": ("float", "pace_asynchronous_retries"),
    "services.lambda_svc:_acquire_execution_slot": ("(func: dict, config: dict)", "limit_concurrency"),
    "services.lambda_svc:_execute_function": (
        "(func: dict, event: dict) -> dict",
        "keep_workers_whose_handler_raised",
        "gate_function_executions",
        "retry_only_current_runs",
    ),
    "services.lambda_svc:_iter_all_esms": ("()", "skip_event_source_mappings"),
    "services.lambda_svc:_poll_dynamodb_streams": ("()", "take_over_streams"),
    "services.lambda_svc:_put_function_concurrency": ("(func_name: str, data: dict)", "check_reservations"),
    "services.lambda_svc:_release_execution_slot": ("(key: str) -> None", "limit_concurrency"),
    "services.lambda_svc:acquire_worker": (
        "(func_name: str, config: dict, code_zip: bytes, qualifier: str = '$LATEST', "
        "max_concurrency: int | None = None)",
        "bound_workers",
    ),
    "services.lambda_svc:invalidate_worker": (
        "(func_name: str, qualifier: str = None, account: str = None, region: str = None)",
        "bound_workers",
    ),
    "services.lambda_svc:invoke_async_with_retry": (
        "(func: dict, event: dict) -> None",
        "mark_asynchronous_invocations",
    ),
    "services.lambda_svc:release_worker": (
        "(worker: ministack.core.lambda_runtime.Worker) -> None",
        "bound_workers",
    ),
    "services.rds:_ACTION_MAP": ("dict", "intercept_writer_switches", "on_rds_changes"),
    "services.rds:_cluster_xml": ("(c)", "add_to_rds_views"),
    "services.rds:_global_cluster_xml": ("(gc)", "add_to_rds_views"),
    "services.rds:_instance_xml": ("(i)", "add_to_rds_views"),
    "services.rds:_set_global_cluster_writer": ("(global_cluster, target_member)", "intercept_writer_switches"),
    "services.rds:reset": ("()", "on_rds_changes"),
    "services.rds_data:_connect": ("(instance, engine, database=None, password=None, username=None)", "serve_data_api"),
    "services.rds_data:_field_value": ("(val, type_name=None)", "serve_data_api"),
    "services.rds_data:_has_real_endpoint": ("(instance)", "serve_data_api"),
    "services.rds_data:_sql_execution_error": ("(exc)", "serve_data_api"),
    "services.rds_data:handle_request": (_HANDLER, "serve_data_api"),
    "services.route53:_build_health_check_el": (
        "(parent: xml.etree.ElementTree.Element, hc: dict)",
        "answer_health_checks",
    ),
    "services.route53:_parse_health_check_config": ("(el) -> dict", "answer_health_checks"),
    "services.route53:handle_request": (_HANDLER, "answer_health_checks"),
    "services.s3:_maybe_replicate": (
        "(bucket_name: str, key: str, obj: dict, data, tags: dict | None = None) -> None",
        "intercept_bucket_replication",
    ),
    "services.s3:_maybe_replicate_delete_marker": (
        "(bucket_name: str, key: str) -> None",
        "intercept_bucket_replication",
    ),
    "services.secretsmanager:_sync_replicas": ("(secret)", "intercept_secret_replication"),
    "services.sns:_deliver_to_lambda": (
        "(endpoint: str, envelope: str, topic_arn: str, sub_arn: str, msg_id: str, raw_message: str, "
        "message_attributes: dict)",
        "mark_asynchronous_invocations",
    ),
    "services.sns:_deliver_to_sqs": (
        "(endpoint: str, envelope: str, raw: bool, raw_message: str, message_group_id: str = '', "
        "message_dedup_id: str = '', message_attributes: dict | None = None, topic_arn: str = '')",
        "gate_queue_deliveries",
    ),
    "services.ssm:_add_tags_to_resource": ("(data)", "on_parameter_tag_changes"),
    "services.ssm:_delete_parameter": ("(data)", "on_parameter_changes"),
    "services.ssm:_delete_parameters": ("(data)", "on_parameter_changes"),
    "services.ssm:_get_parameter_history": ("(data)", "complete_parameters"),
    "services.ssm:_label_parameter_version": ("(data)", "on_parameter_changes"),
    # Outermost: it reports what the others let through.
    "services.ssm:_put_parameter": (
        "(data)",
        "complete_parameters",
        "name_functions_to_parameter_store",
        "on_parameter_changes",
    ),
    "services.ssm:_remove_tags_from_resource": ("(data)", "on_parameter_tag_changes"),
    "services.ssm:handle_request": (_HANDLER, "answer_json_actions", "name_functions_to_parameter_store"),
    "services.ssm:reset": ("()", "answer_json_actions"),
    "services.stepfunctions:_SFN_WAIT_SCALE": ("float", "scale_workflow_waits"),
    "services.stepfunctions:_add_event": ("(execution, event_type, details=None)", "complete_scheduled_tasks"),
    "services.stepfunctions:_apply_jsonata_arguments": ("(state_def, raw_input, ctx=None)", "complete_scheduled_tasks"),
    # A task waits for its region outside its time limit, which begins when the task does.
    "services.stepfunctions:_invoke_resource": ("(resource, input_data)", "gate_workflow_tasks", "on_workflow_calls"),
    "services.stepfunctions:_invoke_resource_with_timeout": (_IN_TIME, "gate_workflow_tasks", "pace_workflows"),
    "services.stepfunctions:_invoke_with_callback": (
        _WITH_CALLBACK,
        "gate_workflow_tasks",
        "pace_workflows",
        "on_workflow_calls",
    ),
    "services.waf:handle_request": (_HANDLER, "answer_json_actions"),
    "services.waf:reset": ("()", "answer_json_actions"),
}

_originals: dict[str, Any] = {}
_layers: dict[str, dict[str, Callable[[Any], Any]]] = {}  # by name and function of this package


def patch(name: str, replacement: Callable[..., Any]) -> Undo:
    """Let `replacement(what it replaces, *arguments)` answer the calls of a function.

    The function of this package that defines `replacement` must be in `PATCHED`; a second patch by it replaces the
    first.
    """

    def wrap(replaced: Any) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            return replacement(replaced, *arguments, **named)

        return call

    return _install(name, replacement.__qualname__, wrap)


def patch_each(replacements: Mapping[str, Callable[..., Any]]) -> Undo:
    """`patch` for several names at once."""
    undos = [patch(name, replacement) for name, replacement in replacements.items()]

    def undo() -> None:
        for each in undos:
            each()

    return undo


def patch_value(name: str, replacement: Callable[[Any], Any]) -> Undo:
    """Put `replacement(value)` in place of a value, as `patch` does with a function."""
    return _install(name, replacement.__qualname__, replacement)


def _install(name: str, qualified: str, wrap: Callable[[Any], Any]) -> Undo:
    layer = qualified.partition(".")[0]
    if layer not in PATCHED[name][1:]:
        raise LookupError(f"{layer} is not in the table of localaws/emulator/patches.py for {name}")
    _originals.setdefault(name, original(name))
    installed = _layers.setdefault(name, {})
    installed[layer] = wrap
    _compose(name)

    def undo() -> None:
        if installed.get(layer) is wrap:
            del installed[layer]
            _compose(name)

    return undo


def _compose(name: str) -> None:
    value = _originals[name]
    for layer in PATCHED[name][1:]:
        if layer in _layers[name]:
            value = _layers[name][layer](value)
    owner, attribute, key = _find(name)
    if not key:
        setattr(owner, attribute, value)
    elif value is None:
        getattr(owner, attribute).pop(key, None)
    else:
        getattr(owner, attribute)[key] = value


def original(name: str) -> Any:
    """ministack's own value of a name, whatever replaces it now; None for a key that its dictionary lacks."""
    if name in _originals:
        return _originals[name]
    owner, attribute, key = _find(name)
    value = getattr(owner, attribute)
    return value.get(key) if key else value


def _find(name: str) -> tuple[Any, str, str]:
    """The module or class that holds a name, its attribute there, and the key in that, if any."""
    module, _, rest = name.partition(":")
    path, _, key = rest.rstrip("]").partition("[")
    owner: Any = importlib.import_module(f"ministack.{module}")
    *classes, attribute = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    return owner, attribute, key
