"""EC2: actions of our own, and what ministack drops (`ec2_peering`, `ec2_endpoints`, `ec2_flow_logs`)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.emulator.patches import Undo, patch
from localaws.emulator.services import Answer, AwsRefusal


@dataclass(frozen=True)
class Ec2Call:
    """One EC2 request."""

    account: str
    region: str
    parameters: dict[str, Any]

    def text(self, name: str) -> str:
        from ministack.services import ec2

        return str(ec2._p(self.parameters, name))

    def texts(self, prefix: str) -> list[str]:
        from ministack.services import ec2

        return list(ec2._parse_member_list(self.parameters, prefix))


Ec2Action = Callable[[Ec2Call, Callable[[], Answer]], Answer]


def extend_ec2_action(name: str, act: Ec2Action) -> Undo:
    """Let `act(call, what ministack does)` answer an EC2 action; ministack refuses those it lacks. May AwsRefuse."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ec2

    def answer(known: Any, parameters: dict[str, Any]) -> Answer:
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

    return patch(f"services.ec2:_ACTION_MAP[{name}]", answer)


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
