"""When people are called: one definition per alert, of which Prometheus' rules, the runbook's links and our own notifier are made."""
