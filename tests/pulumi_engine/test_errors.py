"""Mistakes as a user of the real CLI sees them: one line with the remedy, and no traceback. Nothing is deployed."""

import re

from tests.pulumi_engine.conftest import Environment

_PASSPHRASE = (
    r"\[primary\]\s+error: .*incorrect passphrase; set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to "
    r"the passphrase that the stack was created with \(docs/runbooks/state\.md\)"
)


def errors(output: str) -> list[str]:
    """The CLI's diagnostics of errors, at the end of a run."""
    return re.findall(r"^\[\w+\] +error: (.*)", output, re.M)


def test_a_wrong_setting_is_refused_before_the_cli_starts(local: Environment) -> None:
    with local.setting("secondary", "network:zones", 7):
        refused = local.dr("preview", status=2)

    assert refused.strip() == (
        "Not started: network:zones is 7; input should be less than or equal to 3 (stacks/secondary/Pulumi.dev.yaml)"
    )


def test_a_wrong_setting_that_only_the_program_finds_is_one_line(local: Environment) -> None:
    elsewhere = "arn:aws:acm:eu-west-1:000000000000:certificate/1"
    with local.setting("primary", "certificate:arn", elsewhere):
        failed = local.dr("preview", "primary", status=2)

    assert errors(failed) == [
        f"certificate:arn is {elsewhere}, which is not ACM's in us-east-1; give one of that region "
        "(stacks/primary/Pulumi.dev.yaml)"
    ]
    assert "Traceback" not in failed


def test_a_zone_that_does_not_exist_is_one_line(local: Environment) -> None:
    with local.setting("primary", "dns:createZone", False), local.setting("primary", "dns:zoneName", "missing.example"):
        failed = local.dr("preview", "primary", status=2)

    (error,) = errors(failed)
    assert re.fullmatch(
        r"dns:createZone is false, but the public hosted zone missing\.example cannot be read: .*; create and delegate "
        r"it, or leave dns:createZone out \(stacks/primary/Pulumi\.dev\.yaml\)",
        error,
    )
    assert "Traceback" not in failed


def test_global_is_not_previewed_before_its_regions_are_deployed(local: Environment) -> None:
    refused = local.dr("preview", "global", status=2)

    assert refused.strip() == (
        "Not started: global was not previewed: it reads the outputs of the regions, and primary and secondary of dev "
        "has never been deployed (make deploy ENV=dev deploys them in order)"
    )


def test_a_region_that_is_not_deployed_is_one_line_of_the_cli_too(local: Environment) -> None:
    failed = local.pulumi("global", "preview", fails=True)

    (error,) = errors(failed)
    assert re.fullmatch(
        r"stacks/(\w+), stack dev, has no output [\w.]+: it is not deployed, or from an older version; run make "
        r"deploy-\1 ENV=dev, then this command again",
        error,
    )
    assert "Traceback" not in failed
    assert "never retrieved" not in failed


def test_a_wrong_passphrase_is_one_line_with_the_remedy(local: Environment) -> None:
    file = local.folder / "build" / "local" / "pulumi" / "passphrase"
    right = file.read_text()
    file.write_text("another")
    try:
        failed = local.dr("preview", "primary", status=2)
    finally:
        file.write_text(right)

    assert re.search(_PASSPHRASE, failed), failed
    assert "Traceback" not in failed
