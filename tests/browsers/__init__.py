"""What browsers do to sockets, in real ones: Chromium and Firefox ESR, against real hubs."""
