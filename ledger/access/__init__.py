"""Who sends a request, and what they may do. It may import the database."""
