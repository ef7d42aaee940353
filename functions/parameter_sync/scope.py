"""Which parameters are kept equal, and which a region has for itself."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Paths without a slash at the end."""

    prefix: str
    private: str  # below `prefix`: a region's own parameters, which are never copied

    def objection(self, name: str) -> str | None:
        """Why the parameter of this name is none of ours; None if it is one."""
        if not name.startswith(f"{self.prefix}/"):
            return f"it is not below {self.prefix}/"
        if name.startswith(f"{self.private}/"):
            return f"it is below {self.private}/, which each region has for itself"
        return None
