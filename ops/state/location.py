"""The location of an environment's state: the URLs of backend and secrets provider, and the same in another region."""

import re
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from shared.command_line import CouldNotStart


@dataclass(frozen=True, kw_only=True)
class Location:
    """`s3://<name>-<region>?region=<region>&…`, as `dr state create` makes it. Other options of the URL stay."""

    name: str
    region: str
    options: str  # the query without the region

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises CouldNotStart for a backend that has no copy by this rule."""
        parts = urlsplit(url)
        region = parse_qs(parts.query).get("region", [""])[0]
        if parts.scheme != "s3" or not region or not parts.netloc.endswith(f"-{region}"):
            raise CouldNotStart(
                f"the state is in {url.partition('?')[0]}, which has no copy of `dr state create`: such a backend is "
                "s3://<name>-<region>?region=<region>"
            )
        options = "&".join(each for each in parts.query.split("&") if not each.startswith("region="))
        return cls(name=parts.netloc.removesuffix(f"-{region}"), region=region, options=options)

    @property
    def bucket(self) -> str:
        return f"{self.name}-{self.region}"

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}?region={self.region}" + (f"&{self.options}" if self.options else "")

    def moved(self, region: str) -> Self:
        return replace(self, region=region)


_REGION = re.compile(r"(?<=[?&]region=)[a-z0-9-]+")


def moved_key(url: str, region: str) -> str:
    """The URL of a secrets provider with a multi-Region key (`awskms://mrk-…?region=…`), in `region`.

    Another provider stays as it is: a passphrase is in no region. Raises CouldNotStart for a key of one region only.
    """
    if not url.startswith("awskms:"):
        return url
    if "mrk-" not in url or not _REGION.search(url):
        raise CouldNotStart(
            f"the secrets provider {url} is a key of one region; a key of both is awskms://mrk-…?region=… "
            "(docs/runbooks/state.md)"
        )
    return _REGION.sub(region, url)


def moved_state(exported: dict[str, Any], region: str) -> bool:
    """Let a state, as `pulumi stack export` prints it, name the key in `region`; whether that changed it.

    The data key in it is encrypted under the multi-Region key, so that the copy of that key decrypts it.
    """
    provider = (exported.get("deployment") or {}).get("secrets_providers") or {}
    state = provider.get("state") or {}
    if provider.get("type") != "cloud":
        return False
    before, state["url"] = state["url"], moved_key(state["url"], region)
    return bool(before != state["url"])
