"""A region's event bus. It has the same name in both regions, which a global endpoint demands [EVENTS-1]."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class EventBusArgs:
    name: str
    key_arn: pulumi.Input[str]
    dead_letter_arn: pulumi.Input[str]


class EventBus(pulumi.ComponentResource):
    """Encrypted with the region's key. An event that crosses to the other bus travels in TLS and is encrypted there
    with that region's key. Such a bus cannot have schema discovery [EVENTS-10]."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: EventBusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:event_bus:EventBus", name, None, opts)
        bus = aws.cloudwatch.EventBus(
            f"{name}-bus",
            name=args.name,
            description="Payments, in both regions by this name",
            kms_key_identifier=args.key_arn,
            # Keeps events that could not be encrypted or decrypted [EVENTS-9].
            dead_letter_config={"arn": args.dead_letter_arn},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name, self.arn = bus.name, bus.arn
        self.register_outputs({"name": self.name, "arn": self.arn})


def bus_arn(region: str, account: pulumi.Input[str], name: str) -> pulumi.Output[str]:
    """The ARN that a bus will have: for policies that must stand before the bus does."""
    return pulumi.Output.concat(f"arn:aws:events:{region}:", account, f":event-bus/{name}")
