"""A witness over DNS."""

import socket
import threading

import dnslib

from tests.local.embedded import EAST_1, EAST_2


class WitnessServer:
    """A name server with the TXT records that a test sets for each region."""

    def __init__(self) -> None:
        self.answers = {EAST_1: "up", EAST_2: "up"}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    @staticmethod
    def name(region: str) -> str:
        return f"witness-{region}.test"

    def close(self) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            asked = dnslib.DNSRecord.parse(query)
            reply = asked.reply()
            region = str(asked.q.qname).removeprefix("witness-").partition(".")[0]
            reply.add_answer(*dnslib.RR.fromZone(f'{asked.q.qname} 0 TXT "{self.answers[region]}"'))
            self._socket.sendto(reply.pack(), client)
