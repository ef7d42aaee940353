"""Who asks, in both regions."""

from drill.check.finding import Found, check, critical, ok
from shared.deployment import Deployment
from shared.places import Place


@check("identity in both regions")
def identity(deployment: Deployment) -> Found:
    callers = {place: deployment.client("sts", place).get_caller_identity()["Account"] for place in Place}
    foreign = [place for place, account in callers.items() if account != deployment.account]
    evidence = ", ".join(f"{deployment.region(place)}: account …{account[-4:]}" for place, account in callers.items())
    if foreign:
        return critical(
            f"{evidence}; the stacks are in …{deployment.account[-4:]}", "choose the profile of the stacks' account"
        )
    return ok(evidence)
