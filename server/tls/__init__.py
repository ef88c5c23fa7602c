"""TLS from files, for every port that other machines reach: the certificate, and handshakes with bounds.

Guarantees that a process does not start with files that no client would take, and that handshakes end in time.
"""
