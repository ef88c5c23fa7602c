"""What goes out: which listings are due, what each shall offer, and what came of it."""
