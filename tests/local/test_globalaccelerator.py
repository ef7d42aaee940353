"""Global Accelerator's API through boto3."""

import re
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.traffic_world import EAST_1, EAST_2, Cell, World, eventually, shared_world, world

__all__ = ["shared_world", "world"]


def token() -> str:
    return uuid.uuid4().hex


def create(world: World, name: str = "front", **settings: Any) -> dict[str, Any]:
    made = world.accelerator_client().create_accelerator(Name=name, **{"IdempotencyToken": token(), **settings})
    accelerator: dict[str, Any] = made["Accelerator"]
    return accelerator


def listen(world: World, accelerator: str, *ports: tuple[int, int], **settings: Any) -> str:
    made = world.accelerator_client().create_listener(
        AcceleratorArn=accelerator,
        PortRanges=[{"FromPort": first, "ToPort": last} for first, last in ports or [(443, 443)]],
        **{"Protocol": "TCP", "IdempotencyToken": token(), **settings},
    )
    return str(made["Listener"]["ListenerArn"])


def group(world: World, listener: str, region: str = EAST_1, **settings: Any) -> dict[str, Any]:
    made = world.accelerator_client().create_endpoint_group(
        ListenerArn=listener, EndpointGroupRegion=region, **{"IdempotencyToken": token(), **settings}
    )
    created: dict[str, Any] = made["EndpointGroup"]
    return created


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


@pytest.fixture
def cell(world: World) -> Cell:
    return world.cell(EAST_1)


def test_an_accelerator_has_a_name_and_two_addresses_of_its_own(world: World) -> None:
    one, other = create(world), create(world)

    for found in (one, other):
        assert re.fullmatch(r"a[0-9a-f]{16}\.awsglobalaccelerator\.com", found["DnsName"])
        assert re.fullmatch(
            rf"arn:aws:globalaccelerator::{world.account}:accelerator/[0-9a-f-]{{36}}", found["AcceleratorArn"]
        )
        assert (found["Name"], found["Enabled"], found["IpAddressType"]) == ("front", True, "IPV4")
    addresses = [*one["IpSets"][0]["IpAddresses"], *other["IpSets"][0]["IpAddresses"]]
    assert len(set(addresses)) == 4


def test_a_change_is_in_progress_first_and_deployed_soon_after(world: World) -> None:
    client, made = world.accelerator_client(), create(world)
    arn = made["AcceleratorArn"]

    def status() -> str:
        return str(client.describe_accelerator(AcceleratorArn=arn)["Accelerator"]["Status"])

    assert made["Status"] == "IN_PROGRESS"
    assert eventually(lambda: status() == "DEPLOYED")
    listen(world, arn)
    assert status() == "IN_PROGRESS"
    assert eventually(lambda: status() == "DEPLOYED")


def test_an_accelerator_can_be_renamed_and_disabled(world: World) -> None:
    client, arn = world.accelerator_client(), create(world)["AcceleratorArn"]
    client.update_accelerator(AcceleratorArn=arn, Name="renamed", Enabled=False)

    found = client.describe_accelerator(AcceleratorArn=arn)["Accelerator"]

    assert (found["Name"], found["Enabled"]) == ("renamed", False)


def test_the_same_token_creates_once(world: World) -> None:
    again = token()

    assert (
        create(world, IdempotencyToken=again)["AcceleratorArn"]
        == create(world, IdempotencyToken=again)["AcceleratorArn"]
    )


def test_only_a_disabled_accelerator_without_listeners_can_be_deleted(world: World) -> None:
    client, arn = world.accelerator_client(), create(world)["AcceleratorArn"]
    listener = listen(world, arn)
    with pytest.raises(ClientError) as refused:
        client.delete_accelerator(AcceleratorArn=arn)
    assert code_of(refused) == "AcceleratorNotDisabledException"
    client.update_accelerator(AcceleratorArn=arn, Enabled=False)
    with pytest.raises(ClientError) as refused:
        client.delete_accelerator(AcceleratorArn=arn)
    assert code_of(refused) == "AssociatedListenerFoundException"
    client.delete_listener(ListenerArn=listener)
    client.delete_accelerator(AcceleratorArn=arn)

    with pytest.raises(ClientError) as refused:
        client.describe_accelerator(AcceleratorArn=arn)
    assert code_of(refused) == "AcceleratorNotFoundException"
    assert arn not in [found["arn"] for found in world.traffic.status()["accelerators"]]


