"""A whole system under fire: traffic, one fault after the other, and after each the question whether all is well."""
