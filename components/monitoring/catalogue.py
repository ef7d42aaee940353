"""Every alarm there is, as data: what each watches, from when on, what missing data means, and how we know.

The entries stand with their kind: what runs (`alarms_compute`), what brings traffic (`alarms_traffic`), what keeps data
(`alarms_data`).
"""

from components.monitoring.alarm import Alarm
from components.monitoring.catalogue_compute import (
    ASYNC_FUNCTION,
    DEAD_LETTER_QUEUE,
    EVENT_LATENCY,
    EVENT_RULE,
    FUNCTION,
    STREAM_FUNCTION,
    WORK_QUEUE,
)
from components.monitoring.catalogue_data import (
    BACKUP_COPIES,
    BACKUP_PLAN,
    BACKUP_VAULT,
    BUCKET_RECEIVING,
    BUCKET_SENDING,
    DATABASE_MEMBER,
    JOURNAL,
)
from components.monitoring.catalogue_traffic import API, CERTIFICATE, HEALTH_CHECK, LOAD_BALANCER, TARGETS

__all__ = [
    "API",
    "ASYNC_FUNCTION",
    "BACKUP_COPIES",
    "BACKUP_PLAN",
    "BACKUP_VAULT",
    "BUCKET_RECEIVING",
    "BUCKET_SENDING",
    "CATALOGUE",
    "CERTIFICATE",
    "DATABASE_MEMBER",
    "DEAD_LETTER_QUEUE",
    "EVENT_LATENCY",
    "EVENT_RULE",
    "FUNCTION",
    "HEALTH_CHECK",
    "JOURNAL",
    "LOAD_BALANCER",
    "STREAM_FUNCTION",
    "TARGETS",
    "WORK_QUEUE",
]

CATALOGUE: tuple[Alarm, ...] = (
    *STREAM_FUNCTION,
    *(alarm for alarm in ASYNC_FUNCTION if alarm not in FUNCTION),
    *DEAD_LETTER_QUEUE,
    *WORK_QUEUE,
    *EVENT_RULE,
    EVENT_LATENCY,
    *API,
    *LOAD_BALANCER,
    *TARGETS,
    *HEALTH_CHECK,
    *CERTIFICATE,
    *DATABASE_MEMBER,
    *JOURNAL,
    *BUCKET_SENDING,
    *BUCKET_RECEIVING,
    *BACKUP_VAULT,
    *BACKUP_COPIES,
    *BACKUP_PLAN,
)