def test_a_listener_with_an_endpoint_group_cannot_be_deleted(world: World) -> None:
    client = world.accelerator_client()
    listener = listen(world, create(world)["AcceleratorArn"])
    arn = group(world, listener)["EndpointGroupArn"]
    with pytest.raises(ClientError) as refused:
        client.delete_listener(ListenerArn=listener)
    assert code_of(refused) == "AssociatedEndpointGroupFoundException"
    client.delete_endpoint_group(EndpointGroupArn=arn)
    client.delete_listener(ListenerArn=listener)

    with pytest.raises(ClientError) as refused:
        client.describe_listener(ListenerArn=listener)
    assert code_of(refused) == "ListenerNotFoundException"


@pytest.mark.parametrize("ports", [[(443, 80)], [(443, 443), (440, 450)]])
def test_port_ranges_run_upwards_and_do_not_overlap(world: World, ports: list[tuple[int, int]]) -> None:
    with pytest.raises(ClientError) as refused:
        listen(world, create(world)["AcceleratorArn"], *ports)

    assert code_of(refused) == "InvalidPortRangeException"


def test_two_listeners_of_an_accelerator_share_no_port(world: World) -> None:
    arn = create(world)["AcceleratorArn"]
    listen(world, arn, (443, 443))
    second = listen(world, arn, (80, 81))
    with pytest.raises(ClientError) as refused:
        listen(world, arn, (81, 90))
    assert code_of(refused) == "InvalidPortRangeException"

    client = world.accelerator_client()
    client.update_listener(ListenerArn=second, PortRanges=[{"FromPort": 81, "ToPort": 82}], ClientAffinity="SOURCE_IP")
    found = client.describe_listener(ListenerArn=second)["Listener"]
    assert (found["PortRanges"], found["ClientAffinity"]) == ([{"FromPort": 81, "ToPort": 82}], "SOURCE_IP")


def test_a_listener_has_one_endpoint_group_per_region(world: World) -> None:
    listener = listen(world, create(world)["AcceleratorArn"])
    group(world, listener, EAST_1)
    group(world, listener, EAST_2)
    with pytest.raises(ClientError) as refused:
        group(world, listener, EAST_1)

    assert code_of(refused) == "EndpointGroupAlreadyExistsException"


def test_an_endpoint_group_has_the_defaults_of_the_service(world: World, cell: Cell) -> None:
    listener = listen(world, create(world)["AcceleratorArn"], (8443, 8443))
    made = group(world, listener, EndpointConfigurations=[{"EndpointId": cell.nlb}])
    found = world.accelerator_client().describe_endpoint_group(EndpointGroupArn=made["EndpointGroupArn"])[
        "EndpointGroup"
    ]

    settings = ("HealthCheckPort", "HealthCheckProtocol", "HealthCheckIntervalSeconds", "ThresholdCount")
    assert [found[name] for name in settings] == [8443, "TCP", 30, 3]
    assert found["TrafficDialPercentage"] == 100
    assert found["EndpointDescriptions"][0]["Weight"] == 128
    assert found["EndpointDescriptions"][0]["ClientIPPreservationEnabled"] is False


def test_an_endpoint_shows_the_health_of_its_load_balancer(world: World, cell: Cell) -> None:
    made = group(
        world, listen(world, create(world)["AcceleratorArn"]), EndpointConfigurations=[{"EndpointId": cell.nlb}]
    )

    def state() -> str:
        found = world.accelerator_client().describe_endpoint_group(EndpointGroupArn=made["EndpointGroupArn"])
        return str(found["EndpointGroup"]["EndpointDescriptions"][0]["HealthState"])

    assert eventually(lambda: state() == "HEALTHY")
    world.answer_with(cell, 500)
    assert eventually(lambda: state() == "UNHEALTHY")


def test_dial_weight_and_health_check_can_be_changed(world: World, cell: Cell) -> None:
    made = group(world, listen(world, create(world)["AcceleratorArn"]))
    client, arn = world.accelerator_client(), made["EndpointGroupArn"]
    client.update_endpoint_group(
        EndpointGroupArn=arn,
        TrafficDialPercentage=12.5,
        ThresholdCount=5,
        EndpointConfigurations=[{"EndpointId": cell.nlb, "Weight": 0}],
        PortOverrides=[{"ListenerPort": 443, "EndpointPort": 8443}],
    )
    found = client.describe_endpoint_group(EndpointGroupArn=arn)["EndpointGroup"]

    assert (found["TrafficDialPercentage"], found["ThresholdCount"]) == (12.5, 5)
    assert [(one["EndpointId"], one["Weight"]) for one in found["EndpointDescriptions"]] == [(cell.nlb, 0)]
    assert found["PortOverrides"] == [{"ListenerPort": 443, "EndpointPort": 8443}]


