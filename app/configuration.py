"""Our settings in the terms of Faust's. Every value that differs from Faust's default has a reason in the design."""

from __future__ import annotations

from typing import Any, Final

import log_lines
from flows.registry import FLOWS
from schemas.connector import RECORD_BYTES
from settings import Settings
from streams import kafka_client

#: Faust stops a consumer that does not poll for this long; ours waits out outages (seconds).
_NEVER: Final = 1e6


def faust_configuration(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of ``faust.App``."""
    kafka, worker = settings.kafka, settings.worker
    return {
        "broker": kafka_client.faust_brokers(kafka),
        "broker_credentials": kafka_client.faust_credentials(kafka),
        "broker_session_timeout": kafka.session_timeout,
        "broker_heartbeat_interval": kafka.session_timeout / 5,
        "broker_max_poll_interval": _NEVER,
        "broker_rebalance_timeout": 30.0,
        "broker_max_poll_records": worker.max_poll_records,
        "broker_commit_interval": 5.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": worker.max_fetch_bytes,
        "datadir": str(worker.data_dir.absolute()),
        "key_serializer": "raw",
        "value_serializer": "raw",
        "producer_linger": 0.0,
        "producer_max_batch_size": 512 * 1024,
        "producer_max_request_size": RECORD_BYTES,
        "recovery_consistency_check": False,
        "store": "rocksdb://",
        "stream_buffer_maxsize": 2,
        "stream_wait_empty": False,
        "stream_recovery_delay": 0.0,
        "table_standby_replicas": 0,
        "topic_partitions": max(flow.partitions for flow in FLOWS),
        "topic_replication_factor": kafka.replication_factor,
        "topic_disable_leader": True,
        "agent_supervisor": "mode.CrashingSupervisor",
        "web_enabled": True,
        "web_bind": worker.web_host,
        "web_host": worker.web_host,
        "web_port": worker.web_port,
        "web_router_enabled": False,
        "web_tables_enabled": False,
        "logging_config": log_lines.logging_configuration() if settings.log.format == "json" else None,
    }
