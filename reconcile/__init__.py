"""Reconciliation: what the targets hold is compared with what the sources say they must hold, and made good.

May import flows, schemas, sinks and settings. What it needs of Kafka comes through :class:`~reconcile.broker.Broker`.
"""