def test_endpoints_can_be_replaced(world: World, cell: Cell) -> None:
    client = world.accelerator_client()
    arn = group(
        world,
        listen(world, create(world)["AcceleratorArn"]),
        EndpointConfigurations=[{"EndpointId": cell.nlb}, {"EndpointId": cell.alb, "Weight": 1}],
    )["EndpointGroupArn"]
    client.update_endpoint_group(EndpointGroupArn=arn, EndpointConfigurations=[{"EndpointId": cell.alb}])

    found = client.describe_endpoint_group(EndpointGroupArn=arn)["EndpointGroup"]["EndpointDescriptions"]
    assert [(one["EndpointId"], one["ClientIPPreservationEnabled"]) for one in found] == [(cell.alb, True)]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TrafficDialPercentage": 100.5}, "TrafficDialPercentage"),
        ({"ThresholdCount": 11}, "ThresholdCount"),
        ({"HealthCheckIntervalSeconds": 31}, "HealthCheckIntervalSeconds"),
        ({"EndpointConfigurations": [{"EndpointId": "x", "Weight": 256}]}, "Weight"),
        ({"EndpointConfigurations": [{"EndpointId": "i-0123"}]}, "i-0123"),
        ({"HealthCheckProtocol": "GOPHER"}, "GOPHER"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(world: World, settings: dict[str, Any], words: str) -> None:
    listener = listen(world, create(world)["AcceleratorArn"])
    with pytest.raises(ClientError) as refused:
        group(world, listener, **settings)

    assert code_of(refused) == "InvalidArgumentException"
    assert words in str(refused.value)


def test_an_endpoint_of_another_region_is_refused(world: World, cell: Cell) -> None:
    listener = listen(world, create(world)["AcceleratorArn"])
    with pytest.raises(ClientError, match=f"is in {EAST_1}, its endpoint group in {EAST_2}") as refused:
        group(world, listener, EAST_2, EndpointConfigurations=[{"EndpointId": cell.nlb}])

    assert code_of(refused) == "InvalidArgumentException"


def test_a_load_balancer_that_does_not_exist_is_refused(world: World, cell: Cell) -> None:
    listener = listen(world, create(world)["AcceleratorArn"])
    with pytest.raises(ClientError, match="does not exist"):
        group(world, listener, EndpointConfigurations=[{"EndpointId": f"{cell.nlb}0"}])


def test_client_addresses_are_preserved_only_where_aws_can_do_it(world: World, cell: Cell) -> None:
    listener = listen(world, create(world)["AcceleratorArn"])
    made = world.client("elbv2").create_load_balancer(Name=token()[:12], Type="network", Scheme="internal")
    internal = made["LoadBalancers"][0]["LoadBalancerArn"]
    with pytest.raises(ClientError, match="security groups"):
        group(world, listener, EndpointConfigurations=[{"EndpointId": cell.nlb, "ClientIPPreservationEnabled": True}])
    with pytest.raises(ClientError, match="internal"):
        group(world, listener, EndpointConfigurations=[{"EndpointId": internal, "ClientIPPreservationEnabled": False}])


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_accelerator", {"Name": "x", "IdempotencyToken": "t", "IpAddressType": "DUAL_STACK"}),
        ("create_custom_routing_accelerator", {"Name": "x", "IdempotencyToken": "t"}),
        ("remove_endpoints", {"EndpointGroupArn": "arn", "EndpointIdentifiers": [{"EndpointId": "x"}]}),
        (
            "provision_byoip_cidr",
            {"Cidr": "1.2.3.0/24", "CidrAuthorizationContext": {"Message": "m", "Signature": "s"}},
        ),
    ],
)
def test_an_operation_that_is_not_emulated_is_refused_with_the_reason(
    world: World, operation: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match=r"not emulated|embedded AWS"):
        getattr(world.accelerator_client(), operation)(**parameters)


