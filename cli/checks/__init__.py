"""What `stockwire doctor` asks, one noun to a module; what the answers mean stands in ``cli.findings``."""
