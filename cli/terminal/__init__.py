"""The terminal of `stockwire up`: what is shown there, and the keys that are pressed."""
