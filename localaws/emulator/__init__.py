"""Everything that touches ministack's private names, one module a service; `patches` is the registry of replaced ones.

`tests/local/test_patches.py` compares the registry, and each name and call in these modules, with the pinned ministack.
"""

from localaws.emulator import (  # noqa: F401 - for `from localaws import emulator`
    acm,
    apigateway,
    aurora,
    backup,
    cloudwatch,
    ec2,
    elb,
    event_sources,
    eventbridge,
    lambda_,
    logs,
    patches,
    replication,
    requests,
    route53,
    schedules,
    services,
    ssm,
    tables,
    workflows,
)
