"""The console as browsers reach it: pages, `/api`, `/live`."""
