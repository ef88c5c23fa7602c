"""Grafana's dashboards of a Stockwire: `make dashboards` writes them to deploy/observe/dashboards."""
