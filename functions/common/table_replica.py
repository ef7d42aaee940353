"""One region's replica of the DynamoDB global table that holds the journal and the control records.

Every call returns or raises ReplicaUnavailable with a short reason, never with the content of an item.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = "pk"

# A call in all may take this many times its client's read timeout, which applies to each wait for data: name resolution
# has no timeout at all, and an answer that comes byte by byte never reaches it.
DEADLINE_FACTOR = 1.2
_MOST_CALLS = 8  # under way at a time; abandoned ones count until they end

# A frozen Lambda sandbox does not notice that its connections were dropped (NAT gateways drop idle ones after 350 s,
# DynamoDB sooner), and a request on such a connection may wait for its whole timeout. After this many seconds without a
# call the connections are replaced.
IDLE_SECONDS = 50.0

Item = dict[str, Any]  # attribute name to DynamoDB attribute value, such as {"S": "text"}
Response = TypeVar("Response")


class ReplicaUnavailable(Exception):
    """A region's replica did not answer, or rejected the call; `reason` is the error's code or class name."""

    def __init__(self, region: str, reason: str) -> None:
        super().__init__(f"the replica in {region} is unavailable: {reason}")
        self.region = region
        self.reason = reason


class Replica:
    """Reads and conditional writes of whole items by key, in one region. `clock` returns Unix seconds.

    Every attempt of a call ends by its deadline, since `/health` and payments wait for it. One that is abandoned may
    still have its effect later, like one whose answer is lost.
    """

    def __init__(
        self, client: "DynamoDBClient", *, region: str, table: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.region = region
        self._client = client
        self._table = table
        self._clock = clock
        self._used_at = clock()
        config: Any = client.meta.config  # the stubs lack its options
        self._deadline = DEADLINE_FACTOR * float(config.read_timeout)
        self._threads = ThreadPoolExecutor(max_workers=_MOST_CALLS, thread_name_prefix=f"replica-{region}")

    def read(self, key: str) -> Item | None:
        """The item with `key`, by a strongly consistent read; None if there is none. Raises ReplicaUnavailable."""
        found = self._call(
            lambda: self._client.get_item(TableName=self._table, Key={KEY: {"S": key}}, ConsistentRead=True)
        )
        return found.get("Item")

    def read_all(self, keys: Sequence[str]) -> dict[str, Item]:
        """The existing items among `keys`, by key, each by a strongly consistent read. Raises ReplicaUnavailable."""
        request: Any = {"Keys": [{KEY: {"S": key}} for key in keys], "ConsistentRead": True}
        found = self._call(lambda: self._client.batch_get_item(RequestItems={self._table: request}))
        if found.get("UnprocessedKeys"):  # how DynamoDB throttles a batch
            raise ReplicaUnavailable(self.region, "UnprocessedKeys")
        return {item[KEY]["S"]: item for item in found.get("Responses", {}).get(self._table, [])}

    def add(self, item: Item) -> Item | None:
        """Put `item` unless its key exists. Returns the existing item, or None if `item` was put.

        Raises ReplicaUnavailable; `item` may have been put nevertheless.
        """
        try:
            self._call(
                lambda: self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(#key)",
                    ExpressionAttributeNames={"#key": KEY},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            )
        except _ConditionFailed as failed:
            return failed.item
        return None

    def exchange(self, item: Item, *, unless_changed: Mapping[str, Any]) -> bool:
        """Overwrite the stored item with `item` if it still has these attribute values. Returns whether it did.

        Raises ReplicaUnavailable.
        """
        names = {f"#n{i}": name for i, name in enumerate(unless_changed)}
        values = {f":v{i}": value for i, value in enumerate(unless_changed.values())}
        try:
            self._call(
                lambda: self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=" AND ".join(f"#n{i} = :v{i}" for i in range(len(names))),
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues=values,
                )
            )
        except _ConditionFailed:
            return False
        return True

    def _call(self, call: Callable[[], Response], *, retry: bool = True) -> Response:
        """The result of `call`, retried once at once after a closed connection or a server error of DynamoDB.

        Both fail quickly, so the retry costs little when the region is lost; a timeout is never retried.
        """
        self._drop_idle_connections()
        in_flight = self._threads.submit(call)
        try:
            return in_flight.result(timeout=self._deadline)
        except TimeoutError:
            in_flight.cancel()
            raise ReplicaUnavailable(self.region, "DeadlineExceeded") from None
        except ClientError as error:
            if not retry or error.response["ResponseMetadata"]["HTTPStatusCode"] < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise self._translated(error) from None
        except BotoCoreError as error:
            if not retry or not isinstance(error, ConnectionClosedError):
                raise ReplicaUnavailable(self.region, type(error).__name__) from None
        return self._call(call, retry=False)

    def _drop_idle_connections(self) -> None:
        now = self._clock()
        if not 0 <= now - self._used_at < IDLE_SECONDS:
            self._client.close()  # closes the pooled connections; the client stays usable
        self._used_at = now

    def _translated(self, error: ClientError) -> Exception:
        code = error.response.get("Error", {}).get("Code", "")
        if code == "ConditionalCheckFailedException":
            response: Any = error.response
            return _ConditionFailed(response.get("Item"))
        return ReplicaUnavailable(self.region, code or type(error).__name__)


class _ConditionFailed(Exception):
    def __init__(self, item: Item | None) -> None:
        super().__init__("the write's condition failed")
        self.item = item
