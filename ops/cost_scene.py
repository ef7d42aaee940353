"""How the load reaches the registered resources: which region gets how much, and what probes add to it."""

import re
from dataclasses import dataclass
from functools import cached_property

from ops.cost_load import CHECKERS, SECONDS, Load
from ops.registered import Row, Rows, of_type

GROUP = "aws:globalaccelerator/endpointGroup:EndpointGroup"
CHECK = "aws:route53/healthCheck:HealthCheck"
TARGETS = "aws:lb/targetGroup:TargetGroup"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
PERMISSION = "aws:lambda/permission:Permission"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
_DOORS = ("elasticloadbalancing.amazonaws.com", "apigateway.amazonaws.com")
_HEALTH = "/health"  # how the ARN of the one operation ends that the health function may be invoked for
_EVERY = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}


@dataclass(frozen=True)
class Scene:
    rows: Rows
    load: Load

    @cached_property
    def shares(self) -> dict[str, float]:
        """By region, the share of the load, from the dials of the accelerator; a standby region has none."""
        dials = {
            row["inputs"]["endpointGroupRegion"]: float(row["inputs"].get("trafficDialPercentage", 100))
            for row in of_type(self.rows, GROUP)
        }
        total = sum(dials.values())
        return {region: dial / total for region, dial in dials.items()} if total else {}

    def share(self, row: Row) -> float:
        return self.shares.get(row["region"], 0.0)

    def requests(self, row: Row, *, api: bool) -> float:
        """Clients' requests a month at one of the doors of the row's region."""
        by_door = self.load.api_share if api else 1 - self.load.api_share
        return self.load.requests * self.share(row) * by_door

    def probes(self, row: Row, *, api: bool) -> float:
        """Requests a month by which Route 53 looks at that door; they come with no load at all."""
        return sum(
            CHECKERS * SECONDS / float(check["inputs"].get("requestInterval", 30))
            for check in of_type(self.rows, CHECK)
            for host in [str(check["inputs"].get("fqdn", ""))]
            if row["region"] in host and ("execute-api" in host) == api
        )

    def target_probes(self, row: Row) -> float:
        """Requests a month by which the region's load balancers look at what is behind them, from each zone."""
        zones = max((len(each["inputs"].get("subnets", [])) for each in self._here(row, BALANCER)), default=0)
        return sum(
            zones * SECONDS / float(group["inputs"]["healthCheck"].get("interval", 30))
            for group in self._here(row, TARGETS)
            # A function is not checked unless that is asked for [ALB-2].
            if group["inputs"].get("healthCheck")
        )

    def invocations(self, function: Row) -> tuple[float, float]:
        """How often a function runs a month: for clients and payments, and whatever the load is."""
        use = fixed = 0.0
        if self._answers_health(function):
            fixed += self.probes(function, api=False) + self.probes(function, api=True) + self.target_probes(function)
        elif self._at_the_door(function):
            use += self.requests(function, api=False) + self.requests(function, api=True)
        if self._streams_to(function):
            use += self.load.payments  # each region's stream carries all payments
        return use, fixed + self.runs(function)

    def runs(self, function: Row) -> float:
        """How often a schedule starts a function a month."""
        return sum(times(schedule) for schedule in self._schedules(function))

    def reads_streams(self) -> bool:
        return bool(of_type(self.rows, MAPPING))

    def _at_the_door(self, function: Row) -> bool:
        return any(each["inputs"].get("principal") in _DOORS for each in self._naming(function, PERMISSION, "function"))

    def _answers_health(self, function: Row) -> bool:
        permissions = self._naming(function, PERMISSION, "function")
        return any(str(each["inputs"].get("sourceArn")).endswith(_HEALTH) for each in permissions)

    def _streams_to(self, function: Row) -> bool:
        mappings = self._naming(function, MAPPING, "functionName")
        return any("dynamodb" in str(each["inputs"].get("eventSourceArn")) for each in mappings)

    def _naming(self, function: Row, token: str, key: str) -> list[Row]:
        names = {function["outputs"].get("name"), function["outputs"].get("arn")} - {None}
        return [
            row
            for row in self._here(function, token)
            if any(str(row["inputs"].get(key, "")).startswith(name) for name in names)
        ]

    def _schedules(self, function: Row) -> list[str]:
        arn = function["outputs"].get("arn")
        found = [
            row["inputs"]["scheduleExpression"]
            for row in self._here(function, "aws:scheduler/schedule:Schedule")
            if (row["inputs"].get("target") or {}).get("arn") == arn
        ]
        rules = {row["outputs"].get("name"): row for row in self._here(function, "aws:cloudwatch/eventRule:EventRule")}
        for target in self._here(function, "aws:cloudwatch/eventTarget:EventTarget"):
            rule = rules.get(target["inputs"].get("rule"))
            if rule and target["inputs"].get("arn") == arn and rule["inputs"].get("scheduleExpression"):
                found.append(rule["inputs"]["scheduleExpression"])
        return found

    def _here(self, row: Row, token: str) -> list[Row]:
        return [each for each in of_type(self.rows, token) if each["region"] == row["region"]]


def times(schedule: str) -> float:
    """How often a month; a cron expression counts as daily."""
    found = _EVERY.fullmatch(schedule)
    return SECONDS / 60 / (int(found[1]) * _MINUTES[found[2]] if found else _MINUTES["day"])
