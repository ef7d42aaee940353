"""Stands in for `python -m localaws up`: the same file, control API and addresses, with faults that can be ordered.

`python -m tests.drill.fake_aws --directory D --speed S --sabotage X`, the plan on standard input. It is small and
quick, so that many runs fit on one machine; of AWS it knows the two calls that the drill makes. What AWS really answers
is for other tests.
"""

import argparse
import asyncio
import json
import os
import re
import signal
import ssl
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from shared import client_keys
from tests.certificates import write_certificate
from tests.drill.http_exchange import exchanges

PRIMARY, SECONDARY = "us-east-1", "us-east-2"
SERVICE = "pay.dr-test.internal"
ACCOUNT = "000000000000"
SHIFT_SECONDS = 0.8  # after which the front sends clients to the other region
RETURN_SECONDS = 0.3  # after which a healed region takes clients again
SABOTAGED = 7  # the payment that something is done to, counted from 1

Item = dict[str, dict[str, str]]

_TARGET_GROUP = """<DescribeTargetGroupsResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
<DescribeTargetGroupsResult><TargetGroups><member><TargetGroupArn>{arn}</TargetGroupArn>
<HealthCheckIntervalSeconds>10</HealthCheckIntervalSeconds><UnhealthyThresholdCount>2</UnhealthyThresholdCount>
<HealthyThresholdCount>2</HealthyThresholdCount></member></TargetGroups></DescribeTargetGroupsResult>
</DescribeTargetGroupsResponse>"""


class Fake:
    """Two regions, their journals, and what goes wrong on purpose."""

    def __init__(self, sabotage: str, client_key: str) -> None:
        self.sabotage = sabotage
        self.client_key = client_key
        self.lost_at: float | None = None
        self.healed_at = -10.0
        self.refused = 0
        self.accepted = 0
        self.journals: dict[str, dict[str, Item]] = {PRIMARY: {}, SECONDARY: {}}

    @property
    def returned(self) -> bool:
        return self.lost_at is None and time.monotonic() - self.healed_at > RETURN_SECONDS

    @property
    def serving(self) -> str | None:
        """The region that answers clients now; None while nobody does."""
        if self.returned:
            return PRIMARY
        away = self.lost_at is not None
        if away and (self.sabotage == "never-shift" or time.monotonic() - (self.lost_at or 0) < SHIFT_SECONDS):
            return None
        return SECONDARY

    def pay(self, payment: dict[str, str]) -> tuple[int, dict[str, Any]]:
        region = self.serving
        if region is None:
            self.refused += 1
            return 503, {}
        # What a rehearsal sends to measure this machine is not compared with the journals.
        self.accepted += not payment["reference"].startswith("calibration-")
        if not (self.sabotage == "lose-one" and self.accepted == SABOTAGED):
            self._keep(region, payment, f"payment#{payment['id']}")
        if self.sabotage == "pay-twice" and self.accepted == SABOTAGED:
            self._keep(region, payment, f"payment#{payment['id']}-again")
        durability = "both-regions" if self.lost_at is None else "one-region"
        answer = {"id": payment["id"], "accepted_in": region, "durability": durability}
        return (201 if self.lost_at is None else 202), answer

    def heal(self) -> None:
        if self.lost_at is not None:
            self.lost_at, self.healed_at = None, time.monotonic()
            self.journals[PRIMARY] |= self.journals[SECONDARY]

    def control(self, path: str) -> dict[str, Any]:
        if path.endswith("/outage"):
            self.lost_at = time.monotonic()
        if path.endswith("/recover"):
            self.heal()
        if path.endswith(("/calls", "/calls/mark")):
            return {"since": 0.0, "calls": []}
        outage = {"kind": "error", "since": time.time()} if self.lost_at is not None else None
        return {
            "regions": {PRIMARY: {"outage": outage, "refused": {"data:nlb": self.refused}}, SECONDARY: {"refused": {}}},
            "targets": [
                {"region": PRIMARY, "target_group": "t", "state": "healthy" if self.returned else "unhealthy"},
                {"region": SECONDARY, "target_group": "t", "state": "healthy"},
            ],
            "replication": {"backlog": {PRIMARY: len(self.journals[SECONDARY]) - len(self.journals[PRIMARY])}},
        }

    def aws(self, headers: dict[str, str], body: str) -> str:
        """DynamoDB Scan and ELBv2 DescribeTargetGroups; no state machine ever ran, and no sentinel logged a line."""
        if headers.get("x-amz-target", "").endswith(".ListExecutions"):
            return '{"executions": []}'
        if headers.get("x-amz-target", "").endswith(".FilterLogEvents"):
            return '{"events": []}'
        if headers.get("x-amz-target", "").endswith(".Scan"):
            found = re.search(r"Credential=\d+/\d+/([a-z0-9-]+)/", headers["authorization"])
            assert found, "an unsigned call"
            items = list(self.journals[found[1]].values())
            return json.dumps({"Items": items, "Count": len(items), "ScannedCount": len(items)})
        return _TARGET_GROUP.format(arn=parse_qs(body)["TargetGroupArns.member.1"][0])

    def _keep(self, region: str, payment: dict[str, str], key: str) -> None:
        item = {"pk": {"S": key}, **{name: {"S": value} for name, value in payment.items() if name != "id"}}
        for journal in self.journals if self.lost_at is None else [region]:
            self.journals[journal][key] = item


