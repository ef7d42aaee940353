"""Inputs shared by all Lambda functions of a region, and the factory that creates them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.compute.function import Function, FunctionArgs
from components.edge.witness import witness_name
from components.messaging.dead_letter_queue import DeadLetterQueue
from components.network.vpc import Network
from shared.concurrency import reservations
from shared.naming import Names
from shared.places import Place
from shared.settings import RegionSettings


@dataclass(frozen=True, kw_only=True)
class FunctionContext:
    place: Place
    settings: RegionSettings
    account: pulumi.Input[str]
    network: Network
    key_arn: pulumi.Input[str]
    dead_letters: DeadLetterQueue
    topic_arn: pulumi.Input[str]
    layers: Sequence[pulumi.Input[str]]

    @property
    def names(self) -> Names:
        return self.settings.names

    @property
    def region(self) -> str:
        return self.settings.region(self.place)

    @property
    def peer(self) -> str:
        """The other region."""
        return self.settings.region(self.place.other)

    def arn(self, service: str, resource: str, *, region: str | None = None) -> pulumi.Output[str]:
        """The ARN of a resource with a fixed name, by default in this region."""
        return pulumi.Output.concat(f"arn:aws:{service}:{region or self.region}:", self.account, f":{resource}")

    def function_arn(self, source: str, place: Place | None = None) -> pulumi.Output[str]:
        """The ARN of a function, by default of this region."""
        where = place or self.place
        return self.arn("lambda", f"function:{self.function_name(source, where)}", region=self.settings.region(where))

    def function_name(self, source: str, place: Place | None = None) -> str:
        return self.names.regional(f"function-{source}", place or self.place)

    @property
    def control(self) -> Mapping[str, pulumi.Input[str]]:
        """Environment variables of functions that evaluate the control records
        (`functions/common/control/settings.py`)."""
        return {
            "PLACE": str(self.place),
            "PEER_REGION": self.peer,
            "JOURNAL_TABLE": self.names.journal_table,
            "PEER_TIMEOUT_MS": str(self.settings.peer_timeout_ms),
            # The health of this region as seen from outside.
            "WITNESS_NAME": witness_name(self.place, self.settings.hosted_zone),
            "METRICS_NAMESPACE": self.metrics_namespace,
        }

    @property
    def metrics_namespace(self) -> str:
        """The CloudWatch namespace of what the functions measure themselves."""
        return self.names.shared("dr")

    @property
    def peer_witness(self) -> str:
        """The witness name of the other region."""
        return witness_name(self.place.other, self.settings.hosted_zone)

    def function(
        self,
        source: str,
        *,
        description: str,
        environment: Mapping[str, pulumi.Input[str]],
        statements: Sequence[Mapping[str, Any]],
        opts: pulumi.ResourceOptions,
        timeout: int = 10,
        label: str = "",
        entry: str = "handler",
    ) -> Function:
        """`functions/<source>` in this region, named by `label`, or else by its source; `timeout` in seconds."""
        known_as = label or source
        return Function(
            known_as,
            FunctionArgs(
                source=source,
                entry=entry,
                label=known_as,
                name=self.function_name(known_as),
                region=self.region,
                account=self.account,
                description=description,
                environment=environment,
                statements=statements,
                layers=self.layers,
                vpc_id=self.network.vpc_id,
                subnet_ids=self.network.private_subnet_ids,
                key_arn=self.key_arn,
                dead_letter_arn=self.dead_letters.arn,
                log_retention_days=self.settings.log_retention_days,
                timeout=timeout,
                reserved_concurrency=reservations(self.settings.lambda_concurrency).get(known_as),
            ),
            opts=opts,
        )
