"""HTTP as every process of ours speaks it: bounded connections, the server around them, bodies, allowed hosts.

Knows nothing of stock: what is particular to a process is handed in.
"""
