"""AWS's responses for a healthy environment, in which a test changes one thing."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.deployment import Deployment
from shared.places import Place
from tests.drill.answers import Answer
from tests.shared.deployments import ACCOUNT

CODE = "c0de" * 8


def now() -> datetime:
    return datetime.now(UTC)


def alarm(deployment: Deployment, name: str, state: str = "OK", *, actions: bool = True) -> dict[str, Any]:
    """One with the topics of both regions as actions, so that one response serves both."""
    topics = [deployment.cell(place).messaging.topic_arn for place in Place]
    return {"AlarmName": name, "StateValue": state, "ActionsEnabled": actions, "AlarmActions": topics}


def metric(*values: float) -> dict[str, Any]:
    return {"MetricDataResults": [{"Id": "latest", "Values": list(values)}]}


def function(code: str = CODE, **changes: str) -> dict[str, Any]:
    modified = (now() - timedelta(days=3)).isoformat()
    return {
        "CodeSha256": code,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "LastModified": modified,
        **changes,
    }


def parameter(name: str, **changes: Any) -> dict[str, Any]:
    return {"Name": f"/app/dev/{name}", "Type": "String", "Version": 3, "LastModifiedDate": now(), **changes}


def record(**attributes: str) -> dict[str, Any]:
    """A control record; `epoch` is a number."""
    return {"Item": {name: {"N" if name == "epoch" else "S": value} for name, value in attributes.items()}}


def member(arn: str, *, writer: bool, state: str = "connected") -> dict[str, Any]:
    return {"DBClusterArn": arn, "IsWriter": writer, "SynchronizationStatus": state}


def members(*found: dict[str, Any]) -> dict[str, Any]:
    return {"GlobalClusters": [{"GlobalClusterMembers": list(found)}]}


def cluster(**changes: Any) -> dict[str, Any]:
    held = {
        "Status": "available",
        "EngineVersion": "16.9",
        "ServerlessV2ScalingConfiguration": {"MaxCapacity": 4.0},
        "DBClusterMembers": [{"DBInstanceIdentifier": "aurora-1"}],
    }
    return {"DBClusters": [held | changes]}


def table(*replicas: str, status: str = "ACTIVE") -> dict[str, Any]:
    every = [{"RegionName": region, "ReplicaStatus": status} for region in replicas]
    return {"Table": {"TableStatus": "ACTIVE", "Replicas": every}}


def rules(bucket_arn: str, status: str = "Enabled") -> dict[str, Any]:
    rule = {"Status": status, "Destination": {"Bucket": bucket_arn}}
    return {"ReplicationConfiguration": {"Role": "any", "Rules": [rule]}}


def groups(deployment: Deployment, **changes: Any) -> dict[str, Any]:
    """Endpoint groups; `changes` are to the secondary's endpoint."""
    found = []
    for place in Place:
        endpoint = {"EndpointId": deployment.cell(place).ingress.nlb_arn, "Weight": 128, "HealthState": "HEALTHY"}
        if place is Place.SECONDARY:
            endpoint |= changes
        found.append({"EndpointGroupRegion": deployment.region(place), "EndpointDescriptions": [endpoint]})
    return {"EndpointGroups": found}


def health_checks(*hosts: str) -> dict[str, Any]:
    kept = {"Marker": "", "IsTruncated": False, "MaxItems": "100"}
    return kept | {
        "HealthChecks": [
            {
                "Id": host,
                "CallerReference": "any",
                "HealthCheckVersion": 1,
                "HealthCheckConfig": {"Type": "HTTPS", "FullyQualifiedDomainName": host},
            }
            for host in hosts
        ]
    }


def observed(*statuses: str) -> dict[str, Any]:
    return {"HealthCheckObservations": [{"StatusReport": {"Status": status}} for status in statuses]}


def invoked(result: dict[str, Any], **more: str) -> Answer:
    """A function's response, whose payload can be read once."""
    return lambda: {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(result).encode()), **more}


def audited(*findings: tuple[str, str], **counts: int) -> Answer:
    found = [{"payment_id": payment_id, "kind": kind} for payment_id, kind in findings]
    nothing = {"pending": 0, "not_in_ledger": 0, "not_in_journal": 0, "differing": 0}
    return invoked({"entries": 1000, "rows": 1000, **nothing, **counts, "findings": found})


def answers(deployment: Deployment) -> dict[str, Answer]:
    """By operation, for both regions."""
    outputs = deployment.global_outputs
    return {
        "GetCallerIdentity": {"Account": ACCOUNT},
        "DescribeTargetHealth": {"TargetHealthDescriptions": [{"TargetHealth": {"State": "healthy"}}]},
        "ListListeners": {"Listeners": [{"ListenerArn": "any"}]},
        "ListEndpointGroups": groups(deployment),
        "ListHealthChecks": health_checks(*(f"{what}{place}.example.com" for place in Place for what in ("nlb-", ""))),
        "GetHealthCheckStatus": observed("Success: HTTP Status Code 200, OK", "Success: HTTP Status Code 200, OK"),
        "GetItem": {},
        "ListExecutions": {"executions": []},
        "GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        "GetFunctionConfiguration": function(),
        "DescribeGlobalClusters": members(
            member(outputs.primary_cluster_arn, writer=True), member(outputs.secondary_cluster_arn, writer=False)
        ),
        "DescribeDBClusters": cluster(),
        "DescribeSecret": {"ReplicationStatus": [{"Region": deployment.region(Place.SECONDARY), "Status": "InSync"}]},
        "GetMetricData": metric(7.0),
        "Invoke": audited(pending=2),
        "FilterLogEvents": {"events": []},
        "DescribeTable": table(*deployment.regions.values()),
        "DescribeParameters": {"Parameters": [parameter("flags"), parameter("local/endpoints", Version=1)]},
        "DescribeAlarms": {"MetricAlarms": [alarm(deployment, "a")], "CompositeAlarms": [alarm(deployment, "region")]},
        "GetAccountSettings": {"AccountLimit": {"ConcurrentExecutions": 1000}},
        "ListServiceQuotas": {
            "Quotas": [
                {"QuotaName": "Throttle rate", "Value": 10000.0},
                {"QuotaName": "Network interfaces per Region", "Value": 5000.0},
            ]
        },
        "DescribeCertificate": {"Certificate": {"Status": "ISSUED", "NotAfter": now() + timedelta(days=200)}},
        "ListRecoveryPointsByBackupVault": {
            "RecoveryPoints": [{"CreationDate": now() - timedelta(hours=20), "Status": "COMPLETED"}]
        },
        "DescribeContinuousBackups": {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"},
            }
        },
    }
