"""The contract between ledger, hub and clients: messages, channel names, close codes, scopes, tokens.

Pure: nothing in here opens a file, a socket or a clock. Golden vectors for every message stand in ``wire/vectors``;
``wire/asyncapi.yaml``, ``wire/streams-asyncapi.yaml`` and ``wire/openapi.yaml`` describe the same contract for other
languages.
"""
