"""The runtime environment of functions, which AWS provides by itself: the resolver, the route to host names, and
time at this speed."""

from localaws import emulator
from localaws.core.clock import Clock
from localaws.server.traffic import Traffic

CONTROL_SECONDS = {
    "CONTROL_LEASE_SECONDS": 15.0,
    "CONTROL_FENCED_LEASE_SECONDS": 300.0,
    "CONTROL_AWAY_SECONDS": 30.0,
    "CONTROL_GRACE_SECONDS": 30.0,
    "CONTROL_DECISION_SECONDS": 2.0,
    "CONTROL_STATEMENT_SECONDS": 3.0,
    "CONTROL_WITNESS_TTL_SECONDS": 10.0,
}
"""The defaults of `functions/common/control/settings.py` (a test holds that they are). Functions measure with their own
clock, and their timeouts have to shrink as the outages do."""


def install(clock: Clock, traffic: Traffic) -> None:
    """Give them to each worker that starts from now on. `traffic` must have started by then."""
    emulator.lambda_.add_to_worker_environment(
        lambda region: {
            "WITNESS_RESOLVER": traffic.dns_address,
            # For TLS only: AWS's endpoints are plain HTTP on this machine.
            "HTTPS_PROXY": traffic.egress_proxy.url(region),
            # Powertools reads this name too, and the server's own level (localaws/core/environment.py) is not theirs.
            "LOG_LEVEL": "INFO",
            **times(clock),
        }
    )


def times(clock: Clock) -> dict[str, str]:
    """The variables that depend on the speed, at the speed of this moment."""
    scaled = {name: f"{clock.real(seconds):.3f}" for name, seconds in CONTROL_SECONDS.items()}
    return {"CLOCK_SPEED": f"{clock.speed:g}", **scaled}
