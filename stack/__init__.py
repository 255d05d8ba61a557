"""The embedded local stack: PostgreSQL, Kafka and Kafka Connect on loopback, and the supervisor of the Procfile."""
