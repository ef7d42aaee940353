"""Environment variables of the function: `writer_parameter` is read from WRITER_PARAMETER, and so on.

Durations are AWS seconds, except those of `ControlSettings`.
"""

from typing import Literal

from pydantic import Field

from common.control.settings import ControlSettings


class Settings(ControlSettings):
    peer_witness_name: str = Field(min_length=1)  # DNS name of the peer's witness
    global_cluster: str = Field(min_length=1)  # identifier of the Aurora global cluster
    cluster_arn: str = Field(min_length=1)  # of the own region's member
    peer_cluster_arn: str = Field(min_length=1)
    database_engine: Literal["aurora-postgresql", "aurora-mysql"]
    database_name: str = Field(min_length=1)
    database_secret: str = Field(min_length=1)  # name of the secret, the same in both regions
    writer_parameter: str = Field(pattern=r"^/.+[^/]$")  # holds the writer's region
    endpoints_prefix: str = Field(pattern=r"^/.+[^/]$")  # of the parameters with each region's endpoint URLs
    payments_function: str = Field(min_length=1)  # the own region's, for the synthetic payment
    ledger_function: str = Field(min_length=1)  # the own region's
    peer_ledger_function: str = Field(min_length=1)
    backlog_table: str = Field(min_length=1)
    peer_backlog_table: str = Field(min_length=1)
    topic_arn: str = Field(min_length=1)  # for notifications
    cool_down_seconds: float = Field(default=300.0, ge=0)  # between two changes of the writer
    writer_wait_seconds: float = Field(default=900.0, gt=0)  # promotion takes about 60 s, minutes at worst
    change_seen_seconds: float = Field(default=30.0, gt=0)  # until RDS shows a change of writer that it accepted
    # Within which the database of a region that is lost must answer, in all, for a switchover instead of a promotion.
    leaving_answer_seconds: float = Field(default=2.0, gt=0, le=30)
    # Until a switchover away from a lost region is given up. Only the ledger waits; a promotion takes as long.
    switchover_seconds: float = Field(default=60.0, gt=0, le=3600)
    replay_timeout_seconds: float = Field(default=300.0, gt=0, le=900)  # of one invocation; the ledger's own timeout
    verification_seconds: float = Field(default=20.0, gt=0, le=600)  # until the synthetic payment must be in the ledger
    lag_limit_seconds: float = Field(default=10.0, gt=0)  # of the reader at a failback; it prolongs the pause of writes
    api_timeout_seconds: float = Field(default=5.0, gt=0, le=60)  # of calls to AWS
    clock_speed: float = Field(default=1.0, gt=0)  # AWS seconds per real second; other than 1 only in rehearsals
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)
