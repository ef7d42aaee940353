"""`dr state create | move`: a backend in two regions, and the move of an environment's state between them."""

import json
import os
import re
import time
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ops.environment import backend
from ops.environment.aws import caller, masked, pages
from ops.rollout import pulumi_cli
from ops.rollout.waves import ALL_STACKS
from ops.state.location import Location, moved_key, moved_state
from ops.state.store import Store
from ops.state.store import create as create_store
from shared.aws_sessions import Sessions
from shared.command_line import (
    CouldNotStart,
    EnvOption,
    Refused,
    YesOption,
    add_command,
    command_group,
    confirm,
)

app = command_group("Keep Pulumi's state in two regions.")
_CURRENT = ".pulumi/stacks/"
"""Of a self-managed backend, the states; history and backups are beside them."""
_LOCKS = ".pulumi/locks/"
_ANSWER_WITHIN = 10  # seconds for a bucket whose region may be lost
_ARRIVED = ("COMPLETED", "REPLICA")
_PAUSE = 2.0
_SERVER_ERROR = 500


def create(
    name: Annotated[str, typer.Option(help="Name of the backend; its buckets are <name>-<region>.")],
    region: Annotated[str, typer.Option(help="Region in which the state is used: an environment's secondary region.")],
    copy_region: Annotated[str, typer.Option(help="Region of the copy: an environment's primary region.")],
    yes: YesOption = False,
) -> None:
    """Create a backend and a secrets provider in two regions, once for all environments.

    Two buckets that replicate each other, and a KMS multi-Region key. What exists is kept.
    """
    if region == copy_region:
        raise CouldNotStart("the copy belongs into another region")
    who = caller(region)
    store = Store(name=name, region=region, copy_region=copy_region)
    confirm(
        f"Creates buckets {store.bucket(region)} and {store.bucket(copy_region)} and key {store.alias} in account "
        f"{masked(who.account)}, as {who.name}.",
        name,
        yes=yes,
    )
    key = create_store(store, Sessions().client, typer.echo)
    typer.echo(f'next: make init ENV=<name> BACKEND="{store.backend}" SECRETS_PROVIDER="{store.secrets_provider(key)}"')


def move(
    region: Annotated[str, typer.Option(help="Region whose bucket and key are used from now on.")],
    env: EnvOption = "dev",
    yes: YesOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the replication of the last changes.")] = 900,
) -> None:
    """Move an environment's state to the bucket and the key in another region, or back.

    While the region it leaves is lost, what its bucket did not replicate is missing: refresh afterwards.
    """
    here = Location.of(backend.url())
    there = here.moved(region)
    who = caller(region)
    sessions = Sessions()
    note = ""
    if here != there and not _wait_for_copy(sessions, here, timeout):
        note = _missing(sessions, there)
    confirm(
        f"Moves the state of {env} from {here.bucket} to {there.bucket}{note}, and to the key in {region}, in account "
        f"{masked(who.account)}, as {who.name}.",
        env,
        yes=yes,
    )
    if here != there:
        _log_in(there.url)
    for stack in ALL_STACKS:
        _use_key(stack, env, region)
    typer.echo(f"the state of {env} is used in {region}; next: make refresh ENV={env}, once all that it names is back")


def _wait_for_copy(sessions: Sessions, here: Location, timeout: float) -> bool:
    """Whether everything in `here` has reached its copy; False if its region does not answer.

    Raises Refused, and ClientError for an answer such as AccessDenied, which is no loss.
    """
    deadline = time.monotonic() + timeout
    s3 = sessions.client("s3", here.region, answer_within=_ANSWER_WITHIN)
    try:
        if locks := pages(s3, "list_objects_v2", "Contents", Bucket=here.bucket, Prefix=_LOCKS):
            raise Refused(f"a deployment holds the lock {locks[0]['Key']}: wait for its end, or pulumi cancel")
        while late := _late(s3, here.bucket):
            if time.monotonic() > deadline:
                raise Refused(
                    f"{len(late)} states are not in the copy yet, such as {late[0]}; repeat the command later, or copy "
                    "them: aws s3 sync"
                )
            time.sleep(_PAUSE)
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] < _SERVER_ERROR:
            raise
        typer.echo(f"{here.bucket} does not answer, so {here.region} counts as lost: {error}")
        return False
    return True


def _late(s3: Any, bucket: str) -> list[str]:
    """States whose current version has not been replicated."""
    found = pages(s3, "list_objects_v2", "Contents", Bucket=bucket, Prefix=_CURRENT)
    heads = ((each["Key"], s3.head_object(Bucket=bucket, Key=each["Key"])) for each in found)
    return [key for key, head in heads if head.get("ReplicationStatus") not in _ARRIVED]


def _missing(sessions: Sessions, there: Location) -> str:
    """Warnings before a move away from a lost region. Raises CouldNotStart without a copy."""
    s3 = sessions.client("s3", there.region)
    found = pages(s3, "list_objects_v2", "Contents", Bucket=there.bucket, Prefix=_CURRENT)
    if not found:
        raise CouldNotStart(f"{there.bucket} holds no state")
    newest = max(each["LastModified"] for each in found)
    return f" (its last change is of {newest:%Y-%m-%d %H:%M:%S %Z}; what was deployed later is missing)"


def _log_in(url: str) -> None:
    if os.environ.get("PULUMI_BACKEND_URL"):
        os.environ["PULUMI_BACKEND_URL"] = url
        typer.echo(f"PULUMI_BACKEND_URL is set: set it to '{url}', here and in the pipelines")
    pulumi_cli.output("global", ["login", url])
    typer.echo(f"logged in to {url}")


_PROVIDER = re.compile(r"^(secretsprovider: *)(\S+)$", re.MULTILINE)


def _use_key(stack: str, environment: str, region: str) -> None:
    """Name the key in `region` in the stack's settings and in its state."""
    file = pulumi_cli.settings_file(stack, environment)
    text = file.read_text()
    changed = _PROVIDER.sub(lambda found: found[1] + moved_key(found[2], region), text)
    if changed != text:
        file.write_text(changed)
        typer.echo(f"{stack}: {file.name} names the key in {region}; commit it")
    exported = json.loads(pulumi_cli.output(stack, ["stack", "export", "--stack", environment]))
    if moved_state(exported, region):
        pulumi_cli.output(stack, ["stack", "import", "--stack", environment], standard_input=json.dumps(exported))
        typer.echo(f"{stack}: its state names the key in {region}")
    # Reads every secret once, so that a key that does not decrypt them is noticed here.
    pulumi_cli.output(stack, ["stack", "output", "--json", "--show-secrets", "--stack", environment])


add_command(app, "create", create)
add_command(app, "move", move)
