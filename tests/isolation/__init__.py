"""What readers of one location may not learn of another."""
