"""Carries out each registration of one stack as the Pulumi engine would: create, keep, update or refuse."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localaws.core.errors import FAILURES, DeployError, TableError, explain
from localaws.engine import prepare
from localaws.engine.project import Project
from localaws.engine.registration import Registration
from localaws.engine.state import Changes, Record, StackState, State, deletion_order
from localaws.provider import execute, ignored, invokes, preparation, values
from localaws.provider.context import Context
from localaws.provider.preparation import Provider, StackRun, entry_of

_PAUSE = 0.3  # seconds between two lines


class Progress:
    """Counts one stack's resources and passes lines about them to `write`, a few a second, from several threads."""

    def __init__(self, stack: str, write: Callable[[str], None] | None, total: int | None = None) -> None:
        self.count = 0
        self._stack = stack
        self._write = write or (lambda _: None)
        self._total = str(total) if total else "—"
        self._last = 0.0
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def resource(self, type_: str, name: str) -> None:
        """A resource is being worked on."""
        with self._lock:
            self.count += 1
            now = time.monotonic()
            if now - self._last < _PAUSE:
                return
            self._last = now
            line = f"{self._stack}: {self.count}/{self._total}  {type_} {name}"
        self._write(line)

    def note(self, message: str) -> None:
        """A warning or an error of the program."""
        self._write(f"{self._stack}: {message}")

    def done(self, what: str) -> float:
        """The last line; returns the seconds since the start."""
        seconds = time.monotonic() - self._started
        self._write(f"{self._stack}: {self.count} resources {what} in {seconds:.1f} s")
        return seconds


