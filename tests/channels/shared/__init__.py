"""What the strict servers have in common: what they hold to be true, how they send notices, how a test steers them."""
