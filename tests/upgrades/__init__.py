"""Two releases side by side on one database and one broker, there and back, with sales and watchers throughout."""
