"""Finds a deployed environment: through the Pulumi CLI on AWS, through `endpoints.json` of a running local one.

The caller must be in the account of the stacks; otherwise it is refused before anything is read.
"""

import json
from pathlib import Path

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from shared import local_aws
from shared.aws_sessions import LocalAccess
from shared.deployment import Deployment, DeploymentError
from shared.local_endpoints import Endpoints, EndpointsError
from shared.places import PROJECTS, Place
from shared.pulumi_cli import STACKS, PulumiError, stack_outputs

LOCAL_ENDPOINTS = local_aws.directory() / "endpoints.json"
"""The path at which `make local-up` writes it."""


def deployed(environment: str, *, stacks: Path = STACKS) -> Deployment:
    """The environment on AWS. Raises DeploymentError, whose message names the remedy."""
    try:
        outputs = {folder: stack_outputs(folder, environment, stacks=stacks) for folder in PROJECTS}
    except PulumiError as error:
        raise DeploymentError(str(error)) from error
    deployment = Deployment.of(environment, outputs)
    _refuse_other_settings(deployment, stacks)
    refuse_foreign_account(deployment)
    return deployment


def local(environment: str | None = None, *, file: Path = LOCAL_ENDPOINTS) -> Deployment:
    """The environment that runs on this machine, which must be `environment` if one is named. Raises
    DeploymentError."""
    if not file.exists():
        raise _none_runs(file)
    try:
        endpoints = Endpoints.read(file)
    except EndpointsError as error:
        raise DeploymentError(str(error)) from error
    if environment is not None and endpoints.environment != environment:
        raise _another_runs(environment, endpoints.environment)
    deployment = Deployment.of_local(endpoints)
    refuse_foreign_account(deployment)
    return deployment


def local_access(environment: str, *, file: Path = LOCAL_ENDPOINTS) -> LocalAccess:
    """The embedded AWS of `environment` on this machine, whichever stacks are deployed. Raises DeploymentError."""
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise _none_runs(file) from None
    if found["environment"] != environment:
        raise _another_runs(environment, found["environment"])
    return LocalAccess(endpoint=found["aws"], account=found["account"])


def refuse_foreign_account(deployment: Deployment) -> None:
    """Raises DeploymentError unless the caller is in the account of the stacks' outputs. Either region may answer: on
    the day this is needed most, one of them does not."""
    problems: dict[str, Exception] = {}
    for place in Place:
        try:
            caller = deployment.client("sts", place).get_caller_identity()["Account"]
        except (BotoCoreError, ClientError) as error:
            problems[deployment.region(place)] = error
            continue
        if caller != deployment.account:
            raise DeploymentError(
                f"you are in account …{caller[-4:]}, but {deployment.environment} is deployed in account "
                f"…{deployment.account[-4:]}; choose the profile of that account"
            )
        return
    remedy = "is it still running?" if deployment.local else "sign in (`aws sso login`) or choose a profile"
    answers = "; ".join(f"{region}: {error}" for region, error in problems.items())
    raise DeploymentError(f"AWS does not answer GetCallerIdentity: {answers}; {remedy}") from next(
        iter(problems.values())
    )


def _none_runs(file: Path) -> DeploymentError:
    return DeploymentError(f"no embedded AWS runs here ({file} is missing); `make local-up` starts one")


def _another_runs(requested: str, running: str) -> DeploymentError:
    return DeploymentError(f"environment {requested} was requested, but {running} runs on this machine")


def _refuse_other_settings(deployment: Deployment, stacks: Path) -> None:
    """The settings of this checkout, where they are set, must name the environment and regions that are deployed."""
    source = f"Pulumi.{deployment.environment}.yaml"
    for folder in PROJECTS:
        path = stacks / folder / source
        config = (yaml.safe_load(path.read_text()) or {}).get("config") or {} if path.is_file() else {}
        held = {
            "dr:suffix": deployment.suffix,
            "dr:primaryRegion": deployment.primary.region,
            "dr:secondaryRegion": deployment.secondary.region,
        }
        wanted = {"dr:suffix": deployment.environment} | {key: config[key] for key in held if key in config}
        for key, value in wanted.items():
            if value != held[key]:
                raise DeploymentError(
                    f"stacks/{folder}/{source} means {key} {value}, but what is deployed as {deployment.environment} "
                    f"has {held[key]}: another environment or region"
                )
