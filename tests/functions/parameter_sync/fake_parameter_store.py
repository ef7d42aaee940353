"""Parameter Store of one region in memory, as a boto3 client shows it: quick enough for very many random changes.

Only what the function asks for. What AWS does is held by the tests on moto and on the embedded AWS.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError

PERSON = "arn:aws:iam::000000000000:user/someone"


def role_session(role: str) -> str:
    return f"arn:aws:sts::000000000000:assumed-role/{role}/{role}"


class FakeParameterStore:
    """`now` gives milliseconds. `user` is who writes; `before` runs before each call by us, so that others can act
    between any two of them; while `reachable()` is false, our calls time out."""

    def __init__(self, region: str, now: Callable[[], int]) -> None:
        self.region, self.now = region, now
        self.user = PERSON
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()  # by name
        self.before: Callable[[str], None] = lambda _: None
        self.reachable: Callable[[], bool] = lambda: True
        self.on_change: Callable[[str], None] = lambda _: None
        self.refusals: dict[tuple[str, str], str] = {}  # operation and name to error code

    def as_person(self, operation: str, **asked: Any) -> Any:
        """A call of someone else, from inside the region."""
        return getattr(self, f"_{operation}")(PERSON, **asked)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        act = object.__getattribute__(self, f"_{operation}")

        def call(**asked: Any) -> Any:
            self.before(operation)
            if not self.reachable():
                raise ConnectTimeoutError(endpoint_url=f"https://ssm.{self.region}.amazonaws.com")
            self.calls[operation] += 1
            for name in [asked.get("Name"), asked.get("ResourceId"), *asked.get("Names", [])]:
                if name and (code := self.refusals.get((operation, name))):
                    raise _error(code, operation)
            if operation in ("put_parameter", "delete_parameter"):
                self.writes[asked["Name"]] += 1
            return act(self.user, **asked)

        return call

    def value(self, name: str) -> str | None:
        return str(self.versions[name][-1]["Value"]) if name in self.versions else None

    def shown(self) -> dict[str, Any]:
        """Everything a reader of the region can see of each parameter, but for what is the region's own."""
        return {
            name: (
                {key: past[-1][key] for key in ("Value", "Type", "Description", "Policies", "AllowedPattern")},
                {key: value for key, value in self.tags[name].items() if key not in ("Place", "dr:common")},
                set(past[-1]["Labels"]),
            )
            for name, past in self.versions.items()
            if not name.startswith("/parameter-sync/")
        }

    def _put_parameter(self, user: str, **asked: Any) -> dict[str, Any]:
        name, past = asked["Name"], self.versions.get(asked["Name"])
        if past and not asked.get("Overwrite"):
            raise _error("ParameterAlreadyExists", "PutParameter")
        if past and asked.get("Type", past[-1]["Type"]) != past[-1]["Type"]:
            raise _error("HierarchyTypeMismatchException", "PutParameter")
        before = past[-1] if past else {}
        version = {
            "Name": name,
            "Value": asked["Value"],
            "Type": asked.get("Type") or before["Type"],
            "Description": asked.get("Description", before.get("Description", "")),
            "AllowedPattern": asked.get("AllowedPattern", before.get("AllowedPattern", "")),
            "DataType": asked.get("DataType", "text"),
            "Tier": asked.get("Tier", before.get("Tier", "Standard")),
            "Policies": before.get("Policies", []),
            "KeyId": asked.get("KeyId", ""),
            "Labels": [],
            "Version": len(past or ()) + 1,
            "LastModifiedDate": datetime.fromtimestamp(self.now() / 1000, UTC),
            "LastModifiedUser": user,
        }
        self.versions.setdefault(name, []).append(version)
        self.tags.setdefault(name, {}).update({each["Key"]: each["Value"] for each in asked.get("Tags", [])})
        self.on_change(name)
        return {"Version": version["Version"]}

    def _delete_parameter(self, _user: str, *, Name: str) -> dict[str, Any]:
        self._known(Name)
        del self.versions[Name], self.tags[Name]
        self.on_change(Name)
        return {}

    def _get_parameter(self, _user: str, *, Name: str, **_: Any) -> dict[str, Any]:
        name, _colon, version = Name.partition(":")
        past = self._known(name)
        return {"Parameter": past[int(version) - 1] if version else past[-1]}

    def _get_parameters(self, _user: str, *, Names: list[str], **_: Any) -> dict[str, Any]:
        assert len(Names) <= 10, "API SSM.GetParameters"
        return {"Parameters": [self.versions[name][-1] for name in Names if name in self.versions]}

    def _get_parameter_history(
        self, _user: str, *, Name: str, MaxResults: int, NextToken: str = "0", **_: Any
    ) -> dict[str, Any]:
        return _page([dict(each) for each in self._known(Name)], MaxResults, NextToken, most=50)

    def _describe_parameters(
        self, _user: str, *, ParameterFilters: list[Any], MaxResults: int, NextToken: str = "0"
    ) -> dict[str, Any]:
        (prefix,) = ParameterFilters[0]["Values"]
        found = [past[-1] for name, past in sorted(self.versions.items()) if name.startswith(f"{prefix}/")]
        return _page(found, MaxResults, NextToken, most=50)

    def _list_tags_for_resource(self, _user: str, *, ResourceId: str, **_: Any) -> dict[str, Any]:
        self._known(ResourceId)
        return {"TagList": [{"Key": key, "Value": value} for key, value in self.tags[ResourceId].items()]}

    def _add_tags_to_resource(self, _user: str, *, ResourceId: str, Tags: list[Any], **_: Any) -> Any:
        self._known(ResourceId)
        self.tags[ResourceId].update({each["Key"]: each["Value"] for each in Tags})
        if {each["Key"] for each in Tags} != {"dr:common"}:
            self.on_change(ResourceId)
        return {}

    def _remove_tags_from_resource(self, _user: str, *, ResourceId: str, TagKeys: list[str], **_: Any) -> Any:
        self._known(ResourceId)
        for key in TagKeys:
            self.tags[ResourceId].pop(key, None)
        self.on_change(ResourceId)
        return {}

    def _label_parameter_version(self, _user: str, *, Name: str, ParameterVersion: int, Labels: list[str]) -> Any:
        if ParameterVersion > len(self._known(Name)):
            raise _error("ParameterVersionNotFound", "LabelParameterVersion")
        for each in self._known(Name):
            each["Labels"] = [label for label in each["Labels"] if label not in Labels]
        self.versions[Name][ParameterVersion - 1]["Labels"] += Labels
        self.on_change(Name)
        return {"InvalidLabels": []}

    def _unlabel_parameter_version(self, _user: str, *, Name: str, ParameterVersion: int, Labels: list[str]) -> Any:
        version = self._known(Name)[ParameterVersion - 1]
        version["Labels"] = [label for label in version["Labels"] if label not in Labels]
        return {"RemovedLabels": Labels}

    def _known(self, name: str) -> list[dict[str, Any]]:
        if name not in self.versions:
            raise _error("ParameterNotFound", "any")
        return self.versions[name]


def _page(found: list[Any], size: int, token: str, *, most: int) -> dict[str, Any]:
    assert size <= most
    end = int(token) + size
    more = {"NextToken": str(end)} if end < len(found) else {}
    return {"Parameters": found[int(token) : end], **more}


def _error(code: str, operation: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "secret-in-a-message"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    return ClientError(answer, operation)
