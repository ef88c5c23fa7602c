"""Brokers of others, Kafka, RabbitMQ, NATS: how they are named and reached, for whoever writes there or reads.

Nothing here imports a broker's client but ``libraries``' callers: who asks for no broker needs none installed.
"""
