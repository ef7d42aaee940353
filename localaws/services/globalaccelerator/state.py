"""AWS Global Accelerator, standard accelerators: what is deployed, and the rules of changing it.

Left out, and refused with a reason: UDP listeners, dual-stack and brought addresses, endpoints other than load
balancers, custom routing, cross-account attachments. Sources: the service's API reference (the model botocore ships)
and https://docs.aws.amazon.com/global-accelerator/latest/dg/.
"""

import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from localaws.core.clock import Clock
from localaws.services.globalaccelerator import rules
from localaws.services.globalaccelerator.records import Accelerator, EndpointGroup, Listener
from localaws.services.globalaccelerator.rules import ApiError

HOSTED_ZONE_ID = "Z2BJ6XQ5FK7U4H"  # of every accelerator's DNS name (API Route53.AliasTarget)
DEPLOYING_SECONDS = (
    2.0  # AWS seconds in IN_PROGRESS after a change; on AWS it is minutes, which would teach nothing here
)
ACCELERATORS_PER_ACCOUNT = 20
LISTENERS_PER_ACCELERATOR = 10

Record = TypeVar("Record", Accelerator, Listener, EndpointGroup)


class GlobalAccelerator:
    """State of all accounts. Written by the API's thread, read by the fronts': records are never changed in place."""

    def __init__(self, clock: Clock) -> None:
        self.accelerators: dict[str, Accelerator] = {}
        self.listeners: dict[str, Listener] = {}
        self.endpoint_groups: dict[str, EndpointGroup] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._clock = clock
        self._lock = threading.RLock()
        self._made = 0

    def clear(self) -> None:
        with self._lock:
            for kept in (self.accelerators, self.listeners, self.endpoint_groups, self.tags, self._tokens):
                kept.clear()

    def listeners_of(self, accelerator: str) -> list[Listener]:
        return [listener for listener in tuple(self.listeners.values()) if listener.accelerator == accelerator]

    def groups_of(self, listener: str) -> list[EndpointGroup]:
        return [group for group in tuple(self.endpoint_groups.values()) if group.listener == listener]

    def status(self, accelerator: Accelerator) -> str:
        return "IN_PROGRESS" if self._clock.now() - accelerator.changed_at < DEPLOYING_SECONDS else "DEPLOYED"

    def create_accelerator(
        self, account: str, name: str, *, enabled: bool, tags: Mapping[str, str], token: str
    ) -> Accelerator:
        def create() -> Accelerator:
            if len(self.accelerators_of(account)) >= ACCELERATORS_PER_ACCOUNT:
                raise ApiError(
                    "LimitExceededException", f"You can have {ACCELERATORS_PER_ACCOUNT} accelerators per account."
                )
            now = time.time()
            # One address from each of two networks, as AWS has two network zones; RFC 5737 keeps these from routing.
            host = self._made % 254 + 1
            self._made += 1
            accelerator = Accelerator(
                arn=f"arn:aws:globalaccelerator::{account}:accelerator/{uuid.uuid4()}",
                account=account,
                name=name,
                enabled=enabled,
                dns_name=f"a{secrets.token_hex(8)}.awsglobalaccelerator.com",
                addresses=(f"198.51.100.{host}", f"203.0.113.{host}"),
                created=now,
                modified=now,
                changed_at=self._clock.now(),
            )
            self.accelerators[accelerator.arn] = accelerator
            self.tags[accelerator.arn] = dict(tags)
            return accelerator

        return self._once(account, token, self.accelerators, create)

    def accelerators_of(self, account: str) -> list[Accelerator]:
        return [accelerator for accelerator in tuple(self.accelerators.values()) if accelerator.account == account]

    def accelerator(self, account: str, arn: str) -> Accelerator:
        found = self.accelerators.get(arn)
        if found is None or found.account != account:
            raise ApiError("AcceleratorNotFoundException", f"The accelerator {arn} does not exist.")
        return found

    def update_accelerator(self, account: str, arn: str, **changes: Any) -> Accelerator:
        """Change `name`, `enabled` or `flow_logs`."""
        with self._lock:
            changed = replace(self.accelerator(account, arn), **changes)
            self.accelerators[arn] = changed
            return self._touch(arn)

    def delete_accelerator(self, account: str, arn: str) -> None:
        with self._lock:
            if self.accelerator(account, arn).enabled:
                raise ApiError(
                    "AcceleratorNotDisabledException", "The accelerator must be disabled before it is deleted."
                )
            if self.listeners_of(arn):
                raise ApiError(
                    "AssociatedListenerFoundException", "The accelerator still has a listener; delete it first."
                )
            del self.accelerators[arn]
            self.tags.pop(arn, None)

    def create_listener(
        self,
        account: str,
        accelerator: str,
        port_ranges: Sequence[tuple[int, int]],
        *,
        client_affinity: str,
        token: str,
    ) -> Listener:
        def create() -> Listener:
            self.accelerator(account, accelerator)
            siblings = self.listeners_of(accelerator)
            if len(siblings) >= LISTENERS_PER_ACCELERATOR:
                raise ApiError(
                    "LimitExceededException", f"An accelerator has {LISTENERS_PER_ACCELERATOR} listeners at most."
                )
            rules.check_port_ranges(port_ranges, taken=[r for listener in siblings for r in listener.port_ranges])
            listener = Listener(
                arn=f"{accelerator}/listener/{secrets.token_hex(4)}",
                accelerator=accelerator,
                port_ranges=tuple(port_ranges),
                client_affinity=client_affinity,
            )
            self.listeners[listener.arn] = listener
            self._touch(accelerator)
            return listener

        return self._once(account, token, self.listeners, create)

    def listener(self, account: str, arn: str) -> Listener:
        found = self.listeners.get(arn)
        if found is None or self.accelerators[found.accelerator].account != account:
            raise ApiError("ListenerNotFoundException", f"The listener {arn} does not exist.")
        return found

    def update_listener(
        self, account: str, arn: str, port_ranges: Sequence[tuple[int, int]] | None, client_affinity: str | None
    ) -> Listener:
        with self._lock:
            listener = self.listener(account, arn)
            if port_ranges is not None:
                others = [other for other in self.listeners_of(listener.accelerator) if other.arn != arn]
                rules.check_port_ranges(port_ranges, taken=[r for other in others for r in other.port_ranges])
                listener = replace(listener, port_ranges=tuple(port_ranges))
            if client_affinity is not None:
                listener = replace(listener, client_affinity=client_affinity)
            self.listeners[arn] = listener
            self._touch(listener.accelerator)
            return listener

    def delete_listener(self, account: str, arn: str) -> None:
        with self._lock:
            listener = self.listener(account, arn)
            if self.groups_of(arn):
                reason = "The listener still has an endpoint group; delete it first."
                raise ApiError("AssociatedEndpointGroupFoundException", reason)
            del self.listeners[arn]
            self._touch(listener.accelerator)

    def create_endpoint_group(
        self, account: str, listener: str, region: str, *, token: str, **settings: Any
    ) -> EndpointGroup:
        def create() -> EndpointGroup:
            owner = self.listener(account, listener)
            if any(group.region == region for group in self.groups_of(listener)):
                reason = f"The listener already has an endpoint group in {region}."
                raise ApiError("EndpointGroupAlreadyExistsException", reason)
            group = EndpointGroup(
                arn=f"{listener}/endpoint-group/{secrets.token_hex(6)}", listener=listener, region=region, **settings
            )
            self.endpoint_groups[group.arn] = group
            self._touch(owner.accelerator)
            return group

        return self._once(account, token, self.endpoint_groups, create)

    def endpoint_group(self, account: str, arn: str) -> EndpointGroup:
        found = self.endpoint_groups.get(arn)
        if found is None or self.accelerators[self.listeners[found.listener].accelerator].account != account:
            raise ApiError("EndpointGroupNotFoundException", f"The endpoint group {arn} does not exist.")
        return found

    def update_endpoint_group(self, account: str, arn: str, **changes: Any) -> EndpointGroup:
        with self._lock:
            group = replace(self.endpoint_group(account, arn), **changes)
            self.endpoint_groups[arn] = group
            self._touch(self.listeners[group.listener].accelerator)
            return group

    def delete_endpoint_group(self, account: str, arn: str) -> None:
        with self._lock:
            group = self.endpoint_group(account, arn)
            del self.endpoint_groups[arn]
            self._touch(self.listeners[group.listener].accelerator)

    def _touch(self, arn: str) -> Accelerator:
        """Every change below an accelerator deploys the accelerator anew."""
        touched = replace(self.accelerators[arn], modified=time.time(), changed_at=self._clock.now())
        self.accelerators[arn] = touched
        return touched

    def _once(self, account: str, token: str, records: dict[str, Record], create: Callable[[], Record]) -> Record:
        """Create, or return what the same idempotency token created before."""
        with self._lock:
            if (known := self._tokens.get((account, token))) and known in records:
                return records[known]
            record = create()
            self._tokens[account, token] = record.arn
            return record
