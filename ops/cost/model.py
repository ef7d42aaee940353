"""Registered resources and a load, as lines of a monthly estimate."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ops.cost.prices import Price
from ops.environment.resource_graph import Row, Rows, of_type

# The assumed load, averaged over a month. What the command line does not offer as an option is a constant here.

HOURS = 730  # AWS's own month
SECONDS = HOURS * 3600
KB_IN_GB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Load:
    """Requests of clients, and the amount of stored data."""

    payments_per_second: float = 1.0
    reads_per_payment: float = 1.0
    request_kb: float = 2.0  # one request and its response
    function_ms: float = 60.0
    log_kb: float = 1.0  # of one invocation
    journal_gb: float = 10.0
    database_gb: float = 10.0
    database_acu: float = 0.0  # average capacity of a serverless writer; at least its minimum
    bucket_gb: float = 10.0
    failovers: float = 1.0  # a month, drills included
    api_share: float = 0.0  # share of requests through the regional API instead of the accelerator

    @property
    def payments(self) -> float:
        return self.payments_per_second * SECONDS

    @property
    def requests(self) -> float:
        return self.payments * (1 + self.reads_per_payment)


# One payment (decision 0001): a write to each of the two replicas, each of which is replicated.
TABLE_WRITES = 4
# Reads of one payment; the control record is cached in the function.
TABLE_READS = 1
# I/O of the ledger's statement at the writer, and of its replication to the other region's storage.
DATABASE_IO = 4
REPLICATED_IO = 2
# A function's own calls to AWS and to the peer per request, by NAT gateway or interface endpoint.
CALLS_KB = 6.0
ACCESS_LOG_KB = 0.5
FLOW_LOG_KB = 0.6
TRANSITIONS = 40  # of a failover with its failback
# Route 53 health checkers per endpoint [R53-10]: about one request every two seconds at 30 s.
CHECKERS = 15
CATCH_UP_SECONDS = 1.0  # of a scheduled call that finds nothing left to do
# Decision 0012: a batch of payments is an item in the reader's backlog, written and deleted; 40 bytes for each id.
BATCH, BATCH_SECONDS, ID_KB = 500, 2.0, 0.04
# X-Ray records the first request of a second and this share of the others [XRAY-1].
SAMPLED = 0.05
# Lambda polls a queue with five long polls of 20 s [LAMBDA-14].
POLLS = 5 * SECONDS / 20


# How the load is distributed over the registered resources, and the requests of health checks.


GROUP = "aws:globalaccelerator/endpointGroup:EndpointGroup"
CHECK = "aws:route53/healthCheck:HealthCheck"
TARGETS = "aws:lb/targetGroup:TargetGroup"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
PERMISSION = "aws:lambda/permission:Permission"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
_ENDPOINTS = ("elasticloadbalancing.amazonaws.com", "apigateway.amazonaws.com")
_HEALTH = "/health"  # end of the ARN of the only operation that may invoke the health function
_EVERY = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}


@dataclass(frozen=True)
class Scene:
    rows: Rows
    load: Load

    @cached_property
    def shares(self) -> dict[str, float]:
        """Share of the load by region, from the accelerator's traffic dials; a standby region has none."""
        dials = {
            row["inputs"]["endpointGroupRegion"]: float(row["inputs"].get("trafficDialPercentage", 100))
            for row in of_type(self.rows, GROUP)
        }
        total = sum(dials.values())
        return {region: dial / total for region, dial in dials.items()} if total else {}

    def share(self, row: Row) -> float:
        return self.shares.get(row["region"], 0.0)

    def requests(self, row: Row, *, api: bool) -> float:
        """Requests of clients a month at the API or the load balancer of the row's region."""
        share = self.load.api_share if api else 1 - self.load.api_share
        return self.load.requests * self.share(row) * share

    def probes(self, row: Row, *, api: bool) -> float:
        """Requests of Route 53 health checks a month at that endpoint, independent of the load."""
        return sum(
            CHECKERS * SECONDS / float(check["inputs"].get("requestInterval", 30))
            for check in of_type(self.rows, CHECK)
            for host in [str(check["inputs"].get("fqdn", ""))]
            if row["region"] in host and ("execute-api" in host) == api
        )

    def target_probes(self, row: Row) -> float:
        """Requests of the load balancers' target health checks a month, from each zone."""
        zones = max((len(each["inputs"].get("subnets", [])) for each in self._here(row, BALANCER)), default=0)
        return sum(
            zones * SECONDS / float(group["inputs"]["healthCheck"].get("interval", 30))
            for group in self._here(row, TARGETS)
            # Health checks of Lambda targets are off by default [ALB-2].
            if group["inputs"].get("healthCheck")
        )

    def invocations(self, function: Row) -> tuple[float, float]:
        """Invocations a month: by load, and fixed."""
        use = fixed = 0.0
        if self._answers_health(function):
            fixed += self.probes(function, api=False) + self.probes(function, api=True) + self.target_probes(function)
        elif self._serves_clients(function):
            use += self.requests(function, api=False) + self.requests(function, api=True)
        if self._streams_to(function):
            use += self.load.payments  # each region's stream carries all payments
        return use, fixed + self.runs(function)

    def runs(self, function: Row) -> float:
        """Scheduled invocations a month."""
        return sum(times(schedule) for schedule in self._schedules(function))

    def scheduled_seconds(self, function: Row) -> float:
        """Seconds a month that scheduled invocations run, at most. A stream's consumer mostly finds nothing left to do;
        others may work for the whole minute."""
        longest = min(float(function["inputs"].get("timeout", 3)), 60.0)
        return self.runs(function) * (CATCH_UP_SECONDS if self._streams_to(function) else longest)

    def reads_streams(self) -> bool:
        return bool(of_type(self.rows, MAPPING))

    def _serves_clients(self, function: Row) -> bool:
        return any(
            each["inputs"].get("principal") in _ENDPOINTS for each in self._naming(function, PERMISSION, "function")
        )

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
    """Runs a month; a cron expression counts as daily."""
    found = _EVERY.fullmatch(schedule)
    return SECONDS / 60 / (int(found[1]) * _MINUTES[found[2]] if found else _MINUTES["day"])


