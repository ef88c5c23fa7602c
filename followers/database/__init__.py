"""The followers' own schema in PostgreSQL, and who works on what. Imports the settings alone."""
