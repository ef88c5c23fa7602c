"""A strict server of Shopify's Admin GraphQL API, version 2026-10, over the schema that Shopify ships."""
