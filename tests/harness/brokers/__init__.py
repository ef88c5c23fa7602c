"""Real brokers for tests, each on loopback, with ports and a folder of its own.

noida.py          Kafka's protocol, small and quick: what most tests take
apache_kafka.py   Apache Kafka 4, one node
nats_server.py    NATS with JetStream, synced to disk before it acknowledges
rabbitmq.py       RabbitMQ with its stream plugin
fixtures.py       one of each for a whole run, and a prefix for each test
"""
