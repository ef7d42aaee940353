"""TCP and HTTP building blocks of the data planes: listeners, relays, forwarding, probes. They know no AWS service."""
