"""`stockwire listen`: prints what relays write to a broker, for whoever tries it or looks for what went wrong.

__main__.py   the command
printed.py    one message as one line (pure)
kafka.py, nats.py, rabbitmq.py   reading each kind of broker, from now on or from its first message

It keeps no checkpoint and promises nothing: programs that follow changes take ``stockwire.streams``.
"""
