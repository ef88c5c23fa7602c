"""Brokers that ask who one is, over TLS, and what relay and intake say of them.

certificates.py   what brokers show, and what they are shown
rights.py         what the how-to pages say that a user needs
asked.py          a relay's sink and an intake's source, asked for all that they do, and what they say
kafka.py, rabbitmq.py, nats.py   the brokers themselves
"""
