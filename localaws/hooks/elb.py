"""Elastic Load Balancing: what is deployed (`fronts.deployed`)."""

from typing import Any


def load_balancer_records() -> list[dict[str, Any]]:
    """Load balancers of all accounts and regions."""
    from ministack.services import alb

    return list(alb._lbs.all_values())


def listener_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._listeners.all_values())


def listener_rule_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._rules.all_values())


def target_group_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._tgs.all_values())


def registered_targets() -> dict[str, list[dict[str, Any]]]:
    """Targets by target group ARN."""
    from ministack.services import alb

    return {arn: list(targets) for (_, arn), targets in alb._targets.to_dict().items()}


def load_balancer_attributes(arn: str) -> dict[str, str]:
    from ministack.services import alb

    _, _, _, region, account, _ = arn.split(":", 5)
    stored = alb._lb_attrs.get_scoped(account, region, arn, ())
    return {attribute["Key"]: attribute["Value"] for attribute in stored}