def test_udp_is_refused(world: World) -> None:
    arn = create(world)["AcceleratorArn"]
    with pytest.raises(ClientError, match="TCP only"):
        listen(world, arn, Protocol="UDP")


def test_tags_can_be_set_at_creation_and_changed(world: World) -> None:
    client = world.accelerator_client()
    arn = create(world, Tags=[{"Key": "stack", "Value": "global"}, {"Key": "old", "Value": "x"}])["AcceleratorArn"]
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "suffix", "Value": "dev"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["old"])

    found = {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    assert found == {"stack": "global", "suffix": "dev"}


def test_flow_logs_are_an_attribute_and_need_a_bucket(world: World) -> None:
    client, arn = world.accelerator_client(), create(world)["AcceleratorArn"]
    assert client.describe_accelerator_attributes(AcceleratorArn=arn)["AcceleratorAttributes"] == {
        "FlowLogsEnabled": False
    }
    with pytest.raises(ClientError, match="FlowLogsS3Bucket"):
        client.update_accelerator_attributes(AcceleratorArn=arn, FlowLogsEnabled=True)
    client.update_accelerator_attributes(
        AcceleratorArn=arn, FlowLogsEnabled=True, FlowLogsS3Bucket="b", FlowLogsS3Prefix="p"
    )

    found = client.describe_accelerator_attributes(AcceleratorArn=arn)["AcceleratorAttributes"]
    assert found == {"FlowLogsEnabled": True, "FlowLogsS3Bucket": "b", "FlowLogsS3Prefix": "p"}


def test_an_account_lists_its_own_accelerators(world: World) -> None:
    client, account = world.client("globalaccelerator", "us-west-2", account="111122223333"), "111122223333"
    made = {
        client.create_accelerator(Name=f"a{n}", IdempotencyToken=token())["Accelerator"]["AcceleratorArn"]
        for n in range(5)
    }
    create(world)
    pages = list(client.get_paginator("list_accelerators").paginate())

    assert {one["AcceleratorArn"] for found in pages for one in found["Accelerators"]} == made
    assert all(f"::{account}:" in arn for arn in made)


def test_an_account_has_twenty_accelerators(world: World) -> None:
    for _ in range(20):
        create(world)
    with pytest.raises(ClientError) as refused:
        create(world)

    assert code_of(refused) == "LimitExceededException"


def test_an_accelerator_of_another_account_is_not_found(world: World) -> None:
    arn = create(world)["AcceleratorArn"]
    with pytest.raises(ClientError) as refused:
        world.client("globalaccelerator", "us-west-2", account="444455556666").describe_accelerator(AcceleratorArn=arn)

    assert code_of(refused) == "AcceleratorNotFoundException"


def test_listeners_and_groups_are_listed_under_their_owner(world: World) -> None:
    client, arn = world.accelerator_client(), create(world)["AcceleratorArn"]
    listeners = {listen(world, arn, (port, port)) for port in (80, 443)}
    groups = {group(world, next(iter(listeners)), region)["EndpointGroupArn"] for region in (EAST_1, EAST_2)}

    assert {found["ListenerArn"] for found in client.list_listeners(AcceleratorArn=arn)["Listeners"]} == listeners
    listed = client.list_endpoint_groups(ListenerArn=next(iter(listeners)))["EndpointGroups"]
    assert {found["EndpointGroupArn"] for found in listed} == groups


def test_each_port_of_a_listener_is_open_and_a_disabled_accelerator_has_none(world: World) -> None:
    made = create(world)
    listen(world, made["AcceleratorArn"], (443, 444))
    for port in (443, 444):
        world.address(made["DnsName"], port)
    world.accelerator_client().update_accelerator(AcceleratorArn=made["AcceleratorArn"], Enabled=False)

    assert eventually(lambda: not [name for name in world.traffic.addresses() if name.startswith(made["DnsName"])])


def test_a_port_override_reaches_another_listener_of_the_endpoint(world: World, cell: Cell) -> None:
    made = create(world)
    listener = listen(world, made["AcceleratorArn"], (8443, 8443))
    group(
        world,
        listener,
        EndpointConfigurations=[{"EndpointId": cell.nlb}],
        PortOverrides=[{"ListenerPort": 8443, "EndpointPort": 443}],
    )
    world.await_target(cell, "healthy")

    assert world.get(world.address(made["DnsName"], 8443)) == (200, EAST_1)
