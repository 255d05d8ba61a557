"""Dashboards for Grafana, made of the catalogue of metrics."""
