"""Control-plane calls of our own functions, as the embedded AWS counts them: during an outage there must be none to the
lost region's, to Route 53's or to Global Accelerator's."""

from pydantic import BaseModel, ConfigDict

_EDGES = frozenset({"route53", "globalaccelerator"})


class ControlCall(BaseModel):
    """One operation and how often it was called."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    caller: str  # what kind of program called: function, workflow, or something outside
    region: str  # that was called
    service: str
    operation: str
    plane: str  # control or data
    count: int

    @property
    def is_edge(self) -> bool:
        """To a service whose control plane stands in one region only."""
        return self.service in _EDGES

    @property
    def sentence(self) -> str:
        return f"{self.count} x {self.service} {self.operation} in {self.region} by {self.caller}"

    @property
    def is_ours(self) -> bool:
        """By a function or a workflow of the product, not by a tool from outside."""
        return self.caller != "outside"
