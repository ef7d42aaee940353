"""The Data API's connections to the databases: which database a call reaches, with which login, and its errors.

The request and result formats are ministack's. Only a writer answers, even reads [AURORA-17].
"""

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
from psycopg2 import errorcodes

from localaws import emulator
from localaws.emulator.services import AwsRefusal
from localaws.services.rds.member import Member
from localaws.services.rds.postgres import global_status
from localaws.services.rds.postgres.host import Login

log = logging.getLogger(__name__)

_STATUS = global_status.NAME.encode()
WORKERS = 32
# A call ends after 45 s, and a transaction three minutes after its last call [AURORA-17].
LIMITS = "-c statement_timeout=45s -c idle_in_transaction_session_timeout=180s"
LOGIN_ERRORS = {
    "password authentication failed": errorcodes.INVALID_PASSWORD,
    "does not exist": errorcodes.INVALID_CATALOG_NAME,
}


class DataApi:
    """Runs SQL on the member that `find(cluster ARN)` returns. `refresh(member)` precedes a statement that reads the
    global database's status."""

    def __init__(self, find: Callable[[str], Member | None], refresh: Callable[[Member], None]) -> None:
        self._find = find
        self._refresh = refresh
        self._workers = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="data-api")

    def attach(self) -> emulator.patches.Undo:
        """Serve the Data API from now on, until the returned function is called."""
        detach = emulator.aurora.serve_data_api(self._prepare, self.connect, explain, self._workers)

        def undo() -> None:
            detach()
            self._workers.shutdown(wait=False, cancel_futures=True)

        return undo

    def _prepare(self, body: bytes) -> None:
        """Before a call is run: its JSON body."""
        if _STATUS not in body.lower():
            return
        member = self._find(str(json.loads(body).get("resourceArn")))
        if member and member.writes:
            try:
                self._refresh(member)
            except (psycopg2.OperationalError, FileNotFoundError) as problem:
                # The statement fails as well, if the writer is lost.
                log.info("event=status_not_refreshed %s %s", member.cluster.arn, problem)

    def connect(self, cluster: str, user: str | None, password: str, database: str | None) -> Any:
        """A connection to the writer `cluster` (ARN); without `database`, to the one with the user's name, as on AWS.

        Raises AwsRefusal without a writer, psycopg2.OperationalError when it rejects the login.
        """
        member = self._find(cluster)
        if member is None:
            raise AwsRefusal(
                "BadRequestException",
                f"The embedded AWS runs SQL on Aurora PostgreSQL clusters only; {cluster or 'this'} is none.",
            )
        if not member.writes:
            raise AwsRefusal("DatabaseUnavailableException", f"The writer instance of {cluster} isn't available.", 504)
        login = Login(user=user or member.cluster.master_username, password=password)
        return member.instance.connect(login, database or login.user, LIMITS)


def explain(problem: Exception) -> AwsRefusal:
    """The Data API's error for an exception of a connection or a statement."""
    if isinstance(problem, AwsRefusal):
        return problem
    if not isinstance(problem, psycopg2.Error):
        return AwsRefusal("BadRequestException", f"{type(problem).__name__}: {problem}")
    if problem.pgcode is None:
        return _explain_connection(str(problem))
    if problem.pgcode == errorcodes.QUERY_CANCELED:
        return AwsRefusal("StatementTimeoutException", f"Request timed out: {problem.diag.message_primary}")
    if problem.pgcode in (errorcodes.ADMIN_SHUTDOWN, errorcodes.CRASH_SHUTDOWN):
        return AwsRefusal("DatabaseUnavailableException", "The writer instance was stopped.", 504)
    position = problem.diag.statement_position
    place = f"; Position: {position}" if position else ""
    return _database_error(f"{problem.diag.message_primary}{place}", problem.pgcode)


def _explain_connection(message: str) -> AwsRefusal:
    for words, code in LOGIN_ERRORS.items():
        if words in message:
            return _database_error(message.rpartition("FATAL:")[2].strip(), code)
    return AwsRefusal("DatabaseUnavailableException", "The writer instance doesn't answer.", 504)


def _database_error(message: str, code: str) -> AwsRefusal:
    return AwsRefusal("DatabaseErrorException", f"ERROR: {message}; SQLState: {code}")
