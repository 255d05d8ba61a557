"""The signed HTTP intake: what a service posts becomes a record of Kafka. A process of its own, without state."""
