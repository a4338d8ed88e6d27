"""What ``byoc doctor --probe-egress`` runs in a container: it tries hosts, and prints what became of it.

The container gets the text of this file (``python3 -c``). So it imports nothing but the standard library, and works
with every Python 3 that an image may have. ``BYOC_EGRESS`` names the hosts: ``host:port host:port``.
``BYOC_EGRESS_SECONDS``: time limit of one connection, by default ten seconds; all of them together have twice that.

Each host is looked up, connected to, and shaken hands with over TLS; nothing is sent to it. The answer is one line of
JSON: ``{"byocEgress": {"host:port": {"stage": "reached", "why": "", "tls": "TLSv1.3", "issuer": "…"}}}``. ``stage`` is
where it ended: ``dns``, ``tcp``, ``tls``, or ``reached``.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import threading
import time


def trusting() -> ssl.SSLContext:
    """What the server's own HTTP client trusts: certifi's list where the image has it, unless a variable says else."""
    authorities = None
    if not (os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")):
        try:
            import certifi

            authorities = certifi.where()
        except ImportError:
            pass
    return ssl.create_default_context(cafile=authorities)


def connected(addresses: list, seconds: float) -> socket.socket:  # type: ignore[type-arg]
    """A connection to the first address that takes one; the error of the first that does not, IPv4 before IPv6."""
    failures = []
    for family, kind, protocol, _, address in sorted(addresses, key=lambda each: each[0] != socket.AF_INET):
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(seconds)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            failures.append(error)
        else:
            return connection
    raise failures[0] if failures else OSError("the name has no address")


def issuer_of(certificate: dict) -> str:  # type: ignore[type-arg]
    """Who vouches for a certificate; a firewall that opens TLS shows here."""
    names = {name: value for part in certificate.get("issuer", ()) for name, value in part}
    return str(names.get("organizationName") or names.get("commonName") or "")


def attempt(destination: str, seconds: float, answer: dict[str, str]) -> None:
    """Try one ``host:port``, and write into ``answer`` how far it came."""
    host, _, port = destination.rpartition(":")
    try:
        addresses = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
        answer["stage"] = "tcp"
        with connected(addresses, seconds) as connection:
            answer["stage"] = "tls"
            with trusting().wrap_socket(connection, server_hostname=host) as secure:
                issuer = issuer_of(secure.getpeercert() or {})
                answer.update(stage="reached", why="", tls=secure.version() or "", issuer=issuer)
    except (OSError, ValueError) as error:
        if answer["stage"] != "reached":
            answer["why"] = "timed out" if isinstance(error, socket.timeout) else str(error) or type(error).__name__


def main() -> None:
    """Try every host at the same time, and print the answers when all are in, or time is up."""
    seconds = float(os.environ.get("BYOC_EGRESS_SECONDS", "10"))
    # Every key from the start: a mapping that grows while it is printed is an error.
    asked = {"stage": "dns", "why": "timed out", "tls": "", "issuer": ""}
    answers = {each: dict(asked) for each in os.environ["BYOC_EGRESS"].split()}
    trials = [
        threading.Thread(target=attempt, args=(destination, seconds, answer), daemon=True)
        for destination, answer in answers.items()
    ]
    for trial in trials:
        trial.start()
    end = time.monotonic() + 2 * seconds
    for trial in trials:
        trial.join(max(0.0, end - time.monotonic()))
    print(json.dumps({"byocEgress": answers}), flush=True)
    # A look-up that hangs in the C library does not keep the container.
    os._exit(0)


if __name__ == "__main__":
    main()
