"""HTTP as every process of ours speaks it: bounded connections, bodies, queries, problems, health.

Knows nothing of stock: what is particular to a process is handed in.
"""
