"""What can go wrong with a parameter, named for what is to be done about it. No message holds a value."""


class NotCopyable(Exception):
    """It cannot be made equal until a person has done something; the message is the reason."""


class RegionUnavailable(Exception):
    """A region does not answer."""

    def __init__(self, region: str, reason: str) -> None:
        super().__init__(f"{region} does not answer: {reason}")
        self.region = region


class Busy(Exception):
    """AWS asks to come back later."""


class Moved(Exception):
    """The parameter changed after it was read; retry immediately."""


class NotYet(Exception):
    """To be looked at again after `seconds`, and not before."""

    def __init__(self, seconds: int, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds
