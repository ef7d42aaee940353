"""Every hook into ministack's private names. Nothing else in this repository touches them.

One section per hook, each with a contract test in `tests/local/test_hooks.py` (name, signature, effect), so that an
upgrade of the pinned emulator fails there and nowhere else.
"""

import asyncio
import contextvars
import copy
import functools
import importlib
import json
import re
import subprocess
import threading
import time
import types
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote
from xml.etree.ElementTree import Element

# --- Requests: what a call is for and where it is served (app.py, request_region.py) ---

region_of_unsigned_call: ContextVar[str | None] = ContextVar("region_of_unsigned_call", default=None)
_emulated: set[str] = set()


def emulator() -> Any:
    """ministack's ASGI application. GATEWAY_PORT must be set before the first call: ministack reads it once."""
    from ministack.app import app

    return app


def serve_unsigned_calls_by_region() -> None:
    """Serve a call in `region_of_unsigned_call` where that is set; ministack alone takes one default region for all."""
    from ministack import app
    from ministack.services import apigateway_v1

    signed_region = app.extract_region
    any_domain = apigateway_v1.find_domain_scope

    def extract_region(headers: dict[str, str], query_params: Any = None) -> str:
        return region_of_unsigned_call.get() or str(signed_region(headers, query_params))

    def find_domain_scope(domain_name: str) -> tuple[str, str, str] | None:
        region = region_of_unsigned_call.get()
        for account, home, name in apigateway_v1._domain_names.to_dict():
            if home == region and name.lower() == domain_name.lower():
                return account, home, name
        found: tuple[str, str, str] | None = any_domain(domain_name)
        return found

    app.extract_region = extract_region
    apigateway_v1.find_domain_scope = find_domain_scope


def route_unknown_services_quickly() -> None:
    """Keep the router from loading every botocore model (3 s, event loop blocked) over a name it does not know."""
    from ministack.core import router

    router._is_aws_service_name = lambda _name: True


def is_emulated(service: str) -> bool:
    """Whether a call signed for `service` (its SigV4 name) has a handler."""
    if service in _emulated:
        return True
    from ministack import app
    from ministack.core import router

    scope = f"AWS4-HMAC-SHA256 Credential=0/20250101/us-east-1/{service}/aws4_request"
    if router.detect_service("POST", "/", {"authorization": scope}, {}) not in app.SERVICE_HANDLERS:
        return False
    _emulated.add(service)
    return True


def bucket_region(name: str) -> str | None:
    """Home region of a bucket of any account."""
    from ministack.services import s3

    for (_, bucket), record in list(s3._buckets._data.items()):
        if bucket == name:
            return str(record.get("region") or s3.bucket_region(name))
    return None


def api_region(api_id: str) -> str | None:
    """Home region of a REST or HTTP API of any account."""
    from ministack.services import apigateway, apigateway_v1

    for apis in (apigateway_v1._rest_apis, apigateway._apis):
        for _, region, known in apis.to_dict():
            if known == api_id:
                return str(region)
    return None


def custom_domain_region(host: str) -> str | None:
    """Home region of a custom domain of an API; of several with one name, the first made."""
    from ministack.services import apigateway_v1

    for _, region, domain in apigateway_v1._domain_names.to_dict():
        if domain.lower() == host:
            return str(region)
    return None


def load_balancer_region(name: str) -> str | None:
    """Home region of a load balancer, by its name or DNS name; of several with one name, the first made."""
    from ministack.services import alb

    for (_, region, _), balancer in alb._lbs.all_items():
        if name.lower() in (balancer["LoadBalancerName"].lower(), balancer["DNSName"].lower()):
            return str(region)
    return None


def function_url_region(url_id: str) -> str | None:
    """Home region of a function URL."""
    from ministack.services import lambda_svc

    found = lambda_svc.resolve_function_url(url_id)
    return str(found[1]) if found else None


# --- Background work: what runs without a request (background.py) ---

PassOn = Callable[[str, str, Callable[[], None]], None]  # from region, to region, what does it


def gate_function_executions(run: Callable[[str, Callable[[], dict[str, Any]]], dict[str, Any]]) -> None:
    """Pass each execution of a function, whoever starts it, through `run(region, execute)`."""
    from ministack.services import lambda_svc

    execute_function = lambda_svc._execute_function

    def execute(func: dict[str, Any], event: Any) -> dict[str, Any]:
        _, region = lambda_svc._account_region_from_function_config(func.get("config") or func)
        return run(region, lambda: execute_function(func, event))

    lambda_svc._execute_function = execute


def mark_asynchronous_invocations(asynchronous: ContextVar[bool]) -> None:
    """Set `asynchronous` in the threads of invocations that AWS queues: of type Event, and by topics."""
    from ministack.services import lambda_svc, sns

    def marked(invoke: Callable[..., None]) -> Callable[..., None]:
        def invoke_marked(*arguments: Any, **named: Any) -> None:
            token = asynchronous.set(True)
            try:
                invoke(*arguments, **named)  # one copies this context into its thread, the other has a thread already
            finally:
                asynchronous.reset(token)

        return invoke_marked

    lambda_svc.invoke_async_with_retry = marked(lambda_svc.invoke_async_with_retry)
    sns._deliver_to_lambda = marked(sns._deliver_to_lambda)


def skip_event_source_mappings(skipped: Callable[[str], bool]) -> None:
    """Leave out the event source mappings of regions for which `skipped(region)`: their records wait at the source."""
    from ministack.services import lambda_svc

    every = lambda_svc._iter_all_esms

    def some() -> Iterator[tuple[str, str, dict[str, Any]]]:
        return (found for found in every() if not skipped(found[1]))

    lambda_svc._iter_all_esms = some


def gate_event_targets(pass_on: Callable[[str, dict[str, Any], Callable[[], None]], None]) -> None:
    """Pass each delivery of a rule or schedule to a target through `pass_on(region, rule, deliver)`."""
    from ministack.core.responses import get_region
    from ministack.services import eventbridge

    invoke_target = eventbridge._invoke_target

    def gated(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None) -> None:
        context = contextvars.copy_context()
        pass_on(get_region(), rule, lambda: context.run(invoke_target, target, event, rule, view))

    eventbridge._invoke_target = gated


def gate_queue_deliveries(pass_on: PassOn) -> None:
    """Pass each delivery of a topic to a queue through `pass_on(topic region, queue region, deliver)`."""
    from ministack.services import sns

    deliver_to_sqs = sns._deliver_to_sqs

    def region(arn: str) -> str:
        return arn.split(":")[3]

    def gated(endpoint: str, *arguments: Any, topic_arn: str, **named: Any) -> None:
        context = contextvars.copy_context()
        deliver = functools.partial(deliver_to_sqs, endpoint, *arguments, topic_arn=topic_arn, **named)
        pass_on(region(topic_arn), region(endpoint), lambda: context.run(deliver))

    sns._deliver_to_sqs = gated


