"""The API of orders of channels: where their notices come in, and what people see and decide of them."""
