"""Every hook into ministack's private names, a module for each subject. Nothing else in this repository touches them.

Each hook has a contract test in `tests/local/test_hooks_*.py` (name, signature, effect), so that an upgrade of the
pinned emulator fails there and nowhere else.
"""

from localaws.emulator import (
    acm,
    apigateway,
    aurora,
    background,
    backup,
    cloudwatch,
    ec2,
    elb,
    event_sources,
    eventbridge,
    replication,
    requests,
    route53,
    schedules,
    services,
    ssm,
    workers,
    workflows,
)

__all__ = [
    "acm",
    "apigateway",
    "aurora",
    "background",
    "backup",
    "cloudwatch",
    "ec2",
    "elb",
    "event_sources",
    "eventbridge",
    "replication",
    "requests",
    "route53",
    "schedules",
    "services",
    "ssm",
    "workers",
    "workflows",
]
