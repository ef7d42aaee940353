"""Open-loop load: payments at a fixed rate to one address, without retries, each response counted."""

import asyncio
import ssl
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

from shared import client_keys
from shared.local_endpoints import Endpoints

_TIMEOUT = 10.0  # seconds for a response
_ACCEPTED = (200, 201, 202)
_PAYMENT = {
    "amount": "12.50",
    "currency": "EUR",
    "debtor": "DE89370400440532013000",
    "creditor": "DE89370400440532013000",
    "reference": "bench",
}


@dataclass(kw_only=True)
class Answers:
    latencies: list[float] = field(default_factory=list)  # seconds, of accepted payments
    refused: Counter[str] = field(default_factory=Counter)  # by status, or by name of the error

    @property
    def accepted(self) -> int:
        return len(self.latencies)

    def quantile(self, share: float) -> float:
        """The latency quantile of the accepted payments, in milliseconds; NaN without any."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


async def pay(endpoints: Endpoints, *, rate: float, seconds: float) -> Answers:
    """Pay at the accelerator of `endpoints.json` for `seconds` over keep-alive connections; awaits all responses."""
    answers = Answers()
    trust = ssl.create_default_context(cafile=endpoints.ca_file)
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # one of several self-signed certificates of one name
    headers = {client_keys.HEADER: endpoints.client_key.get_secret_value(), "host": endpoints.service_name}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trust, limit=0),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=_TIMEOUT),
    ) as session:

        async def one() -> None:
            began = time.monotonic()
            body = {"id": str(uuid.uuid4()), **_PAYMENT}
            try:
                async with session.post(
                    f"{endpoints.accelerator.url}/payments", json=body, server_hostname=endpoints.service_name
                ) as response:
                    await response.read()
            except (aiohttp.ClientError, OSError) as error:
                answers.refused[type(error).__name__] += 1
                return
            if response.status in _ACCEPTED:
                answers.latencies.append(time.monotonic() - began)
            else:
                answers.refused[str(response.status)] += 1

        began = time.monotonic()
        async with asyncio.TaskGroup() as clients:
            for number in range(max(1, round(rate * seconds))):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                clients.create_task(one())
    return answers