def gate_workflow_tasks(wait: Callable[[str], None]) -> None:
    """Call `wait(region)` in the execution's thread before each task of a Step Functions execution."""
    from ministack.core.responses import get_region
    from ministack.services import stepfunctions

    invoke_resource = stepfunctions._invoke_resource

    def gated(resource: str, input_data: Any) -> Any:
        wait(get_region())
        return invoke_resource(resource, input_data)

    stepfunctions._invoke_resource = gated


def refuse_new_workers(refused: Callable[[str], bool]) -> None:
    """Kill a Lambda worker that has just started in a region for which `refused(region)`."""
    from ministack.core import lambda_runtime

    spawn = lambda_runtime.Worker._spawn

    def spawn_unless_refused(worker: Any) -> None:
        spawn(worker)
        _, region = lambda_runtime._account_region_from_function_config(worker.config)
        if refused(region):
            worker._proc.kill()
            raise RuntimeError(f"region {region} is lost")

    lambda_runtime.Worker._spawn = spawn_unless_refused


def fork_python_workers(start: Callable[[str, str, dict[str, str]], Any]) -> None:
    """Let `start(script, folder, environment)` start the processes of Python functions, not subprocess.Popen."""
    from ministack.core import lambda_runtime

    def popen(command: list[str], **options: Any) -> Any:
        script = command[-1]
        if len(command) == 2 and script.endswith("_worker.py"):
            return start(script, options["cwd"], options["env"])
        return subprocess.Popen(command, **options)

    lambda_runtime.subprocess = types.SimpleNamespace(**{**vars(subprocess), "Popen": popen})


def bound_workers(*, most: int, starting: int, hesitation: float, patience: float) -> None:
    """Let an execution wait for a worker of its function rather than start one more at once.

    After `hesitation` seconds one more may start, but at most `starting` of a function at a time and `most` in all.
    After `patience` seconds the call is throttled, as Lambda throttles what is above a function's concurrency.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    acquire, release, spawn = lambda_svc.acquire_worker, lambda_svc.release_worker, lambda_runtime.Worker._spawn
    invalidate = lambda_svc.invalidate_worker
    changed = threading.Condition()
    held = threading.local()

    def workers(key: str) -> list[Any]:
        with lambda_runtime._lock:
            return list(lambda_runtime._workers.get(key, ()))

    def free(key: str) -> bool:
        return any(not worker.in_use for worker in workers(key))

    def room(key: str) -> bool:
        known = workers(key)
        return len(known) < most and sum(worker._start_time is None for worker in known) < starting

    def acquire_in_turn(
        func_name: str, config: dict[str, Any], code_zip: bytes, qualifier: str = "$LATEST", **more: Any
    ) -> Any:
        key = lambda_runtime._worker_key(func_name, config, qualifier)
        with changed:
            changed.wait_for(lambda: free(key) or not workers(key), timeout=hesitation)
            if not changed.wait_for(lambda: free(key) or room(key), timeout=patience):
                return None, "func_cap"
            held.worker, how = acquire(func_name, config, code_zip, qualifier=qualifier, **more)
            return held.worker, how

    def release_and_tell(worker: Any) -> None:
        held.worker = None
        release(worker)
        with changed:
            changed.notify_all()

    def spawn_and_tell(worker: Any) -> None:
        try:
            spawn(worker)
        finally:
            with changed:
                changed.notify_all()

    def invalidate_held(func_name: str, **scope: Any) -> None:
        """An execution whose worker broke ends that one; ministack ends all of the function, also those that start."""
        if (worker := getattr(held, "worker", None)) is None:
            invalidate(func_name, **scope)
            return
        with lambda_runtime._lock:
            for known in lambda_runtime._workers.values():
                if worker in known:
                    known.remove(worker)
        lambda_runtime.kill_workers([worker])

    lambda_svc.acquire_worker, lambda_svc.release_worker = acquire_in_turn, release_and_tell
    lambda_svc.invalidate_worker = invalidate_held
    lambda_runtime.Worker._spawn = spawn_and_tell


HANDLER_ERROR = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
"""What a Python worker answers for a handler's exception, in the script ministack gives to it."""


