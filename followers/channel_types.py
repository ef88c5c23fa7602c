"""What is told of channels to marketplaces: types of messages, for who tells them and for who sends them. Pure."""

STOPPED, OVERSOLD, DRIFT = "channel.stopped", "channel.oversold", "channel.drift"
UNMAPPED = "channel.unmapped"
CHANNEL_TYPES = (STOPPED, OVERSOLD, DRIFT, UNMAPPED)
