"""What differs between the two Aurora engines. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Engine:
    name: str
    version: str  # full: members of a global database must agree on it, patch level included [AURORA-9]
    family: str
    log_exports: tuple[str, ...]
    parameters: dict[str, str]


ENGINES = {
    engine.name: engine
    for engine in (
        Engine(
            name="aurora-postgresql",
            version="16.9",
            family="aurora-postgresql16",
            log_exports=("postgresql",),
            parameters={"rds.force_ssl": "1"},
        ),
        Engine(
            name="aurora-mysql",
            version="8.0.mysql_aurora.3.10.0",
            family="aurora-mysql8.0",
            log_exports=("error",),
            parameters={"require_secure_transport": "ON"},
        ),
    )
}
