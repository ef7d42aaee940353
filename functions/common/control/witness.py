"""DNS query of the witness: a TXT record outside both regions that follows Route 53's own health checkers.

A query uses Route 53's data plane only. dnspython is imported with the first query, which keeps it out of the cold
start of functions that never send one.
"""

from .rules import Witness

# A resolver answers from its cache within milliseconds, otherwise within a few hundred.
TIMEOUT_SECONDS = 0.5


def query_witness(name: str | None, *, server: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> Witness:
    """The answer of the witness `name`; SILENT for no name, no answer, or one that is neither "up" nor "down".

    `server` is the resolver's `address:port`, by default the system's. Raises ValueError if it has another form.
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
        answer = resolver.resolve(f"{name.rstrip('.')}.", "TXT", lifetime=timeout_seconds, raise_on_no_answer=False)
    except dns.exception.DNSException:
        return Witness.SILENT
    values = {b"".join(record.strings).decode("ascii", "replace") for record in answer}
    valid = {Witness.UP.value, Witness.DOWN.value}
    return Witness(values.pop()) if len(values) == 1 and values <= valid else Witness.SILENT
