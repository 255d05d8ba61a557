"""Kafka settings in the terms of aiokafka clients and of Faust."""

from __future__ import annotations

import ssl
from typing import Any

import faust

from settings import Kafka


def client_options(kafka: Kafka) -> dict[str, Any]:
    """Keyword arguments of every aiokafka client: where the brokers are and how to log in."""
    options: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "security_protocol": kafka.security_protocol,
    }
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = tls_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = kafka.sasl_password.get_secret_value() if kafka.sasl_password else None
    return options


def tls_context(kafka: Kafka) -> ssl.SSLContext:
    """Verifies the brokers' certificates and host names; raises ``OSError`` when a file cannot be read."""
    context = ssl.create_default_context(cafile=kafka.ssl_cafile)
    if kafka.ssl_certfile is not None:
        context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile)
    return context


def faust_credentials(kafka: Kafka) -> Any:
    """The same as Faust's ``broker_credentials``, or ``None`` for plain connections."""
    if kafka.security_protocol == "PLAINTEXT":
        return None
    context = tls_context(kafka) if kafka.security_protocol.endswith("SSL") else None
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
