"""Asking the witness: a TXT record outside both regions whose answer follows Route 53's own health checkers.

A query is data plane: no control plane is asked. The library is imported with the first question, which keeps it out
of the cold start of whoever never asks.
"""

from .rules import Witness

# A resolver that has the answer says it within milliseconds; one that has to fetch it, within a few hundred.
TIMEOUT_SECONDS = 0.5


def ask_witness(name: str | None, *, server: str | None = None, timeout: float = TIMEOUT_SECONDS) -> Witness:
    """What the witness `name` says; SILENT for no name, no answer, or an answer that is neither "up" nor "down".

    `server` is the resolver's `address:port`, by default the system's. Raises ValueError for a server of another form.
    """
    if not name:
        return Witness.SILENT
    import dns.exception
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=server is None)
    if server is not None:
        address, _, port = server.rpartition(":")
        resolver.nameservers, resolver.port = [address], int(port)
    try:
        answer = resolver.resolve(f"{name.rstrip('.')}.", "TXT", lifetime=timeout, raise_on_no_answer=False)
    except dns.exception.DNSException:
        return Witness.SILENT
    said = {b"".join(record.strings).decode("ascii", "replace") for record in answer}
    known = (Witness.UP.value, Witness.DOWN.value)
    return Witness(said.pop()) if len(said) == 1 and said <= set(known) else Witness.SILENT