@dataclass(frozen=True)
class Use:
    """A quantity of one price in a month, fixed or by load."""

    price: str
    quantity: float
    fixed: bool = True


Pricer = Callable[[Row, Scene], Iterable[Use]]


@dataclass(frozen=True)
class Line:
    stack: str
    service: str
    resource: str
    price: str
    quantity: float
    unit: str
    fixed: bool
    dollars: float


@dataclass(frozen=True)
class Estimate:
    environment: str
    load: Load
    lines: list[Line] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)  # types without a pricer
    unpriced: Counter[str] = field(default_factory=Counter)  # keys that the price table lacks

    @property
    def fixed(self) -> float:
        return sum(line.dollars for line in self.lines if line.fixed)

    @property
    def use(self) -> float:
        return sum(line.dollars for line in self.lines if not line.fixed)

    @property
    def total(self) -> float:
        return self.fixed + self.use

    def by(self, *keys: str) -> dict[tuple[str, ...], tuple[float, float]]:
        """Fixed and per-use dollars, by stack, service or resource; sorted."""
        sums: dict[tuple[str, ...], list[float]] = {}
        for line in self.lines:
            found = sums.setdefault(tuple(getattr(line, key) for key in keys), [0.0, 0.0])
            found[not line.fixed] += line.dollars
        return {key: (fixed, use) for key, (fixed, use) in sorted(sums.items())}


def estimate(
    environment: str,
    rows: Rows,
    load: Load,
    pricers: Mapping[str, Pricer],
    free: Mapping[str, str],
    prices: Mapping[str, Price],
) -> Estimate:
    """The monthly cost of the rows under this load."""
    found = Estimate(environment, load)
    scene = Scene(rows, load)
    for row in rows:
        if not row["type"].startswith("aws:") or row["type"] in free:
            continue
        pricer = pricers.get(row["type"])
        if pricer is None:
            found.unknown[row["type"]] += 1
            continue
        for use in pricer(row, scene):
            price = prices.get(use.price)
            if price is None:
                found.unpriced[use.price] += 1
            elif use.quantity:
                found.lines.append(_line(row, use, price))
    return found


def _line(row: Row, use: Use, price: Price) -> Line:
    return Line(
        stack=row["stack"],
        service=price.service,
        resource=row["name"],
        price=use.price,
        quantity=use.quantity,
        unit=price.unit,
        fixed=use.fixed,
        dollars=use.quantity * price.price,
    )
