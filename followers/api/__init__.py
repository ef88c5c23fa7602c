"""The API of `stockwire channels`: one application, whose routes come from webhooks and marketplaces."""