async def front(fake: Fake, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async for _, headers, body, answer in exchanges(reader, writer):
        known = headers.get(client_keys.HEADER) == fake.client_key
        status, content = fake.pay(json.loads(body)) if known else (401, {})
        answer(status, json.dumps(content))


async def back(fake: Fake, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async for path, headers, body, answer in exchanges(reader, writer):
        answer(200, json.dumps(fake.control(path)) if "/_localaws/" in path else fake.aws(headers, body))


def everything_else(contract: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Outputs that a contract promises; those nobody reads here have a name only."""
    made: dict[str, Any] = contract.build(lambda path: known.get(".".join(path), f"fake {path[-1]}")).to_plain()
    return made


def region_outputs(place: str, region: str) -> dict[str, Any]:
    """The outputs of a region's stack that the drill reads."""
    machine = f"arn:aws:states:{region}:{ACCOUNT}:stateMachine"
    return {
        "place": place,
        "region": region,
        "suffix": "test",
        "compute.failover_arn": f"{machine}:failover-{place}-test",
        "compute.failback_arn": f"{machine}:failback-{place}-test",
        "ingress.service_name": SERVICE,
        "ingress.nlb_dns_name": "nlb.example",
    }


def endpoints(
    options: argparse.Namespace, plan: dict[str, Any], accelerator: str, aws: str, ca_file: Path
) -> dict[str, Any]:
    from shared.outputs import GlobalOutputs, RegionOutputs

    places = {"primary": PRIMARY, "secondary": SECONDARY}
    spanning = {"journal_table": "table-journal", "suffix": "test", "accelerator_dns_name": "a.example"}
    outputs = {place: everything_else(RegionOutputs, region_outputs(place, region)) for place, region in places.items()}
    return {
        "environment": plan["environment"],
        "speed": options.speed,
        "pid": os.getpid(),
        "account": ACCOUNT,
        "aws": aws,
        "control": f"{aws}/_localaws",
        "ca_file": str(ca_file),
        "addresses": dict.fromkeys(("a.example:443", "nlb.example:443"), accelerator),
        "metadata": plan["metadata"],
        "outputs": outputs | {"global": everything_else(GlobalOutputs, spanning)},
        "deploy_seconds": {"primary": 0.1, "secondary": 0.1, "global": 0.1},
    }


async def main(options: argparse.Namespace, plan: dict[str, Any]) -> None:
    fake = Fake(options.sabotage, plan["metadata"]["client_key"])
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    certificate = write_certificate(options.directory, SERVICE)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.certificate, certificate.key)
    clients = await asyncio.start_server(lambda r, w: front(fake, r, w), "127.0.0.1", 0, ssl=tls)
    callers = await asyncio.start_server(lambda r, w: back(fake, r, w), "127.0.0.1", 0)
    ports = [server.sockets[0].getsockname()[1] for server in (clients, callers)]
    print("deploying the fake", flush=True)
    addresses = f"127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    content = endpoints(options, plan, *addresses, certificate.certificate)
    unfinished = options.directory / "endpoints.unfinished"
    unfinished.write_text(json.dumps(content))
    unfinished.rename(options.directory / "endpoints.json")
    closed = asyncio.create_task(asyncio.to_thread(sys.stdin.read))  # ends with the drill
    await asyncio.wait({closed, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    os._exit(0)  # the thread may still read


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--speed", type=float, required=True)
    parser.add_argument("--sabotage", default="none")
    parsed = parser.parse_args()
    if parsed.sabotage == "never-up":
        sys.exit("the fake refuses to start")
    asyncio.run(main(parsed, json.loads(sys.stdin.readline())))
