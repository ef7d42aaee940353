"""The embedded AWS's PostgreSQL: one template for all servers, and the internal logins.

Creating a data directory takes half a second and copying one a tenth, so there is one template, made in the background.
The names of the internal logins are those of RDS. Their passwords are random and last as long as this object.
"""

import os
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from localaws.core.reaper import Reaper
from localaws.services.rds.postgres.programs import Programs

ADMIN = "rdsadmin"
REPLICATION = "rdsrepladmin"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    # Safe here: a killed server loses nothing that it wrote, only a killed machine would, and the data is thrown away.
    "fsync": "off",
    # Every statement of the Data API logs in; passwords of a rehearsal need no protection against guessing.
    "scram_iterations": "1",
    "max_connections": "80",
    "shared_buffers": "32MB",
    # Inside the data directory, so that not even a killed server leaves files elsewhere.
    "dynamic_shared_memory_type": "mmap",
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    "wal_keep_size": "128MB",
    "min_wal_size": "8MB",
    # The relays end connections; a slow link must not count as a dead one.
    "wal_sender_timeout": "0",
    "wal_receiver_timeout": "0",
    "wal_retrieve_retry_interval": "100ms",
    # For the age of the oldest commit that has not reached the standby.
    "track_commit_timestamp": "on",
    # Statements contain payment data.
    "log_min_error_statement": "panic",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, kw_only=True)
class Login:
    user: str
    password: str = field(repr=False)


class PostgresHost:
    """Programs, template and internal logins, shared by the servers below one directory."""

    def __init__(self, directory: Path, reaper: Reaper | None = None) -> None:
        """Start preparing below `directory`, in the background. Raises RuntimeError if PostgreSQL cannot run here."""
        self.programs = Programs(directory, reaper)
        self.directory = self.programs.directory
        self.admin = Login(user=ADMIN, password=secrets.token_urlsafe(24))
        self.replication = Login(user=REPLICATION, password=secrets.token_urlsafe(24))
        self.passfile = self._secret_file(
            "replication.pgpass", f"127.0.0.1:*:*:{REPLICATION}:{self.replication.password}\n"
        )
        self._preparing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres-template")
        self._template = self._preparing.submit(self._make_template)

    def copy_template(self, destination: Path) -> None:
        """Fill `destination` with a new, empty data directory, waiting for the template if needed."""
        # A thousand small files: a process of its own does not block our interpreter, and owns what it makes.
        self.programs.run("/bin/cp", "-R", str(self._template.result()), str(destination))

    def close(self) -> None:
        """Delete all data. The servers must have been stopped."""
        self._preparing.shutdown()
        self.programs.remove()

    def _make_template(self) -> Path:
        template = self.directory / "template"
        password = self._secret_file("admin.password", self.admin.password)
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        self.programs.run(
            "initdb",
            f"--pgdata={template}",
            f"--username={ADMIN}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",  # needs no locale of the machine
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--wal-segsize=1",
            "--no-data-checksums",
            "--no-sync",
            "--no-instructions",
            *settings,
        )
        password.unlink()
        return template

    def _secret_file(self, name: str, content: str) -> Path:
        path = self.directory / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
        self.programs.own(path)
        return path
