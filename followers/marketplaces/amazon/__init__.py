"""Amazon's Selling Partner API: a seller's own stock in one marketplace."""
