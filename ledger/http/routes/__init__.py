"""The routes of the HTTP API, one noun per file. ``wire/openapi.yaml`` says what each takes and answers."""