def keep_workers_whose_handler_raised() -> None:
    """Let a Python worker live on when its handler raises, as on AWS; ministack ends it and starts another one."""
    from ministack.core import lambda_runtime

    marked = f'{{"status": "ok", "result": {{"localaws_raised": {HANDLER_ERROR}}}}}'
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    invoke = lambda_runtime.Worker.invoke

    def invoke_and_unwrap(worker: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        answer: dict[str, Any] = invoke(worker, *arguments, **named)
        result = answer.get("result")
        if isinstance(result, dict) and (raised := result.get("localaws_raised")):
            return {**answer, **raised}
        return answer

    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(HANDLER_ERROR, marked)
    lambda_runtime.Worker.invoke = invoke_and_unwrap


def add_to_worker_environment(variables: Callable[[str], dict[str, str]]) -> None:
    """Give each Lambda worker `variables(its region)`."""
    from ministack.core import lambda_runtime

    credentials = lambda_runtime.execution_credentials

    def with_variables(config: dict[str, Any]) -> dict[str, str]:
        _, region = lambda_runtime._account_region_from_function_config(config)
        return {**credentials(config), **variables(region)}

    lambda_runtime.execution_credentials = with_variables


def kill_workers(region: str | None = None) -> None:
    """Kill the Lambda workers of a region, or all of them, at once. A thread of its own collects them."""
    from ministack.core import concurrency, lambda_runtime

    with lambda_runtime._lock:
        keys = [key for key in lambda_runtime._workers if region in (None, key.split(":")[1])]
        doomed = [worker for key in keys for worker in lambda_runtime._workers.pop(key)]
    for worker in doomed:
        if (process := worker._proc) is not None:
            process.kill()
    if doomed:
        concurrency.spawn_background(lambda_runtime.kill_workers, doomed, thread_name="localaws-collect-workers")


# --- Replication between regions (replication.py, replication_dynamodb.py) ---


class TableWriter(Protocol):
    """Applies a write of `source` to its replica in `destination`, streams included."""

    def __call__(
        self, *, account: str, source: str, destination: str, table: str, event: str, old: Any, new: Any
    ) -> None: ...


class TableWriteListener(Protocol):
    """Told of each write to a global table, in the writer's call. `key` is the item's, `regions` are the others."""

    def __call__(
        self, *, account: str, source: str, regions: list[str], table: str, key: str, event: str, old: Any, new: Any
    ) -> None: ...


def intercept_global_table_writes(listener: TableWriteListener) -> TableWriter:
    """Tell `listener` of each write to a global table instead of replicating it; returns what replicates it."""
    from ministack.core.responses import get_account_id, get_region, request_scope
    from ministack.services import dynamodb

    replicate_write = dynamodb._replicate_write

    def intercepted(table: dict[str, Any], event_name: str, old_item: Any, new_item: Any) -> None:
        home = get_region()
        regions = [region for region in dynamodb._replica_group(table) if region != home]
        if not regions:
            return
        item = new_item if new_item is not None else old_item
        key = {name: item[name] for name in (table["pk_name"], table["sk_name"]) if name}
        listener(
            account=get_account_id(),
            source=home,
            regions=regions,
            table=table["TableName"],
            key=json.dumps(key),
            event=event_name,
            old=None if new_item is not None else key,
            new=copy.deepcopy(new_item),
        )

    def apply(*, account: str, source: str, destination: str, table: str, event: str, old: Any, new: Any) -> None:
        replica = dynamodb._tables.get_scoped(account, destination, table)
        if replica is None or source not in dynamodb._replica_group(replica):
            return  # it left the global table meanwhile
        with request_scope(account, source):
            replicate_write({"TableName": table, "_global_regions": [source, destination]}, event, old, new)

    dynamodb._replicate_write = intercepted
    return apply


def intercept_bucket_replication(send: PassOn) -> None:
    """Hand each replication of an object or a delete marker to `send(source region, destination region, replicate)`.

    Until `replicate` is called the object's replication status is PENDING, as on AWS.
    """
    from ministack.core.responses import get_account_id, get_region, request_scope
    from ministack.services import s3

    replicate_object, replicate_marker = s3._maybe_replicate, s3._maybe_replicate_delete_marker

    def regions(bucket: str, key: str, tags: Any) -> tuple[str, str] | None:
        rule, _ = s3._replication_rule_for(bucket, key, tags)
        destination = bucket_region(rule["Destination"]["Bucket"].rpartition(":")[2]) if rule else None
        return (str(s3.bucket_region(bucket)), destination) if destination else None

    def intercepted_object(bucket: str, key: str, obj: dict[str, Any], data: Any, tags: Any = None) -> None:
        ends = regions(bucket, key, tags)
        if ends is None:
            replicate_object(bucket, key, obj, data, tags)
            return
        account, region = get_account_id(), get_region()

        def replicate() -> None:
            with request_scope(account, region):
                replicate_object(bucket, key, obj, data, tags)
                version = obj.get("version_id")
                for entry in s3._object_versions.get((bucket, key), ()):
                    if entry["version_id"] == version:
                        entry["replication_status"] = obj["replication_status"]
                stored_tags = s3._object_tags.get((bucket, key, version))
            if stored_tags and (replica := obj.get("_replica")):
                name, replica_version, owner = replica
                with request_scope(owner, region):
                    s3._object_tags[name, key, replica_version] = dict(stored_tags)

        obj["replication_status"] = "PENDING"
        send(*ends, replicate)

    def intercepted_marker(bucket: str, key: str) -> None:
        ends = regions(bucket, key, None)
        if ends is None:
            return
        account, region = get_account_id(), get_region()

        def replicate() -> None:
            with request_scope(account, region):
                replicate_marker(bucket, key)

        send(*ends, replicate)

    s3._maybe_replicate, s3._maybe_replicate_delete_marker = intercepted_object, intercepted_marker


def intercept_secret_replication(send: PassOn) -> None:
    """Hand each copy of a changed secret to `send(source region, replica region, replicate)`.

    Until the last one is applied the replica's status is InProgress, as on AWS.
    """
    from ministack.services import secretsmanager

    sync_replicas = secretsmanager._sync_replicas
    waiting: Counter[tuple[str, str]] = Counter()

    def intercepted(secret: dict[str, Any]) -> None:
        source = secret["ARN"].split(":")[3]
        for status in secret.get("ReplicationStatus", []):
            region = status["Region"]
            changed = {**copy.deepcopy(secret), "ReplicationStatus": [{"Region": region}]}
            status["Status"], pair = "InProgress", (secret["ARN"], region)
            waiting[pair] += 1

            def replicate(
                changed: dict[str, Any] = changed, status: dict[str, Any] = status, pair: tuple[str, str] = pair
            ) -> None:
                sync_replicas(changed)
                waiting[pair] -= 1
                if not waiting[pair]:
                    del waiting[pair]
                    status["Status"] = "InSync"

            send(source, region, replicate)

    secretsmanager._sync_replicas = intercepted


# --- Whom a ministack handler answers, and services of our own (globalaccelerator_api.py) ---

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]
_originals: dict[tuple[str, str], Any] = {}


def _original(module: Any, name: str) -> Any:
    """ministack's own `module.name`, however often it was wrapped since: a second wrapper replaces the first."""
    return _originals.setdefault((module.__name__, name), getattr(module, name))


def request_account() -> str:
    """The account of the request being handled."""
    from ministack.core.responses import get_account_id

    return str(get_account_id())


def register_service(name: str, target_prefix: str, handler: Handler, reset: Callable[[], None]) -> None:
    """Answer a JSON service ministack lacks. `name` is the signing name, `reset` forgets everything."""
    from ministack import app
    from ministack.core import iam_actions, router

    module = types.SimpleNamespace(handle_request=handler, reset=reset, get_state=lambda: None)
    app.SERVICE_HANDLERS[name] = handler
    app.SERVICE_REGISTRY[name] = {"module": name}
    app._loaded_modules[name] = module
    router.SERVICE_PATTERNS[name] = {"target_prefixes": [target_prefix], "credential_scope": name}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = name


# --- Elastic Load Balancing: what is deployed (fronts/deployed.py) ---


def load_balancer_records() -> list[dict[str, Any]]:
    """Load balancers of all accounts and regions."""
    from ministack.services import alb

    return list(alb._lbs.all_values())


def listener_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._listeners.all_values())


def listener_rule_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._rules.all_values())


def target_group_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._tgs.all_values())


def registered_targets() -> dict[str, list[dict[str, Any]]]:
    """Targets by target group ARN."""
    from ministack.services import alb

    return {arn: list(targets) for (_, arn), targets in alb._targets.to_dict().items()}


def load_balancer_attributes(arn: str) -> dict[str, str]:
    from ministack.services import alb

    _, _, _, region, account, _ = arn.split(":", 5)
    stored = alb._lb_attrs.get_scoped(account, region, arn, ())
    return {attribute["Key"]: attribute["Value"] for attribute in stored}


# --- Elastic Load Balancing: the data plane (fronts/application.py, targethealth.py) ---

DispatchedAnswer = tuple[int, dict[str, str | list[str]], bytes | AsyncIterator[bytes]]


async def dispatch_to_application_load_balancer(
    record: dict[str, Any],
    *,
    method: str,
    path: str,
    raw_path: str,
    headers: dict[str, str],
    body: bytes,
    query: dict[str, list[str]],
    raw_query: str,
    port: int,
    client: str,
) -> DispatchedAnswer:
    """One request through the load balancer's rules to its target. Runs on the caller's event loop."""
    from ministack.core.responses import StreamingResponse, request_scope
    from ministack.services import alb

    _, _, _, region, account, _ = record["LoadBalancerArn"].split(":", 5)
    with request_scope(account, region):
        status, answered, content = await alb.dispatch_request(
            record, method, path, headers, body, query, port, client, raw_query_string=raw_query, raw_path=raw_path
        )
    if isinstance(content, StreamingResponse):
        return status, answered, _streamed(content)
    return status, answered, content if isinstance(content, bytes) else str(content).encode()


