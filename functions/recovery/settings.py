"""The environment variables of the function; `writer_parameter` is read from WRITER_PARAMETER, and so on.

Seconds are AWS seconds, except of what `ControlSettings` holds.
"""

from pydantic import Field

from common.control.settings import ControlSettings


class Settings(ControlSettings):
    peer_witness_name: str = Field(min_length=1)  # what is asked about the peer
    global_cluster: str = Field(min_length=1)  # identifier of the Aurora global cluster
    database_name: str = Field(min_length=1)
    database_secret: str = Field(min_length=1)  # name of the secret, the same in both regions
    writer_parameter: str = Field(pattern=r"^/.+[^/]$")  # Parameter Store: which region holds the writer
    endpoints_prefix: str = Field(pattern=r"^/.+[^/]$")  # of the parameters that name each region's doors
    payments_function: str = Field(min_length=1)  # the own region's, for the synthetic payment
    ledger_function: str = Field(min_length=1)  # the own region's
    peer_ledger_function: str = Field(min_length=1)
    topic_arn: str = Field(min_length=1)  # who is told
    cool_down_seconds: float = Field(default=300.0, ge=0)
    writer_wait_seconds: float = Field(default=900.0, gt=0)  # promotion takes about 60 s, minutes at worst
    change_seen_seconds: float = Field(default=30.0, gt=0)  # until RDS shows a change of writer that it has taken on
    # Payments accepted this long before the loss, or later, are looked for in the new writer: what the database had not
    # replicated is seconds, what the lost region's ledger had not posted yet can be more.
    replay_window_seconds: float = Field(default=3600.0, ge=0)
    replay_timeout_seconds: float = Field(default=300.0, gt=0, le=900)  # of one answer; the ledger's own timeout
    proof_seconds: float = Field(default=20.0, gt=0, le=600)  # until a payment must be in the ledger
    lag_limit_seconds: float = Field(default=10.0, gt=0)  # of the reader, at a failback: the pause of writing it costs
    api_timeout_seconds: float = Field(default=5.0, gt=0, le=60)  # of calls to AWS
    clock_speed: float = Field(default=1.0, gt=0)  # AWS seconds in one of this machine; other than 1 in rehearsals only
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)
