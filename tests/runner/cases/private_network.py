"""Private ways: two VPCs peered across regions, interface endpoints, flow logs."""

from tests.runner.cases import Case, Reading

PROGRAM = """
tags = {"Application": "dr"}
other = aws.Provider("other", region="us-east-2", default_tags={"tags": tags})
west = pulumi.ResourceOptions(provider=other)
here = aws.ec2.Vpc("here", cidr_block="10.20.0.0/16", enable_dns_hostnames=True, opts=opts)
there = aws.ec2.Vpc("there", cidr_block="10.21.0.0/16", opts=west)
zones = [
    aws.ec2.Subnet(z, vpc_id=here.id, cidr_block=f"10.20.{n}.0/24", availability_zone=f"us-east-1{z}", opts=opts)
    for n, z in enumerate("ab")
]
request = aws.ec2.VpcPeeringConnection(
    "ask", vpc_id=here.id, peer_vpc_id=there.id, peer_region="us-east-2", auto_accept=False, opts=opts
)
accepted = aws.ec2.VpcPeeringConnectionAccepter(
    "accept", vpc_peering_connection_id=request.id, auto_accept=True, opts=west
)
asking = aws.ec2.PeeringConnectionOptions(
    "ask", vpc_peering_connection_id=accepted.id, requester={"allow_remote_vpc_dns_resolution": True}, opts=opts
)
answering = aws.ec2.PeeringConnectionOptions(
    "answer", vpc_peering_connection_id=accepted.id, accepter={"allow_remote_vpc_dns_resolution": True}, opts=west
)
group = aws.ec2.SecurityGroup("ingress", vpc_id=here.id, description="endpoints", opts=opts)
endpoint = aws.ec2.VpcEndpoint(
    "events", vpc_id=here.id, service_name="com.amazonaws.us-east-1.events", vpc_endpoint_type="Interface",
    subnet_ids=[zone.id for zone in zones], security_group_ids=[group.id], private_dns_enabled=True, opts=opts,
)
logs = aws.cloudwatch.LogGroup("flows", name="/runner/flows", opts=opts)
role = aws.iam.Role("flows", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}), opts=opts)
flows = aws.ec2.FlowLog(
    "flows", vpc_id=here.id, traffic_type="ALL", log_destination_type="cloud-watch-logs", log_destination=logs.arn,
    iam_role_arn=role.arn, max_aggregation_interval=60, opts=opts,
)
for name, value in {
    "connection": accepted.id, "status": accepted.accept_status, "here": here.id, "peer": accepted.peer_vpc_id,
    "endpoint": endpoint.id, "names": endpoint.dns_entries, "interfaces": endpoint.network_interface_ids,
    "group": group.id, "flows": flows.id, "role": role.arn, "subnet": zones[0].id,
}.items():
    pulumi.export(name, value)
"""


CASE = Case(
    PROGRAM,
    {
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": Reading(
            lambda aws, out: {
                **(
                    found := aws("ec2").describe_vpc_peering_connections(
                        VpcPeeringConnectionIds=[out["connection"]],
                        Filters=[{"Name": "status-code", "Values": ["active"]}],
                    )["VpcPeeringConnections"][0]
                ),
                "Blocks": [found[side]["CidrBlock"] for side in ("RequesterVpcInfo", "AccepterVpcInfo")],
            },
            {"Status": {"Code": "active", "Message": "Active"}, "Blocks": ["10.20.0.0/16", "10.21.0.0/16"]},
        ),
        "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": Reading(
            lambda aws, out: {
                **(
                    found := aws("ec2", "us-east-2").describe_vpc_peering_connections(
                        VpcPeeringConnectionIds=[out["connection"]],
                        Filters=[{"Name": "status-code", "Values": ["active"]}],
                    )["VpcPeeringConnections"][0]
                ),
                "Same": out["peer"] == out["here"] == found["RequesterVpcInfo"]["VpcId"],
                "Accepted": out["status"],
            },
            {"Same": True, "Accepted": "active"},
        ),
        "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": Reading(
            lambda aws, out: {
                side: found[f"{side}VpcInfo"]["PeeringOptions"]["AllowDnsResolutionFromRemoteVpc"]
                for found in aws("ec2").describe_vpc_peering_connections(VpcPeeringConnectionIds=[out["connection"]])[
                    "VpcPeeringConnections"
                ]
                for side in ("Requester", "Accepter")
            },
            {"Requester": True, "Accepter": True},
            stays="options go with the connection, which is shown as deleted for a while",
        ),
        "aws:ec2/vpcEndpoint:VpcEndpoint": Reading(
            lambda aws, out: {
                **(found := aws("ec2").describe_vpc_endpoints(VpcEndpointIds=[out["endpoint"]])["VpcEndpoints"][0]),
                "Group": [group["GroupId"] for group in found["Groups"]] == [out["group"]],
                "Names": [entry["DnsName"] for entry in found["DnsEntries"]]
                == [entry["dnsName"] for entry in out["names"]],
                "Interfaces": len(found["NetworkInterfaceIds"])
                if found["NetworkInterfaceIds"] == out["interfaces"]
                else 0,
            },
            {"PrivateDnsEnabled": True, "Group": True, "Names": True, "Interfaces": 2, "State": "available"},
        ),
        "aws:ec2/flowLog:FlowLog": Reading(
            lambda aws, out: {
                **(found := aws("ec2").describe_flow_logs(FlowLogIds=[out["flows"]])["FlowLogs"][0]),
                "Role": found["DeliverLogsPermissionArn"] == out["role"],
            },
            {"TrafficType": "ALL", "MaxAggregationInterval": 60, "LogGroupName": "/runner/flows", "Role": True},
        ),
    },
    edits=(
        ('{"Application": "dr"}', '{"Owner": "me"}'),
        ('requester={"allow_remote_vpc_dns_resolution": True}', 'requester={"allow_remote_vpc_dns_resolution": False}'),
    ),
    changed={"aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": {"Requester": False, "Accepter": True}},
)