class StackEngine:
    """One run of one stack's program. Its methods are called from several threads."""

    def __init__(self, project: Project, state: State, run: StackRun, progress: Progress) -> None:
        self.project = project
        self.changes = Changes()
        self.regions: dict[str, str] = {}  # by URN
        self.seconds: dict[str, float] = {}  # by URN, of what was created or updated
        self._stacks = state
        self._state = state.stacks.setdefault(project.stack, StackState(reference=project.reference))
        self._run = run
        self._progress = progress
        self._providers: dict[str, Provider] = {}
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    def register(self, resource: Registration) -> tuple[str, dict[str, Any]]:
        """The id and the outputs of `resource`, once it is as the program defines it. Raises DeployError."""
        self._progress.resource(resource.type, resource.name)
        context: Context | None = None
        try:
            if resource.type.startswith(prepare.PREFIX):
                return self._provider(resource)
            record = self._former(resource)
            former = values.thaw(record.inputs) if record else {}
            inputs = ignored.apply(resource.inputs, former, resource.options["ignore_changes"] if record else ())
            provider = self._provider_of(resource)
            context = prepare.resource(self._run, resource, inputs, provider, record)
            self.regions[resource.urn] = context.region
            started = time.monotonic()
            answer = self._settle(resource, inputs, context, record)
            self.seconds[resource.urn] = time.monotonic() - started
            return answer
        except FAILURES as error:
            operation = context.operation if context else "register"
            raise self._explain(resource.urn, operation, error, values.secret_texts(resource.inputs)) from None

    def invoke(self, token: str, arguments: dict[str, Any], provider: str) -> dict[str, Any]:
        """The answer of a provider function such as aws:index/getRegion:getRegion. Raises DeployError."""
        settings = self._providers.get(provider)
        if settings is None or not settings.region:
            raise self.fail("", "DefaultProvider", f"{token} has no provider; pass one in its options", "invoke")
        context = preparation.blank(self._run, token, settings.region)
        try:
            return invokes.answer(token, context, values.unwrap(arguments))
        except FAILURES as error:
            raise self._explain("", token, error, values.secret_texts(arguments)) from None

    def reference(self, name: str) -> tuple[dict[str, Any], list[str]]:
        """The outputs of another stack's last run and the names of the secret ones. Raises DeployError."""
        found = self._stacks.find(name)
        if found is None:
            raise self.fail("", "UnknownStack", f'unknown stack "{name}"', "reference")
        return values.unwrap(values.thaw(found.outputs)), found.secret_outputs

    def fail(self, urn: str, code: str, message: str, operation: str = "register") -> DeployError:
        return DeployError(stack=self.project.stack, urn=urn, operation=operation, code=code, message=message)

    def finish(self, outputs: dict[str, Any]) -> None:
        """Delete what the program no longer registers; keep `outputs` for the stacks that refer to this one."""
        self.remove_all({urn: record for urn, record in self._state.resources.items() if urn not in self._seen})
        self._state.outputs = values.freeze(outputs, self.project.folder)
        self._state.secret_outputs = sorted(key for key, value in outputs.items() if values.is_secret(value))
        self._state.deployed = True

    def remove_all(self, records: dict[str, Record]) -> None:
        """Delete resources, dependents first; nothing at all if one is protected. Raises DeployError."""
        for record in records.values():
            if record.protect:
                message = f"{record.name} is protected; deploy it without protect=True before deleting it"
                raise self.fail(record.urn, "Protected", message, "delete")
        for record in deletion_order(records):
            self._remove(record)

    def _remove(self, record: Record) -> None:
        self._progress.resource(record.type, record.name)
        context = prepare.deployed(self._run, record)
        goes_with_another = record.deleted_with and record.deleted_with not in self._state.resources
        try:
            if not record.retain and not goes_with_another:
                execute.delete(context)
        except FAILURES as error:
            hidden = values.secret_texts(values.thaw(record.inputs))
            raise self._explain(record.urn, f"delete ({context.operation})", error, hidden) from None
        with self._lock:
            del self._state.resources[record.urn]
            self.changes.deleted.append(record.urn)

    def _provider(self, resource: Registration) -> tuple[str, dict[str, Any]]:
        package = resource.type.removeprefix(prepare.PREFIX)
        settings = preparation.read_provider(package, values.unwrap(dict(resource.inputs)), self._run.account)
        with self._lock:
            self._providers[resource.urn] = settings
            self.regions[resource.urn] = settings.region
        return hashlib.sha256(resource.urn.encode()).hexdigest()[:32], dict(resource.inputs)

    def _provider_of(self, resource: Registration) -> Provider:
        if not entry_of(resource.type).service:
            return Provider()
        if resource.provider not in self._providers:
            raise TableError(f"{resource.name} would land in the default provider; give it a provider of its region")
        return self._providers[resource.provider]

    def _former(self, resource: Registration) -> Record | None:
        """The resource's record, also under a name it had before (its aliases)."""
        with self._lock:
            self._seen.add(resource.urn)
            resources = self._state.resources
            renamed = next((urn for urn in resource.alias_urns if urn in resources), None)
            if resource.urn not in resources and renamed:
                record = resources.pop(renamed)
                record.urn, record.name = resource.urn, resource.name
                resources[resource.urn] = record
            return resources.get(resource.urn)

    def _settle(
        self, resource: Registration, inputs: Mapping[str, Any], context: Context, record: Record | None
    ) -> tuple[str, dict[str, Any]]:
        if resource.options["import_id"]:
            raise TableError(f"{resource.name}: importing is not done here; the embedded AWS starts empty")
        frozen = values.freeze(dict(inputs), self.project.folder)
        if record and not record.complete:
            self._remove(record)
            record = None
        if record is None:
            record = self._create(resource, context, frozen)
        else:
            self._update(resource, context, record, frozen)
        record.dependencies = list(resource.dependencies)
        record.protect = resource.options["protect"]
        record.retain = resource.options["retain_on_delete"]
        record.deleted_with = resource.options["deleted_with"]
        return record.id, prepare.shown(resource, inputs, values.thaw(record.outputs))

    def _create(self, resource: Registration, context: Context, frozen: dict[str, Any]) -> Record:
        record = Record(
            urn=resource.urn,
            type=resource.type,
            name=resource.name,
            id="",
            region=context.region,
            provider=resource.provider,
            inputs=frozen,
            outputs=self._answer(context, resource),
            tags=context.tags,
            dependencies=list(resource.dependencies),
            complete=False,
        )

        def made(identity: str) -> None:
            record.id = identity
            with self._lock:
                self._state.resources[resource.urn] = record

        execute.create(context, made)
        record.outputs = self._answer(context, resource)
        record.complete = True
        with self._lock:
            self.changes.created.append(resource.urn)
        return record

    def _update(self, resource: Registration, context: Context, record: Record, frozen: dict[str, Any]) -> None:
        keys = frozen.keys() | record.inputs.keys()
        changed = {key for key in keys if frozen.get(key) != record.inputs.get(key)}
        if record.region != context.region:
            changed.add("region")
        if not changed and record.tags == context.tags:
            return
        stuck = changed & {path.partition(".")[0] for path in resource.options["replace_on_changes"]}
        if stuck:
            raise TableError(f"{context.type} would be replaced: {', '.join(sorted(stuck))}")
        context.id = record.id
        context.before = values.unwrap(values.thaw(record.inputs))
        context.out = {**values.unwrap(values.thaw(record.outputs)), **context.inputs}
        execute.update(context, changed, record.tags)
        record.inputs, record.tags, record.outputs = frozen, context.tags, self._answer(context, resource)
        with self._lock:
            self.changes.updated.append(record.urn)

    def _answer(self, context: Context, resource: Registration) -> dict[str, Any]:
        frozen: dict[str, Any] = values.freeze(
            preparation.computed(context, resource.inputs, resource.secret_outputs), self.project.folder
        )
        return frozen

    def _explain(self, urn: str, operation: str, error: Exception, hidden: Iterator[str]) -> DeployError:
        """A failure as a DeployError without a secret in it."""
        code, message = explain(error)
        return self.fail(urn, code, values.redact(message, hidden), operation or "check")
