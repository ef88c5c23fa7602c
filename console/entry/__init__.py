"""Who may come in: sessions, and how one begins."""
