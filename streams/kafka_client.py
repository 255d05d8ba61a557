"""Kafka settings in the terms of Faust."""

from __future__ import annotations

from typing import Any

import faust

from settings import Kafka


def faust_credentials(kafka: Kafka) -> Any:
    """How to log in, as Faust's ``broker_credentials``, or ``None`` for plain connections."""
    if kafka.security_protocol == "PLAINTEXT":
        return None
    context = kafka.tls_context() if kafka.security_protocol.endswith("SSL") else None
    if kafka.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=kafka.sasl_username,
        password=kafka.sasl_password.get_secret_value() if kafka.sasl_password else None,
        ssl_context=context,
        mechanism=kafka.sasl_mechanism,
    )


def faust_brokers(kafka: Kafka) -> str:
    """``kafka://a:9092;kafka://b:9092``."""
    return ";".join(f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(","))
