"""Errors of a drill: what could not start, be changed, be observed, or be undone."""


class ProbeError(RuntimeError):
    """The system could not be looked at."""


class ActionError(RuntimeError):
    """A change could not be made; whether it was is unknown."""


class CouldNotStart(RuntimeError):
    """The run never reached its first change, so it says nothing about the system."""


class Inconclusive(RuntimeError):
    """The run says nothing of the system, since this machine cannot keep up. The message says what to do.

    `may_pass_slower`: another run at a lower speed may be conclusive.
    """

    def __init__(self, message: str, *, may_pass_slower: bool = True) -> None:
        super().__init__(message)
        self.may_pass_slower = may_pass_slower


class WayBackIncomplete(RuntimeError):
    """Something was changed and could not be changed back. The message says what is left to do."""
