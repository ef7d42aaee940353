"""Errors of a drill: what could not be started, changed, observed or rolled back."""


class ProbeError(RuntimeError):
    """The system could not be observed."""


class ActionError(RuntimeError):
    """A change failed; whether it took effect is unknown."""


class CouldNotStart(RuntimeError):
    """The run never reached its first change, so it proves nothing about the system."""


class Inconclusive(RuntimeError):
    """The run proves nothing about the system, because this machine cannot keep up. The message names the remedy.

    `may_pass_slower`: another run at a lower speed may be conclusive.
    """

    def __init__(self, message: str, *, may_pass_slower: bool = True) -> None:
        super().__init__(message)
        self.may_pass_slower = may_pass_slower


class RollbackIncomplete(RuntimeError):
    """A change could not be rolled back. The message lists what is left to do."""
