"""Inventory of an account: the identifiers that its list and describe calls return, by call and region.

Resources that are deleted with their parent (listeners, stages, versions) are left out, and so are tags, since
ministack keeps those of deleted EC2 resources.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

Client = Callable[[str, str], Any]
Inventory = dict[tuple[str, str], frozenset[str]]  # (service:operation, region) to identifiers

IAM_REGION = "us-east-1"
ACCELERATOR_REGION = "us-west-2"  # the one region whose endpoint answers [GA-6]


@dataclass(frozen=True)
class Listing:
    """One listing call, and the identifiers in its response."""

    service: str
    operation: str
    identifiers: str  # JMESPath
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""  # of a global service

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation}"


EVERY_ALARM = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
PEERINGS = "VpcPeeringConnections[?Status.Code!='deleted'].VpcPeeringConnectionId"
REGIONAL_ACL = {"Scope": "REGIONAL"}

LISTINGS = (
    Listing("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    Listing("apigateway", "get_account", "[cloudwatchRoleArn]"),
    Listing("apigateway", "get_api_keys", "items[].id"),
    Listing("apigateway", "get_domain_names", "items[].domainName"),
    Listing("apigateway", "get_rest_apis", "items[].id"),
    Listing("apigateway", "get_usage_plans", "items[].id"),
    Listing("apigatewayv2", "get_apis", "Items[].ApiId"),
    Listing("backup", "list_backup_plans", "BackupPlansList[].BackupPlanArn"),
    Listing("backup", "list_backup_vaults", "BackupVaultList[].BackupVaultArn"),
    Listing("backup", "list_restore_testing_plans", "RestoreTestingPlans[].RestoreTestingPlanArn"),
    Listing("cloudwatch", "describe_alarms", "[MetricAlarms, CompositeAlarms][].AlarmArn", EVERY_ALARM),
    Listing("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardArn"),
    Listing("dynamodb", "list_tables", "TableNames"),
    Listing("dynamodbstreams", "list_streams", "Streams[].StreamArn"),
    Listing("ec2", "describe_addresses", "Addresses[].AllocationId"),
    Listing("ec2", "describe_dhcp_options", "DhcpOptions[].DhcpOptionsId"),
    Listing("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    Listing("ec2", "describe_instances", "Reservations[].Instances[].InstanceId"),
    Listing("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    Listing("ec2", "describe_nat_gateways", "NatGateways[?State!='deleted'].NatGatewayId"),
    Listing("ec2", "describe_network_acls", "NetworkAcls[].NetworkAclId"),
    Listing("ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    Listing("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    Listing("ec2", "describe_security_group_rules", "SecurityGroupRules[].SecurityGroupRuleId"),
    Listing("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    Listing("ec2", "describe_subnets", "Subnets[].SubnetId"),
    Listing("ec2", "describe_volumes", "Volumes[].VolumeId"),
    Listing("ec2", "describe_vpc_endpoints", "VpcEndpoints[].VpcEndpointId"),
    Listing("ec2", "describe_vpc_peering_connections", PEERINGS),
    Listing("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    Listing("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    Listing("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    Listing("events", "list_archives", "Archives[].ArchiveName"),
    Listing("events", "list_endpoints", "Endpoints[].Arn"),
    Listing("events", "list_event_buses", "EventBuses[].Arn"),
    Listing("events", "list_rules", "Rules[].Arn"),
    Listing("globalaccelerator", "list_accelerators", "Accelerators[].AcceleratorArn", region=ACCELERATOR_REGION),
    Listing("iam", "list_groups", "Groups[].Arn", region=IAM_REGION),
    Listing("iam", "list_instance_profiles", "InstanceProfiles[].Arn", region=IAM_REGION),
    Listing("iam", "list_policies", "Policies[].Arn", {"Scope": "Local"}, region=IAM_REGION),
    Listing("iam", "list_roles", "Roles[].Arn", region=IAM_REGION),
    Listing("iam", "list_users", "Users[].Arn", region=IAM_REGION),
    Listing("kms", "list_aliases", "Aliases[].AliasName"),
    Listing("kms", "list_keys", "Keys[].KeyId"),
    Listing("lambda", "list_event_source_mappings", "EventSourceMappings[].UUID"),
    Listing("lambda", "list_functions", "Functions[].FunctionArn"),
    Listing("lambda", "list_layers", "Layers[].LayerArn"),
    Listing("logs", "describe_log_groups", "logGroups[].arn"),
    Listing("logs", "describe_resource_policies", "resourcePolicies[].policyName"),
    Listing("rds", "describe_db_cluster_parameter_groups", "DBClusterParameterGroups[].DBClusterParameterGroupName"),
    Listing("rds", "describe_db_cluster_snapshots", "DBClusterSnapshots[].DBClusterSnapshotArn"),
    Listing("rds", "describe_db_clusters", "DBClusters[].DBClusterArn"),
    Listing("rds", "describe_db_instances", "DBInstances[].DBInstanceArn"),
    Listing("rds", "describe_db_parameter_groups", "DBParameterGroups[].DBParameterGroupName"),
    Listing("rds", "describe_db_subnet_groups", "DBSubnetGroups[].DBSubnetGroupArn"),
    Listing("rds", "describe_global_clusters", "GlobalClusters[].GlobalClusterArn"),
    Listing("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList[].ResourceARN"),
    Listing("route53", "list_health_checks", "HealthChecks[].Id", region=IAM_REGION),
    Listing("route53", "list_hosted_zones", "HostedZones[].Id", region=IAM_REGION),
    Listing("s3", "list_buckets", "Buckets[].Name", region=IAM_REGION),
    Listing("scheduler", "list_schedules", "Schedules[].Arn"),
    Listing("secretsmanager", "list_secrets", "SecretList[].ARN", {"IncludePlannedDeletion": True}),
    Listing("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"),
    Listing("sns", "list_topics", "Topics[].TopicArn"),
    Listing("sqs", "list_queues", "QueueUrls"),
    Listing("ssm", "describe_parameters", "Parameters[].Name"),
    Listing("stepfunctions", "list_state_machines", "stateMachines[].stateMachineArn"),
    Listing("wafv2", "list_ip_sets", "IPSets[].ARN", REGIONAL_ACL),
    Listing("wafv2", "list_logging_configurations", "LoggingConfigurations[].ResourceArn", REGIONAL_ACL),
    Listing("wafv2", "list_web_acls", "WebACLs[].ARN", REGIONAL_ACL),
)


def take(client: Client, regions: Iterable[str], more: Iterable[Listing] = ()) -> Inventory:
    """The result of `LISTINGS` and `more`, in `regions` or a global service's region. Raises botocore's errors."""
    return {
        (listing.name, region): frozenset(_identifiers(client(listing.service, region), listing))
        for listing in (*LISTINGS, *more)
        for region in ([listing.region] if listing.region else regions)
    }


def difference(before: Inventory, after: Inventory) -> dict[tuple[str, str], frozenset[str]]:
    """The identifiers that are in `after` and not in `before`."""
    return {where: new for where, found in after.items() if (new := found - before[where])}


def _identifiers(client: Any, listing: Listing) -> Iterator[str]:
    if client.can_paginate(listing.operation):
        pages = client.get_paginator(listing.operation).paginate(**listing.parameters)
    else:
        pages = [getattr(client, listing.operation)(**listing.parameters)]
    for page in pages:
        yield from filter(None, jmespath.search(listing.identifiers, page) or [])
