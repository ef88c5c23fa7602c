"""The routes of the HTTP API, one noun per file. ``wire/openapi.yaml`` says what each takes and answers.

No route imports the app, which puts them all together."""