async def _streamed(response: Any) -> AsyncIterator[bytes]:
    """The chunks of a target's answer. Raises ConnectionError when the target broke it off."""
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=1)
    never = asyncio.get_running_loop().create_future()  # the client's disconnect, which the front sees itself
    runner = asyncio.create_task(response.runner(messages.put, lambda: never))
    try:
        while True:
            waiting = asyncio.create_task(messages.get())
            await asyncio.wait({waiting, runner}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                raise ConnectionError("the target broke off its answer")
            message = waiting.result()
            if message["body"]:
                yield message["body"]
            if not message.get("more_body"):
                return
    finally:
        runner.cancel()


async def invoke_lambda_target(function_arn: str, target_group_arn: str, path: str, user_agent: str) -> int:
    """A load balancer's health check of a Lambda target: the status it answers."""
    from ministack.core.responses import request_scope
    from ministack.services import alb

    _, _, _, region, account, _ = target_group_arn.split(":", 5)
    with request_scope(account, region):
        status, _, _ = await alb._invoke_lambda_target(
            function_arn, target_group_arn, "GET", path, {"user-agent": user_agent}, b"", {}, ""
        )
    return int(status)


def answer_target_health(answer: Callable[[str, list[dict[str, Any]]], str]) -> None:
    """Let `answer(target group ARN, targets asked for)` give the members of DescribeTargetHealth as XML."""
    from ministack.services import alb

    def describe_target_health(params: dict[str, Any]) -> Any:
        arn = alb._p(params, "TargetGroupArn")
        if arn not in alb._tgs:
            return alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")
        members = answer(arn, alb._parse_targets_param(params))
        inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        return alb._xml(200, "DescribeTargetHealth", inner)

    alb._ACTION_MAP["DescribeTargetHealth"] = describe_target_health


def choose_targets(choose: Callable[[str, str], str | None]) -> None:
    """Let `choose(target group ARN, "id:port" drawn by ministack)` name the target of a request to an IP address.

    ministack draws among all registered targets, healthy or not.
    """
    from ministack.services import alb

    original = _original(alb, "_proxy_http_target")

    async def proxy_http_target(target: dict[str, Any], group: dict[str, Any], *rest: Any, **named: Any) -> Any:
        port = int(target.get("Port") or group["Port"])
        chosen = choose(group["TargetGroupArn"], f"{target['Id']}:{port}") or f"{target['Id']}:{port}"
        host, _, chosen_port = chosen.rpartition(":")
        return await original({**target, "Id": host, "Port": int(chosen_port)}, group, *rest, **named)

    alb._proxy_http_target = proxy_http_target


# --- Elastic Load Balancing: what ministack gets wrong at creation (traffic.py) ---


def fill_target_group_defaults(defaults: Callable[[Callable[[str], str]], dict[str, str]]) -> None:
    """Add `defaults(read a parameter)` to CreateTargetGroup: ministack's are an HTTP group's for every kind."""
    from ministack.services import alb

    original = _original(alb, "_create_tg")

    def create_target_group(params: dict[str, Any]) -> Any:
        return original({**defaults(lambda name: str(alb._p(params, name))), **params})

    alb._ACTION_MAP["CreateTargetGroup"] = create_target_group


def name_network_load_balancers() -> None:
    """Give network load balancers and their listeners AWS's ARN (`net/`) and DNS name; ministack calls all `app/`."""
    from ministack.services import alb

    create_balancer = _original(alb, "_create_lb")
    create_listener = _original(alb, "_create_listener")

    def create_load_balancer(params: dict[str, Any]) -> Any:
        known = set(alb._lbs)
        answer = create_balancer(params)
        for arn in set(alb._lbs) - known:
            if alb._lbs[arn]["Type"] != "network":
                continue
            record = alb._lbs.pop(arn)
            renamed = arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
            name, number = renamed.split("/")[-2:]
            record |= {
                "LoadBalancerArn": renamed,
                "DNSName": f"{name}-{number}.elb.{alb.get_region()}.amazonaws.com",
            }
            alb._lbs[renamed] = record
            alb._tags[renamed] = alb._tags.pop(arn)
            alb._lb_attrs[renamed] = alb._lb_attrs.pop(arn)
            inner = f"<LoadBalancers>{alb._lb_xml(record)}</LoadBalancers>"
            answer = alb._xml(200, "CreateLoadBalancer", inner)
        return answer

    def create_network_listener(params: dict[str, Any]) -> Any:
        known = set(alb._listeners)
        answer = create_listener(params)
        for arn in set(alb._listeners) - known:
            if ":loadbalancer/net/" not in alb._listeners[arn]["LoadBalancerArn"]:
                continue
            renamed = arn.replace(":listener/app/", ":listener/net/")
            record = alb._listeners[renamed] = alb._listeners.pop(arn) | {"ListenerArn": renamed}
            alb._listener_attrs[renamed] = alb._listener_attrs.pop(arn)
            alb._tags[renamed] = alb._tags.pop(arn)
            for rule in alb._rules.values():
                if rule["ListenerArn"] == arn:
                    rule["ListenerArn"] = renamed
            answer = alb._xml(200, "CreateListener", f"<Listeners>{alb._listener_xml(record)}</Listeners>")
        return answer

    alb._ACTION_MAP["CreateLoadBalancer"] = create_load_balancer
    alb._ACTION_MAP["CreateListener"] = create_network_listener


def answer_canonical_zones(zones: dict[tuple[str, str], str]) -> None:
    """Answer the hosted zone of a load balancer's DNS name by (type, region); ministack has one for all."""
    from ministack.services import alb

    original = _original(alb, "_lb_xml")

    def load_balancer_xml(record: dict[str, Any]) -> str:
        xml = str(original(record))
        zone = zones.get((record["Type"], record["LoadBalancerArn"].split(":")[3]))
        tag = "CanonicalHostedZoneId"
        return re.sub(f"<{tag}>.*</{tag}>", f"<{tag}>{zone}</{tag}>", xml) if zone else xml

    alb._lb_xml = load_balancer_xml


# --- Certificate Manager (fronts/application.py) ---


@dataclass(frozen=True)
class CertificateMaterial:
    """PEM texts of an ACM certificate; the key is empty for one that was not imported."""

    certificate: str
    chain: str
    private_key: str = field(repr=False)


def certificate_material(arn: str) -> CertificateMaterial | None:
    from ministack.services import acm

    _, _, _, region, account, _ = arn.split(":", 5)
    record = acm._certificates.get_scoped(account, region, arn)
    if record is None:
        return None
    return CertificateMaterial(record["_pem_body"], record["_pem_chain"], record["_private_key"])


# --- Route 53 (route53.py, dns.py) ---


def hosted_zone_records() -> list[dict[str, Any]]:
    """Hosted zones of all accounts: `id`, `name` with its last dot, `private`."""
    from ministack.services import route53

    return list(route53._zones.to_dict().values())


def record_sets() -> dict[str, list[dict[str, Any]]]:
    """Record sets by hosted zone id, in the API's own field names."""
    from ministack.services import route53

    return {zone: list(records) for (_, zone), records in route53._records.to_dict().items()}


def health_check_records() -> list[tuple[str, dict[str, Any]]]:
    """(account, health check) of all accounts; a health check has `id` and `config`, in the API's own field names."""
    from ministack.services import route53

    return [(account, record) for (account, _), record in route53._health_checks.to_dict().items()]


def answer_health_checks(answer: Callable[[str, str, str], Element]) -> None:
    """Let `answer(health check id, its type, "status" or "lastfailurereason")` give the observations as XML.

    Also repairs what ministack keeps of a check: it reads every child health check and region as empty, and writes
    booleans as `True`, which is false to every SDK, so that Inverted and EnableSNI get lost.
    """
    from ministack.services import route53

    handle = _original(route53, "handle_request")
    build = _original(route53, "_build_health_check_el")
    parse = _original(route53, "_parse_health_check_config")
    wanted = re.compile(rf"/{route53.API_VERSION}/healthcheck/([^/]+)/(status|lastfailurereason)")
    names = {"status": "GetHealthCheckStatusResponse", "lastfailurereason": "GetHealthCheckLastFailureReasonResponse"}

    async def handle_request(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        asked = wanted.fullmatch(path)
        if method != "GET" or not asked:
            return await handle(method, path, headers, body, query)
        check, what = asked.groups()
        record = route53._health_checks.get(check)
        if record is None:
            return route53._error_response("NoSuchHealthCheck", f"No health check exists with the ID {check}.", 404)
        try:
            observations = answer(check, record["config"]["Type"], what)
        except ValueError as refusal:
            return route53._error_response("InvalidInput", str(refusal))
        return route53._xml_response(names[what], lambda root: root.append(observations))

    def build_health_check(parent: Any, check: dict[str, Any]) -> None:
        spelled = {k: str(v).lower() if isinstance(v, bool) else v for k, v in check["config"].items()}
        build(parent, {**check, "config": spelled})

    def parse_health_check(element: Element) -> dict[str, Any]:
        lists = {name: route53._find(element, name) for name in ("ChildHealthChecks", "Regions")}
        given = {name: [entry.text for entry in found] for name, found in lists.items() if found is not None}
        return {**parse(element), **given}

    route53.handle_request = handle_request
    route53._parse_health_check_config = parse_health_check
    route53._build_health_check_el = build_health_check


# --- What a name or a health check leads to: API Gateway, CloudWatch (names.py, route53.py) ---


def execute_api_of_domain(region: str, domain: str, path: str) -> tuple[str, str, str] | None:
    """(API id, stage, path) that a custom domain name of a REST API leads to in one region, in any account."""
    from ministack.services import apigateway_v1

    for (_, home, name), mappings in apigateway_v1._base_path_mappings.to_dict().items():
        if (home, name) != (region, domain):
            continue
        by_prefix = {"" if base in ("", "(none)") else f"/{base}": mapping for base, mapping in mappings.items()}
        for prefix in sorted(by_prefix, key=len, reverse=True):
            if path == prefix or path.startswith(f"{prefix}/"):
                return by_prefix[prefix]["restApiId"], by_prefix[prefix]["stage"], path[len(prefix) :]
    return None


def is_api_name(name: str, region: str) -> bool:
    """Whether a region has an API with this id, or a REST API's custom domain with this name, in any account."""
    from ministack.services import apigateway, apigateway_v1

    stores = (apigateway_v1._rest_apis, apigateway._apis, apigateway_v1._domain_names)
    return any((region, name) == (home, known) for store in stores for _, home, known in store.to_dict())


def alarm_state(account: str, region: str, name: str) -> str | None:
    """OK, ALARM or INSUFFICIENT_DATA; None for an unknown alarm."""
    from ministack.services import cloudwatch

    record = cloudwatch._alarms.get_scoped(account, region, name) or cloudwatch._composite_alarms.get_scoped(
        account, region, name
    )
    return str(record["StateValue"]) if record else None


# --- Aurora: clusters, their state, and where the Data API finds a database (aurora.py, aurora_data_api.py) ---

Undo = Callable[[], None]


class AwsRefusal(Exception):
    """An AWS error answer: its code, its message, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, kw_only=True)
class AuroraCluster:
    """An Aurora PostgreSQL cluster as deployed. Without a global cluster it is a writer."""

    arn: str
    identifier: str
    region: str
    master_username: str
    master_password: str = field(repr=False)
    database_name: str | None
    port: int
    instances: tuple[str, ...]
    global_cluster: str | None  # its ARN
    is_writer: bool


@dataclass(frozen=True, kw_only=True)
class GlobalClusterView:
    """What DescribeGlobalClusters shows besides what ministack knows."""

    endpoint: str
    status: str | None = None
    switch: tuple[str, str, bool] | None = None  # from cluster, to cluster (ARNs), whether data may be lost
    resyncing: frozenset[str] = frozenset()  # ARNs of the members that do not follow the writer


def aurora_clusters() -> list[AuroraCluster]:
    """Every Aurora PostgreSQL cluster of every account and region."""
    from ministack.services import rds

    membership = {
        member["DBClusterArn"]: (group, bool(member["IsWriter"]))
        for group in list(rds._global_clusters._data.values())
        for member in group["GlobalClusterMembers"]
    }
    clusters = []
    for (_, region, identifier), record in rds._clusters.all_items():
        if record["Engine"] != "aurora-postgresql":
            continue
        group, is_writer = membership.get(record["DBClusterArn"], ({}, True))
        clusters.append(
            AuroraCluster(
                arn=record["DBClusterArn"],
                identifier=identifier,
                region=region,
                master_username=record["MasterUsername"],
                master_password=record["_MasterUserPassword"],
                database_name=record["DatabaseName"] or group.get("DatabaseName") or None,
                port=int(record["Port"]),
                instances=tuple(member["DBInstanceIdentifier"] for member in record["DBClusterMembers"]),
                global_cluster=group.get("GlobalClusterArn"),
                is_writer=is_writer,
            )
        )
    return clusters


def set_global_writer(global_cluster: str, writer: str) -> None:
    """Make `writer` the writer of `global_cluster` (ARNs) in what RDS shows; does nothing if either is gone."""
    from ministack.services import rds

    account, name = global_cluster.split(":")[4], global_cluster.rpartition(":")[2]
    record = rds._global_clusters.get_scoped(account, None, name) or {"GlobalClusterMembers": []}
    for member in record["GlobalClusterMembers"]:
        if member["DBClusterArn"] == writer:
            rds._set_global_cluster_writer(record, member)


def tell_of_rds_changes(listener: Callable[[], None]) -> Undo:
    """Call `listener()` after each RDS call that can change something, before it is answered, in a worker thread."""
    from ministack.services import rds

    actions, reset = dict(rds._ACTION_MAP), rds.reset

    def then_tell(act: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(act)
        def told(*arguments: Any) -> Any:
            answer = act(*arguments)
            listener()
            return answer

        return told

    for name, act in actions.items():
        if not name.startswith(("Describe", "List")):
            rds._ACTION_MAP[name] = then_tell(act)
    rds.reset = then_tell(reset)

    def undo() -> None:
        rds._ACTION_MAP.update(actions)
        rds.reset = reset

    return undo


def intercept_writer_switches(begin: Callable[[str, str, bool], None]) -> Undo:
    """Call `begin(global cluster ARN, target cluster ARN, data loss allowed)` instead of switching at once.

    It is called for switchovers and failovers of Aurora PostgreSQL that ministack accepts, must return quickly, and may
    raise AwsRefusal. Who starts one must end it with `set_global_writer`.
    """
    from ministack.services import rds

    names = ("SwitchoverGlobalCluster", "FailoverGlobalCluster")
    actions = {name: rds._ACTION_MAP[name] for name in names}
    set_writer = rds._set_global_cluster_writer
    wanted: ContextVar[list[tuple[str, str]] | None] = ContextVar("wanted", default=None)

    def note(global_cluster: dict[str, Any], target: dict[str, Any]) -> None:
        noted = wanted.get()
        if noted is None or global_cluster["Engine"] != "aurora-postgresql":
            set_writer(global_cluster, target)
        else:
            noted.append((global_cluster["GlobalClusterArn"], target["DBClusterArn"]))

    def later(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def switch(parameters: Any) -> Any:
            noted: list[tuple[str, str]] = []
            token = wanted.set(noted)
            try:
                answer = act(parameters)
            finally:
                wanted.reset(token)
            try:
                for global_cluster, target in noted:
                    begin(global_cluster, target, str(rds._p(parameters, "AllowDataLoss")).lower() == "true")
            except AwsRefusal as refusal:
                return rds._error(refusal.code, str(refusal), refusal.status)
            return answer

        return switch

    rds._set_global_cluster_writer = note
    rds._ACTION_MAP.update({name: later(act) for name, act in actions.items()})

    def undo() -> None:
        rds._set_global_cluster_writer = set_writer
        rds._ACTION_MAP.update(actions)

    return undo


def add_to_rds_views(
    cluster: Callable[[str], dict[str, Any]],
    instance: Callable[[str, str], dict[str, Any]],
    global_cluster: Callable[[str], GlobalClusterView],
) -> Undo:
    """Show `cluster(ARN)`, `instance(cluster ARN, identifier)` and `global_cluster(ARN)` over ministack's own.

    For Aurora PostgreSQL only.
    """
    from ministack.services import rds

    names = ("_cluster_xml", "_instance_xml", "_global_cluster_xml")
    cluster_xml, instance_xml, global_cluster_xml = originals = tuple(getattr(rds, name) for name in names)

    def is_ours(record: dict[str, Any]) -> bool:
        return bool(record["Engine"] == "aurora-postgresql")

    def show_cluster(record: dict[str, Any]) -> str:
        return str(cluster_xml({**record, **cluster(record["DBClusterArn"])} if is_ours(record) else record))

    def show_instance(record: dict[str, Any]) -> str:
        home = _cluster_of(record) if is_ours(record) else ""
        return str(instance_xml({**record, **instance(home, record["DBInstanceIdentifier"])} if home else record))

    def show_global_cluster(record: dict[str, Any]) -> str:
        if not is_ours(record):
            return str(global_cluster_xml(record))
        view = global_cluster(record["GlobalClusterArn"])
        members = [dict(member) for member in record["GlobalClusterMembers"]]
        for member in members:
            if member["DBClusterArn"] in view.resyncing:
                member["SynchronizationStatus"] = "pending-resync"
        shown = {**record, "GlobalClusterMembers": members}
        if view.status:
            shown["Status"] = view.status
        if view.switch:
            source, target, data_loss = view.switch
            shown["FailoverState"] = {
                "Status": view.status,
                "FromDbClusterArn": source,
                "ToDbClusterArn": target,
                "IsDataLossAllowed": data_loss,
            }
        return f"{global_cluster_xml(shown)}<Endpoint>{view.endpoint}</Endpoint>"

    rds._cluster_xml, rds._instance_xml, rds._global_cluster_xml = show_cluster, show_instance, show_global_cluster

    def undo() -> None:
        rds._cluster_xml, rds._instance_xml, rds._global_cluster_xml = originals

    return undo


def serve_data_api(
    connect: Callable[[str, str | None, str, str | None], Any],
    explain: Callable[[Exception], AwsRefusal],
    workers: Executor,
) -> Undo:
    """Run the Data API's SQL over `connect(cluster ARN, user, password, database)`, in `workers`.

    `explain` turns any exception into the answer. ministack alone runs SQL in the event loop, where a statement that
    waits for a lock would stop all of AWS, and makes answers up where it has no database.
    """
    from ministack.services import rds_data

    names = ("handle_request", "_connect", "_sql_execution_error", "_has_real_endpoint")
    originals = {name: getattr(rds_data, name) for name in names}

    async def in_worker(*request: Any) -> Any:
        context = contextvars.copy_context()
        answer = functools.partial(context.run, _without_waiting, originals["handle_request"], request)
        return await asyncio.get_running_loop().run_in_executor(workers, answer)

    def connect_member(
        member: dict[str, Any],
        _engine: str,
        database: str | None = None,
        password: str = "",
        username: str | None = None,
    ) -> Any:
        return connect(member.get("DBClusterArn") or _cluster_of(member), username, password, database)

    def answer_error(problem: Exception) -> Any:
        refusal = explain(problem)
        return rds_data._error(refusal.code, str(refusal), refusal.status)

    rds_data.handle_request = in_worker
    rds_data._connect = connect_member
    rds_data._sql_execution_error = answer_error
    rds_data._has_real_endpoint = lambda _member: True

    def undo() -> None:
        for name, original in originals.items():
            setattr(rds_data, name, original)

    return undo


def _cluster_of(instance: dict[str, Any]) -> str:
    """ARN of the cluster an instance belongs to, empty if none."""
    identifier = instance.get("DBClusterIdentifier")
    return f"{instance['DBInstanceArn'].rpartition(':db:')[0]}:cluster:{identifier}" if identifier else ""


def _without_waiting(handler: Callable[..., Coroutine[Any, Any, Any]], request: tuple[Any, ...]) -> Any:
    """The result of a coroutine function that never awaits anything. Raises RuntimeError if it does."""
    running = handler(*request)
    try:
        running.send(None)
    except StopIteration as done:
        return done.value
    running.close()
    raise RuntimeError(f"{handler.__name__} waits for something now and cannot run in a worker")


# --- Forgetting everything (tests) ---


def reset_emulator() -> None:
    """Forget all state of all accounts and regions, Lambda workers included."""
    from ministack import app

    app._reset_all_state()


def main_loop() -> asyncio.AbstractEventLoop:
    """The event loop that serves the emulator's calls."""
    from ministack import app

    loop: asyncio.AbstractEventLoop = app._MAIN_LOOP
    return loop


# --- EC2: actions of our own, and what ministack drops (ec2_peering.py, ec2_endpoints.py, ec2_flow_logs.py) ---


@dataclass(frozen=True)
class Ec2Call:
    """One EC2 request and how its answer is written."""

    account: str
    region: str
    parameters: dict[str, Any]

    def text(self, name: str) -> str:
        from ministack.services import ec2

        return str(ec2._p(self.parameters, name))

    def texts(self, prefix: str) -> list[str]:
        from ministack.services import ec2

        return list(ec2._parse_member_list(self.parameters, prefix))

    def answer(self, inner: str) -> Answer:
        from ministack.services import ec2

        answer: Answer = ec2._xml(200, f"{self.text('Action')}Response", inner)
        return answer


Ec2Action = Callable[[Ec2Call, Callable[[], Answer]], Answer]


def extend_ec2_action(name: str, act: Ec2Action) -> None:
    """Let `act(call, what ministack does)` answer an EC2 action; ministack refuses those it lacks. May AwsRefuse."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ec2

    known = ec2._ACTION_MAP.get(name)

    def answer(parameters: dict[str, Any]) -> Answer:
        call = Ec2Call(get_account_id(), get_region(), parameters)

        def original() -> Answer:
            if known is None:
                raise AwsRefusal("InvalidAction", f"Unknown EC2 action: {name}")
            answered: Answer = known(call.parameters)
            return answered

        try:
            return act(call, original)
        except AwsRefusal as refusal:
            refused: Answer = ec2._error(refusal.code, str(refusal), refusal.status)
            return refused

    ec2._ACTION_MAP[name] = answer


def ec2_records(kind: str, account: str, region: str) -> dict[str, dict[str, Any]]:
    """Records by id as ministack keeps them; changes to a record stay.

    `kind`: vpc, subnet, security group, interface, endpoint, peering or flow log.
    """
    from ministack.services import ec2

    stores = {
        "vpc": ec2._vpcs,
        "subnet": ec2._subnets,
        "security group": ec2._security_groups,
        "interface": ec2._network_interfaces,
        "endpoint": ec2._vpc_endpoints,
        "peering": ec2._vpc_peering,
        "flow log": ec2._flow_logs,
    }
    return dict(stores[kind].items_scoped(account, region))


def make_network_interface(call: Ec2Call, subnet: str, groups: list[str], description: str) -> dict[str, Any]:
    """A network interface in a subnet; its record."""
    from ministack.services import ec2

    known = set(ec2._network_interfaces)
    wanted = {f"SecurityGroupId.{place}": [group] for place, group in enumerate(groups, start=1)}
    ec2._create_network_interface({"SubnetId": [subnet], "Description": [description], **wanted})
    made = (set(ec2._network_interfaces) - known).pop()
    return ec2_records("interface", call.account, call.region)[made]


def remove_network_interface(identity: str) -> None:
    from ministack.services import ec2

    ec2._network_interfaces.pop(identity, None)


def add_to_vpc_endpoints(extra: Callable[[dict[str, Any]], str]) -> None:
    """Add `extra(record)`, as XML, to what ministack shows of a VPC endpoint."""
    from ministack.services import ec2

    original = _original(ec2, "_vpce_fields_xml")

    def fields(record: dict[str, Any], tag: str = "item") -> str:
        shown = str(original(record, tag)).rstrip().removesuffix(f"</{tag}>")
        return f"{shown}{extra(record)}</{tag}>"

    ec2._vpce_fields_xml = fields


def vpc_endpoint_xml(record: dict[str, Any], tag: str) -> str:
    """A VPC endpoint as ministack shows it, inside `tag`."""
    from ministack.services import ec2

    return str(ec2._vpce_fields_xml(record, tag))


# --- JSON services: actions of our own beside ministack's (waf_logging.py, event_endpoints.py) ---


@dataclass(frozen=True)
class JsonCall:
    """One request of a service that speaks JSON."""

    account: str
    region: str
    parameters: dict[str, Any]


JsonAction = Callable[[JsonCall], dict[str, Any] | None]


def answer_json_actions(service: str, actions: Mapping[str, JsonAction], reset: Callable[[], None]) -> None:
    """Answer some actions of ministack's module `service`; None leaves it to ministack. `reset` forgets everything.

    An action may raise AwsRefusal.
    """
    from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

    module: Any = importlib.import_module(f"ministack.services.{service}")
    handle, forget = module.handle_request, module.reset

    async def handle_request(method: str, path: str, headers: dict[str, str], body: bytes, query: Any) -> Any:
        act = actions.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if act:
            try:
                answer = act(JsonCall(get_account_id(), get_region(), json.loads(body or b"{}")))
            except AwsRefusal as refusal:
                return error_response_json(refusal.code, str(refusal), refusal.status)
            if answer is not None:
                return json_response(answer)
        return await handle(method, path, headers, body, query)

    def reset_both() -> None:
        forget()
        reset()

    module.handle_request, module.reset = handle_request, reset_both


def web_acl_of(account: str, region: str, arn: str) -> dict[str, Any] | None:
    """A regional web ACL; None if there is none."""
    from ministack.services import waf

    record: dict[str, Any] | None = waf._web_acls.get_scoped(account, region, arn.rpartition("/")[2])
    return record


def web_acl_resources(account: str, region: str, arn: str) -> list[str]:
    """What a web ACL stands in front of."""
    from ministack.services import waf

    return [resource for resource, acl in waf._associations.items_scoped(account, region) if acl == arn]


# --- AWS Backup: calls of our own beside ministack's (backup_api.py) ---


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
) -> None:
    """Let `answer(call)` give status and document; None leaves it to ministack. May raise AwsRefusal."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import backup

    handle, forget = backup.handle_request, backup.reset

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
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

    def reset_both() -> None:
        forget()
        reset()

    backup.handle_request, backup.reset = handle_request, reset_both


def backup_vault(account: str, region: str, name: str) -> dict[str, Any] | None:
    from ministack.services import backup

    record: dict[str, Any] | None = backup._vaults.get_scoped(account, region, name)
    return record


def backup_selections(account: str, region: str, plan: str) -> list[str]:
    """Ids of the selections of a backup plan."""
    from ministack.services import backup

    found = backup._selections.items_scoped(account, region)
    return [identity for identity, record in found if record["BackupPlanId"] == plan]


# --- API Gateway: keys, usage plans and domains by region (apigateway_access.py) ---


def resolve_api_keys_by_region() -> None:
    """Look an API key's value up in the region of the call; ministack takes the first of any region with that value."""
    from ministack.services import apigateway_v1

    def resolve_api_key(value: str) -> dict[str, Any] | None:
        keys = apigateway_v1._api_keys.values() if value else ()
        return next((key for key in keys if key["value"] == value and key.get("enabled", True)), None)

    apigateway_v1._resolve_api_key = resolve_api_key


def patch_usage_plans(patched: Callable[[dict[str, Any], list[dict[str, Any]]], None]) -> None:
    """Let `patched(plan, patches)` carry out UpdateUsagePlan: ministack keeps stages and limits as bare texts."""
    from ministack.services import apigateway_v1

    def update_usage_plan(plan_id: str, data: dict[str, Any]) -> Any:
        plan = apigateway_v1._usage_plans.get(plan_id)
        if plan is None:
            return apigateway_v1._v1_error("NotFoundException", "Invalid Usage Plan identifier specified", 404)
        try:
            patched(plan, data.get("patchOperations", []))
        except AwsRefusal as refusal:
            return apigateway_v1._v1_error(refusal.code, str(refusal), refusal.status)
        return apigateway_v1._v1_response(plan)

    apigateway_v1._update_usage_plan = update_usage_plan


def answer_regional_zones(zones: Mapping[str, str]) -> None:
    """Give custom domains of APIs the hosted zone of their region; ministack has one for all."""
    from ministack.services import apigateway_v1

    original = _original(apigateway_v1, "_create_domain_name")

    def create_domain_name(data: dict[str, Any]) -> Any:
        answer = original(data)
        record = apigateway_v1._domain_names.get(data.get("domainName", ""))
        zone = zones.get(apigateway_v1.get_region())
        if record is None or zone is None:
            return answer
        record["regionalHostedZoneId"] = zone
        return apigateway_v1._v1_response(record, 201)

    apigateway_v1._create_domain_name = create_domain_name


# --- EventBridge: buses of other regions, and what is published (event_buses.py, event_endpoints.py) ---

Event = dict[str, Any]


def tell_of_published_events(listener: Callable[[str, str, dict[str, Any], list[Event]], None]) -> None:
    """Call `listener(account, region, request, accepted events)` after each PutEvents."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import eventbridge

    put_events = _original(eventbridge, "_put_events")
    dispatch_event = _original(eventbridge, "_dispatch_event")
    published: ContextVar[list[Event] | None] = ContextVar("published", default=None)

    def put_and_tell(data: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        accepted: list[Event] = []
        token = published.set(accepted)
        try:
            answer = put_events(data, *arguments, **named)
        finally:
            published.reset(token)
        listener(get_account_id(), get_region(), data, accepted)
        return answer

    def dispatch_and_note(event: Event, view: Any = None) -> None:
        accepted = published.get()
        if accepted is not None and "_DispatchPath" not in event:
            accepted.append(event)
        dispatch_event(event, view)

    eventbridge._put_events = put_and_tell
    eventbridge._dispatch_event = dispatch_and_note


def deliver_event(account: str, region: str, bus: str, event: Event) -> bool:
    """Let the rules of a bus see an event that came from elsewhere; False if there is no such bus."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    with request_scope(account, region):
        if bus not in eventbridge._event_buses:
            return False
        arrived = {**event, "EventBusName": bus}
        eventbridge._dispatch_event({"_DispatchPath": [], **arrived})
        eventbridge._archive_event({key: value for key, value in arrived.items() if not key.startswith("_")})
    return True


def forward_to_other_buses(forward: Callable[[str, str, str, str, str, Event], None]) -> None:
    """Call `forward(account, from region, rule, to region, bus, event)` for a target that is a bus of another region.

    ministack accepts such a target and drops what goes there.
    """
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import eventbridge

    original = _original(eventbridge, "_dispatch_to_event_bus")

    def dispatch(spec: Any, event: Event, rule: dict[str, Any], path: Any, payload: str | None = None) -> None:
        account, region = get_account_id(), get_region()
        if spec.region == region or spec.account_id != account or not spec.resource.startswith("event-bus/"):
            original(spec, event, rule, path, payload)
            return
        crossing = event if payload is None else {**event, "Detail": payload}
        source = str(eventbridge._rule_key(rule.get("Name"), rule.get("EventBusName", "default")))
        forward(account, region, source, spec.region, spec.resource.partition("/")[2], crossing)

    eventbridge._dispatch_to_event_bus = dispatch


def event_bus_exists(account: str, region: str, name: str) -> bool:
    from ministack.services import eventbridge

    return bool(eventbridge._event_buses.contains_scoped(account, region, name))


# --- CloudWatch: alarms and the metrics they watch (alarms.py) ---


def stop_alarm_evaluation() -> None:
    """Let no alarm change its state by ministack's own evaluation, which looks at no dimensions and at no clock."""
    from ministack.services import cloudwatch

    cloudwatch._evaluate_alarm = lambda _alarm: None
    cloudwatch._evaluate_all_alarms = lambda: None


def metric_alarm_records() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Metric alarms of all accounts, in the API's own field names, by account, region and name."""
    from ministack.services import cloudwatch

    return dict(cloudwatch._alarms.all_items())


def alarm_records() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Metric alarms and composite ones."""
    from ministack.services import cloudwatch

    return {**metric_alarm_records(), **dict(cloudwatch._composite_alarms.all_items())}


def set_alarm_state(account: str, region: str, name: str, state: str, reason: str, reason_data: str) -> None:
    """SetAlarmState, with everything that follows from it."""
    from ministack.core.responses import request_scope
    from ministack.services import cloudwatch

    wanted = {"AlarmName": name, "StateValue": state, "StateReason": reason, "StateReasonData": reason_data}
    with request_scope(account, region):
        cloudwatch._set_alarm_state({}, wanted, False, True)


def metric_value(
    account: str,
    region: str,
    *,
    namespace: str,
    metric: str,
    dimensions: dict[str, str],
    statistic: str,
    unit: str | None,
    start: float,
    end: float,
) -> float | None:
    """A statistic of exactly this metric from `start` up to `end` (seconds since 1970); None without data.

    Raises ValueError for a statistic that is not known.
    """
    from ministack.services import cloudwatch

    if statistic not in ("Average", "Maximum", "Minimum", "SampleCount", "Sum") and not cloudwatch._is_percentile_stat(
        statistic
    ):
        raise ValueError(f"statistic {statistic} is not emulated")
    key = (namespace, metric, cloudwatch._dims_key(dimensions))
    points = [
        point
        for point in cloudwatch._metrics.get_scoped(account, region, key, ())
        if start <= point["Timestamp"] < end and unit in (None, point["Unit"])
    ]
    stats = cloudwatch._calc_stats(points)
    value = cloudwatch._stat_value(stats, statistic, points) if stats else None
    return None if value is None else float(value)


def record_metric(
    account: str, region: str, namespace: str, name: str, value: float, dimensions: dict[str, str]
) -> None:
    """A datapoint of now, as a service reports it."""
    from ministack.core.responses import request_scope
    from ministack.services import cloudwatch

    with request_scope(account, region):
        cloudwatch.record_metric(namespace, name, value, dimensions=dimensions)


def waiting_messages() -> list[tuple[str, str, str, int]]:
    """(account, region, queue name, messages that can be received now) of every queue."""
    from ministack.services import sqs

    now = time.time()
    return [
        (account, region, queue["name"], sum(message["visible_at"] <= now for message in queue["messages"]))
        for (account, region, _), queue in sqs._queues.all_items()
    ]


# --- ACM: what a requested certificate consists of (certificates.py) ---


def issue_certificates(issue: Callable[[list[str]], CertificateMaterial]) -> None:
    """Let `issue(names)` make the certificate and key of each RequestCertificate; ministack makes none."""
    from ministack.services import acm

    original = _original(acm, "_request_certificate")

    def request_certificate(data: dict[str, Any]) -> Any:
        known = set(acm._certificates)
        answer = original(data)
        for arn in set(acm._certificates) - known:
            record = acm._certificates[arn]
            made = issue(list(record["SubjectAlternativeNames"]))
            record |= {"_pem_body": made.certificate, "_pem_chain": made.chain, "_private_key": made.private_key}
        return answer

    acm._request_certificate = request_certificate
