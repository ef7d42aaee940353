"""A Lambda function with a role and a log group of its own, in private subnets, traced by X-Ray."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.monitoring.alarms import Monitored
from components.monitoring.catalogue_compute import BY_TRIGGER
from shared.functions import FUNCTIONS
from shared.outputs import FunctionOutputs
from shared.references import TextInput, TextsInput

SOURCES = Path(__file__).resolve().parents[2] / "functions"
SHARED_PACKAGE = "common"


def sources(function: str, root: Path = SOURCES) -> dict[str, str]:
    """Path in the archive to text, sorted. Raises FileNotFoundError when `functions/<function>` has no handler."""
    if not (root / function / "handler.py").is_file():
        raise FileNotFoundError(f"functions/{function}/handler.py is missing; a function's folder needs a handler")
    files = [file for package in (SHARED_PACKAGE, function) for file in (root / package).rglob("*.py")]
    return {file.relative_to(root).as_posix(): file.read_text() for file in sorted(files)}


def version(function: str) -> str:
    """A short hash of the function's source: the same in both regions exactly when they run the same code."""
    digest = hashlib.sha256()
    for path, text in sources(function).items():
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def archive(function: str) -> pulumi.AssetArchive:
    """Text, not paths: Pulumi hashes names and contents, so the same source is the same input on every machine."""
    return pulumi.AssetArchive({path: pulumi.StringAsset(text) for path, text in sources(function).items()})


RUNTIME = "python3.13"
ARCHITECTURE = "arm64"
HTTPS = 443
# SDKs may otherwise prefer a host name with the account in it, which leads past our own names for private endpoints
# (docs/decisions/0002-private-ways-to-aws.md).
_ENVIRONMENT = {"AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"}


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    source: str  # folder in functions/
    entry: str = "handler"  # the module in it whose `handler` Lambda calls
    label: str = ""  # its name in alarms and logical names; by default its source
    name: str
    region: str
    account: pulumi.Input[str]
    description: str
    environment: Mapping[str, pulumi.Input[str]]
    statements: Sequence[Mapping[str, Any]]  # what it may do beyond logs, traces and its network interface
    layers: Sequence[pulumi.Input[str]]
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    key_arn: pulumi.Input[str]
    dead_letter_arn: pulumi.Input[str]
    log_retention_days: int
    timeout: int = 10  # seconds
    memory: int = 512  # MB
    reserved_concurrency: int | None = None
    """Concurrent executions that only this function may use, and the most it may use [LAMBDA-19]. Without a reservation
    it shares the account's pool in the region. `shared.concurrency` derives it from the account's limit."""

    def __post_init__(self) -> None:
        if self.reserved_concurrency is not None and self.reserved_concurrency < 1:
            # Zero is valid in Lambda and stops every invocation.
            raise ValueError(f"function {self.name} reserves {self.reserved_concurrency}; reserve 1 or more, or None")


class Function(pulumi.ComponentResource):
    """A function from `functions/<source>`. Permission to invoke it is granted where the invoker is created."""

    arn: pulumi.Output[str]
    name: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    label: str
    monitored: Monitored
    outputs: FunctionOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:function:Function", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

        # Before the function, which would otherwise make one that never expires and outlives it [LAMBDA-1].
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            name=f"/aws/lambda/{args.name}",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        role, policy = iam.service_role(
            name,
            name=args.name,
            trust=iam.trust("lambda.amazonaws.com"),
            statements=lambda _: [*_runtime_statements(logs.arn, args), *args.statements],
            opts=self._child,
        )
        self.security_group_id = self._security_group()
        self.label = args.label or args.source
        function = aws.lambda_.Function(
            f"{name}-function",
            name=args.name,
            description=args.description,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=f"{args.source}.{args.entry}.handler",
            code=archive(args.source),
            layers=list(args.layers),
            role=role.arn,
            timeout=args.timeout,
            memory_size=args.memory,
            reserved_concurrent_executions=args.reserved_concurrency,
            environment={"variables": {**_ENVIRONMENT, "SERVICE_VERSION": version(args.source), **args.environment}},
            kms_key_arn=args.key_arn,
            # The archive too [LAMBDA-5]; the key's policy lets Lambda read it.
            source_kms_key_arn=args.key_arn,
            vpc_config={"subnet_ids": list(args.subnet_ids), "security_group_ids": [self.security_group_id]},
            dead_letter_config={"target_arn": args.dead_letter_arn},
            tracing_config={"mode": "Active"},
            # The policy outlives the function, which needs it to give its network interfaces back [LAMBDA-2].
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs, policy]),
        )
        self.arn, self.name, self.invoke_arn = function.arn, function.name, function.invoke_arn
        self.monitored = Monitored(
            name=self.label,
            alarms=BY_TRIGGER[FUNCTIONS.get(self.label, "request")],
            dimensions={"function": self.name},
            limits={"timeout_ms": args.timeout * 1000},
        )
        self.outputs = FunctionOutputs(name=self.name, arn=self.arn)
        self.register_outputs({"arn": self.arn, "name": self.name})

    def _security_group(self) -> pulumi.Output[str]:
        group = aws.ec2.SecurityGroup(
            f"{self._prefix}-network",
            name=self._args.name,
            description=f"{self._args.name}: calls out, is never called over the network",
            vpc_id=self._args.vpc_id,
            tags={"Name": self._args.name},
            opts=self._child,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{self._prefix}-out",
            security_group_id=group.id,
            description="AWS endpoints of this and of the other region, whose addresses are not ours to list",
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
        )
        return group.id


def _runtime_statements(log_group_arn: pulumi.Output[str], args: FunctionArgs) -> list[dict[str, Any]]:
    """The permissions that every function needs to run at all."""
    return [
        iam.allow(["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.concat(log_group_arn, ":*")]),
        # The function's environment is encrypted with this key, and so is the dead-letter queue.
        iam.allow(["kms:Decrypt", "kms:GenerateDataKey"], [args.key_arn]),
        iam.allow(["sqs:SendMessage"], [args.dead_letter_arn]),
        # X-Ray's write actions support no resource-level permissions (Service Authorization Reference, AWS X-Ray).
        iam.allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]),
        # Lambda makes the network interfaces under this role, and their ids are not known before [LAMBDA-2].
        iam.allow(
            [
                "ec2:CreateNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:DeleteNetworkInterface",
                "ec2:AssignPrivateIpAddresses",
                "ec2:UnassignPrivateIpAddresses",
            ],
            ["*"],
        ),
    ]


# Relative, so that the registered input is the same in every clone; programs run in their own folder, stacks/<name>.
BUILT = Path("..", "..", "build", "layer")


def dependencies(name: str, *, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The ARN of the layer with the functions' libraries, built by `make layer`. Each change is a new version."""
    layer = aws.lambda_.LayerVersion(
        "dependencies",
        layer_name=name,
        description="Libraries of all functions, pinned in functions/requirements.txt",
        code=pulumi.FileArchive(BUILT.as_posix()),
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[ARCHITECTURE],
        opts=opts,
    )
    return layer.arn
