"""WHAT is synchronised: one frozen value per flow. Pure: no Faust, no Kafka, no database, no clock."""
