"""HTTP to places outside that somebody else named: who is reached, and who is not."""
