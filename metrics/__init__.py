"""What the product tells Prometheus: one closed list of metrics, and how its values are collected."""
