"""Errors of the operations. Step Functions matches their class names (`components/failover/states.py`,
FINAL_ERRORS)."""


class RecoveryError(Exception):
    """Base class; the message is part of the failure notification."""


class UnknownOperation(RecoveryError):
    """The operation is unknown to this version, or its fields are invalid."""


class EpochConflict(RecoveryError):
    """The control record was changed; this execution was decided on an older epoch and must end."""


class DatabaseNotReady(RecoveryError):
    """RDS cannot change the writer now; a retry may succeed."""


class MemberNotFound(RecoveryError):
    """The global cluster has no member in the region."""


class WriterTimeout(RecoveryError):
    """The region's member did not become a ready writer, or may not be published as one, within the time limit."""


class PeerUnreachable(RecoveryError):
    """The change must be in the other region's replica, which does not answer."""


class RegionNotReady(RecoveryError):
    """The region cannot take over or return to service yet; the message has the reasons."""


class PaymentRejected(RecoveryError):
    """The synthetic payment was not accepted."""


class PaymentNotPosted(RecoveryError):
    """The synthetic payment did not reach the ledger within the time limit."""


class ServiceUnavailable(RecoveryError):
    """An AWS service rejected a call or did not answer."""


class ReplayFailed(RecoveryError):
    """The ledger could not replay the backlogs now; a retry may succeed. `is_paused`: it may not post at present."""

    def __init__(self, region: str, error: str, reason: str) -> None:
        super().__init__(f"the ledger in {region} failed: {error}: {reason}")
        self.is_paused = error == "Paused"
