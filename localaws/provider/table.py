"""The schema of a resource type's entry: the AWS calls that create, read, update and delete it, and its outputs.

Values in parameters, ids and outputs are texts with {expressions}; an expression is JMESPath over

    in       the resource's arguments, in Pulumi's camelCase     out      outputs found so far
    id       the resource's id                                    tags     its tags with the provider's defaults
    made     the answer of `create`                               found    the answer of `read`
    region   account   name (the logical name)                    each     the element, in a call with `each`

A text that is one expression keeps the value's type; an expression without a value leaves its parameter out. Where
a text is not enough, a function of the Context takes its place, with the arguments it consumes in `takes`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ALL = ("*",)


@dataclass(frozen=True, kw_only=True)
class Maybe:
    """An output that AWS leaves empty in some cases."""

    value: str
    otherwise: Any = ""


@dataclass(frozen=True)
class KeyValues:
    """Attributes as a list of {Key, Value}, all texts; those without a value are left out."""

    values: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One AWS call, by the name boto3 gives the operation."""

    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)
    auto: tuple[str, ...] = ()  # arguments passed by name; ALL means every argument that nothing else takes
    each: str = ""  # expression of a list: one call for each element
    when: tuple[str, ...] = ()  # expressions that must all have a value other than false, 0 or empty
    takes: tuple[str, ...] = ()  # arguments consumed by functions in `params`
    service: str = ""  # when it is another service than the resource's
    region: str = ""


@dataclass(frozen=True)
class Do:
    """A step that is more than one call; `takes` names the arguments it consumes."""

    run: Callable[[Any], Any]  # of the resource's `localaws.provider.context.Context`
    takes: tuple[str, ...] = ()


Step = Call | Do


@dataclass(frozen=True, kw_only=True)
class Name:
    """The argument that Pulumi fills with a generated name when the program gives none."""

    argument: str = "name"
    limit: int = 255
    prefix: str = ""
    lower: bool = False


@dataclass(frozen=True, kw_only=True)
class Tags:
    """The call that sets tags: the creating one (`inline`), or the service's tagging call, which changes use too."""

    resource: str = "{out.arn}"  # what the tagging call names
    kind: str = ""  # EC2's resource type, or Route 53's and SSM's
    inline: bool = True


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A resource type. Steps run in this order: create, puts, read; puts are idempotent and run again on an update."""

    service: str
    create: Step
    id: Any
    delete: tuple[Step, ...]
    puts: tuple[Step, ...] = ()
    update: tuple[Step, ...] = ()
    read: Call | None = None
    ready: str = ""  # expression over the answer of `read`; it is asked again until this is true
    outputs: Mapping[str, Any] = field(default_factory=dict)
    nested_outputs: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # list argument → what AWS adds to items
    secret_outputs: tuple[str, ...] = ()
    unanswered: Mapping[str, str] = field(default_factory=dict)  # output → why it has no value here
    rename: Mapping[str, str] = field(default_factory=dict)  # Pulumi's word → AWS's, at any depth
    defaults: Mapping[str, Any] = field(default_factory=dict)  # what the provider sends when nothing is given
    autoname: Name | None = None
    tags: Tags | None = None
    provider_only: Mapping[str, str] = field(default_factory=dict)  # argument → why no call takes it
    region: str = ""  # the one region in which the service's API answers
    not_emulated: str = ""  # why nothing here takes it, and what to do; the graph has it all the same

    @property
    def regional(self) -> bool:
        return not self.region
