"""When people are called: a definition per alert; Prometheus' rules, links to runbooks and our own notifier are made of it."""
