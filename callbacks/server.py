"""The process: the application on uvicorn, with Kafka behind it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import uvicorn
from fastapi import FastAPI

from callbacks.connection import guarded
from callbacks.publisher import KafkaPublisher
from callbacks.settings import IntakeSettings
from callbacks.site import create_application
from flows.callback_registry import CALLBACKS
from log_lines import JsonLines
from settings import Log

log = logging.getLogger(__name__)

#: The application answers 408 at the deadline; whoever sends on is cut off these seconds later.
CUT_OFF_SECONDS: Final = 2.0
CONNECTIONS_PER_REQUEST: Final = 4
KEEP_ALIVE_SECONDS: Final = 5


def serve(settings: IntakeSettings) -> bool:
    """Serve until SIGTERM or SIGINT; requests under way are answered first. Returns whether it could start."""
    server = uvicorn.Server(server_configuration(settings))
    with suppress(KeyboardInterrupt, SystemExit):  # Ctrl-C, raised again once all is answered; uvicorn's end for a taken port
        server.run()
    return server.started


def server_configuration(settings: IntakeSettings) -> uvicorn.Config:
    """The whole service, not started yet."""
    callbacks = settings.callbacks
    topics = {callback.topic: callback.partitions for callback in CALLBACKS}

    @asynccontextmanager
    async def connected(_: FastAPI) -> AsyncIterator[None]:
        async with publisher.running():
            log.info("%s senders may post to http://%s:%s", len(callbacks.senders), callbacks.host, callbacks.port)
            yield

    publisher = KafkaPublisher(settings.kafka, topics, callbacks.kafka_timeout)
    return uvicorn.Config(
        create_application(callbacks, publisher, lifespan=connected),
        host=callbacks.host,
        port=callbacks.port,
        http=guarded(callbacks.read_timeout + CUT_OFF_SECONDS, callbacks.max_requests * CONNECTIONS_PER_REQUEST),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # it would log paths, which are the sender's text
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=math.ceil(callbacks.read_timeout + callbacks.kafka_timeout),
    )


def configure_logging(settings: Log) -> None:
    """Lines on standard error, in UTC. Libraries are heard from warnings on: their finer lines may quote records."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.format == "json" else _lines_for_people())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("callbacks").setLevel(logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it tells every second of an outage, we tell once


def _lines_for_people() -> logging.Formatter:
    lines = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    lines.converter = time.gmtime
    return lines
