"""Names and ways in: hosted zone, records, health checks, accelerator."""

from typing import Any

from tests.runner.cases import Case, Client, Reading

PROGRAM = """
zone = aws.route53.Zone("zone", name="runner.example", force_destroy=True, opts=opts)
check = aws.route53.HealthCheck(
    "primary", type="HTTPS", fqdn="primary.runner.example", port=443, resource_path="/health", request_interval=10,
    failure_threshold=2, measure_latency=True, opts=opts,
)
record = aws.route53.Record(
    "www", zone_id=zone.zone_id, name="www", type="TXT", ttl=60, records=["us-east-1"], set_identifier="primary",
    failover_routing_policies=[{"type": "PRIMARY"}], health_check_id=check.id, opts=opts,
)
accelerator = aws.globalaccelerator.Accelerator("runner", ip_address_type="IPV4", enabled=True, opts=opts)
listener = aws.globalaccelerator.Listener(
    "tls", accelerator_arn=accelerator.id, protocol="TCP", port_ranges=[{"from_port": 443, "to_port": 443}], opts=opts
)
group = aws.globalaccelerator.EndpointGroup(
    "east", listener_arn=listener.id, endpoint_group_region="us-east-1", health_check_interval_seconds=10,
    threshold_count=2, traffic_dial_percentage=80, opts=opts,
)
for name, value in {
    "zone": zone.zone_id, "check": check.id, "fqdn": record.fqdn, "accelerator": accelerator.id,
    "dns": accelerator.dns_name, "listener": listener.id, "group": group.id,
}.items():
    pulumi.export(name, value)
"""


def _record(aws: Client, out: dict[str, Any]) -> Any:
    records = aws("route53").list_resource_record_sets(HostedZoneId=out["zone"])["ResourceRecordSets"]
    found = next(record for record in records if record["Type"] == "TXT")
    return {
        **found,
        "Same": found["HealthCheckId"] == out["check"],
        "Full": found["Name"] == f"{out['fqdn']}." == "www.runner.example.",
    }


CASE = Case(
    PROGRAM,
    {
        "aws:route53/zone:Zone": Reading(
            lambda aws, out: {
                **aws("route53").get_hosted_zone(Id=out["zone"])["HostedZone"],
                "Tags": aws("route53").list_tags_for_resource(ResourceType="hostedzone", ResourceId=out["zone"])[
                    "ResourceTagSet"
                ]["Tags"],
            },
            {"Name": "runner.example.", "Tags": [{"Key": "Application", "Value": "dr"}]},
        ),
        "aws:route53/record:Record": Reading(
            _record,
            {
                "SetIdentifier": "primary",
                "Failover": "PRIMARY",
                "TTL": 60,
                "ResourceRecords": [{"Value": '"us-east-1"'}],
                "Same": True,
                "Full": True,
            },
        ),
        "aws:route53/healthCheck:HealthCheck": Reading(
            lambda aws, out: aws("route53").get_health_check(HealthCheckId=out["check"])["HealthCheck"][
                "HealthCheckConfig"
            ],
            {"Type": "HTTPS", "RequestInterval": 10, "FailureThreshold": 2, "EnableSNI": True},
        ),
        "aws:globalaccelerator/accelerator:Accelerator": Reading(
            lambda aws, out: {
                **(
                    found := aws("globalaccelerator", "us-west-2").describe_accelerator(
                        AcceleratorArn=out["accelerator"]
                    )
                )["Accelerator"],
                "Same": found["Accelerator"]["DnsName"] == out["dns"],
            },
            {"Enabled": True, "IpAddressType": "IPV4", "Same": True},
        ),
        "aws:globalaccelerator/listener:Listener": Reading(
            lambda aws, out: aws("globalaccelerator", "us-west-2").describe_listener(ListenerArn=out["listener"])[
                "Listener"
            ],
            {"Protocol": "TCP", "PortRanges": [{"FromPort": 443, "ToPort": 443}]},
        ),
        "aws:globalaccelerator/endpointGroup:EndpointGroup": Reading(
            lambda aws, out: aws("globalaccelerator", "us-west-2").describe_endpoint_group(
                EndpointGroupArn=out["group"]
            )["EndpointGroup"],
            {"EndpointGroupRegion": "us-east-1", "TrafficDialPercentage": 80.0, "ThresholdCount": 2},
        ),
    },
    edits=(
        ("failure_threshold=2", "failure_threshold=3"),
        ('records=["us-east-1"]', 'records=["us-east-2"]'),
        ("traffic_dial_percentage=80", "traffic_dial_percentage=70"),
        ('"from_port": 443, "to_port": 443', '"from_port": 444, "to_port": 444'),
        ("enabled=True", "enabled=False"),
    ),
    changed={
        "aws:route53/healthCheck:HealthCheck": {"FailureThreshold": 3},
        "aws:route53/record:Record": {"ResourceRecords": [{"Value": '"us-east-2"'}]},
        "aws:globalaccelerator/endpointGroup:EndpointGroup": {"TrafficDialPercentage": 70.0},
        "aws:globalaccelerator/listener:Listener": {"PortRanges": [{"FromPort": 444, "ToPort": 444}]},
        "aws:globalaccelerator/accelerator:Accelerator": {"Enabled": False},
    },
)
