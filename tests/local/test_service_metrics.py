"""Metrics that services publish. An AWS minute lasts half a second here."""

import time
import uuid
from typing import Any

from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.local.test_alarms import becomes, put_alarm


def watch(aws: LocalAws, name: str, region: str = EAST_1, **settings: Any) -> None:
    put_alarm(aws, name, region, **{"TreatMissingData": "breaching", **settings})


def test_messages_that_wait_set_off_the_alarm_of_their_queue(planes: LocalAws, name: str) -> None:
    queue = planes.client("sqs", EAST_2).create_queue(QueueName=name)["QueueUrl"]
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible"}
    watch(planes, name, EAST_2, **metric, Dimensions=[{"Name": "QueueName", "Value": name}])
    assert becomes(planes, name, "OK", EAST_2)

    planes.client("sqs", EAST_2).send_message(QueueUrl=queue, MessageBody="dead")

    assert becomes(planes, name, "ALARM", EAST_2)
    planes.client("sqs", EAST_2).purge_queue(QueueUrl=queue)
    assert becomes(planes, name, "OK", EAST_2)


def test_a_health_check_reports_in_us_east_1_whether_it_is_healthy(planes: LocalAws, name: str) -> None:
    route53 = planes.client("route53")
    config = {"Type": "CALCULATED", "ChildHealthChecks": [], "HealthThreshold": 0}
    made = route53.create_health_check(CallerReference=uuid.uuid4().hex, HealthCheckConfig=config)
    check = made["HealthCheck"]["Id"]
    metric = {"Namespace": "AWS/Route53", "MetricName": "HealthCheckStatus", "Statistic": "Minimum"}
    dimensions = [{"Name": "HealthCheckId", "Value": check}]
    below_one: dict[str, Any] = {"ComparisonOperator": "LessThanThreshold", "Dimensions": dimensions, **metric}
    watch(planes, name, **below_one)
    watch(planes, name, EAST_2, **below_one)
    assert becomes(planes, name, "OK")
    assert becomes(planes, name, "ALARM", EAST_2), "there is no such metric in another region"

    route53.update_health_check(HealthCheckId=check, Inverted=True)

    assert becomes(planes, name, "ALARM")


def test_a_network_load_balancer_counts_its_targets_by_health(planes: LocalAws, name: str) -> None:
    ec2, elb = planes.client("ec2"), planes.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.250.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.250.0.0/24")["Subnet"]["SubnetId"]
    short = name[:25]
    balancer = elb.create_load_balancer(Name=short, Type="network", Subnets=[subnet])["LoadBalancers"][0]
    checked = {"HealthCheckIntervalSeconds": 5, "UnhealthyThresholdCount": 2, "HealthCheckTimeoutSeconds": 2}
    group = elb.create_target_group(
        Name=short, Protocol="TCP", Port=9, VpcId=vpc, TargetType="ip", HealthCheckProtocol="TCP", **checked
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="TCP",
        Port=9,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    dimensions = [
        {"Name": "LoadBalancer", "Value": balancer["LoadBalancerArn"].partition(":loadbalancer/")[2]},
        {"Name": "TargetGroup", "Value": group.rpartition(":")[2]},
    ]
    metric: dict[str, Any] = {
        "Namespace": "AWS/NetworkELB",
        "MetricName": "UnHealthyHostCount",
        "Dimensions": dimensions,
    }
    watch(planes, name, **metric, TreatMissingData="missing")

    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": 9}])

    assert becomes(planes, name, "ALARM"), "nothing listens at the target"
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": 9}])
    assert becomes(planes, name, "INSUFFICIENT_DATA"), "no target, no report"


def test_a_lost_region_reports_nothing(planes: LocalAws, name: str) -> None:
    planes.client("sqs", EAST_2).create_queue(QueueName=name)
    assert eventually(lambda: reports(planes, name))
    planes.lose(EAST_2)
    lost = time.time()
    time.sleep(3.0)

    planes.heal(EAST_2)

    healed = time.time()
    assert eventually(lambda: any(moment >= healed - 1 for moment in reports(planes, name)))
    assert not [moment for moment in reports(planes, name) if lost < moment < healed - 1]


def reports(aws: LocalAws, queue: str) -> list[float]:
    """The times at which a queue reported, in whole seconds of this machine's clock."""
    dimensions = [{"Name": "QueueName", "Value": queue}]
    metric = {"Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": dimensions}
    now = time.time()
    found = aws.client("cloudwatch", EAST_2).get_metric_statistics(
        **metric, StartTime=now - 60, EndTime=now + 1, Period=1, Statistics=["SampleCount"]
    )
    return [point["Timestamp"].timestamp() for point in found["Datapoints"]]
