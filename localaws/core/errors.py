"""The one exception of the runner, and what becomes one."""

from botocore.exceptions import BotoCoreError, ClientError


class DeployError(Exception):
    """A stack could not be deployed, destroyed or registered. The message never carries a secret value."""

    def __init__(self, *, stack: str, urn: str, operation: str, code: str, message: str) -> None:
        self.stack = stack
        self.urn = urn
        self.operation = operation
        self.code = code
        self.message = message
        where = f"{stack}: {urn}" if urn else stack
        super().__init__(f"{where}: {operation}: {code}: {message}")


class TableError(Exception):
    """The table of resource types does not fit the resource; becomes a DeployError with its URN."""


FAILURES = (ClientError, BotoCoreError, TableError)


def explain(error: Exception) -> tuple[str, str]:
    """Code and message: AWS's own where AWS refused."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        return answer.get("Code", type(error).__name__), answer.get("Message", str(error))
    return type(error).__name__, str(error)
