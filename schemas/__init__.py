"""The wire: Debezium envelopes, message keys, connector configuration, redaction."""
