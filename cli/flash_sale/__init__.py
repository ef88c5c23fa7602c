"""`stockwire demo flash-sale`, and what the keys of `stockwire up` break: a sale, screens that watch, a verdict."""
