"""What went wrong, by names that the state machines know: Step Functions matches the class's name."""


class RecoveryError(Exception):
    """The base of all; the message goes to the people who are told."""


class UnknownOperation(RecoveryError):
    """The state machine asked for something this version does not do, or with fields it does not know."""


class EpochPassed(RecoveryError):
    """Somebody else changed the control record; this run was decided on an older state and must end."""


class DatabaseUnready(RecoveryError):
    """RDS cannot change the writer now; asking again later may help."""


class MemberMissing(RecoveryError):
    """The global cluster has no member in the region."""


class WriterNotInTime(RecoveryError):
    """The region's member did not become a writer that answers, or may not be named one, within the time allowed."""


class PeerSilent(RecoveryError):
    """The other region must know of the change, and does not answer."""


class RegionNotReady(RecoveryError):
    """The region cannot take its part back yet; the message says why."""


class PaymentRefused(RecoveryError):
    """The synthetic payment was not accepted."""


class ProofMissing(RecoveryError):
    """The synthetic payment did not reach the ledger in time."""


class ServiceSilent(RecoveryError):
    """An AWS service of this region refused or did not answer."""


class ReplayFailed(RecoveryError):
    """The ledger could not replay the journal now; asking again may help."""
