"""Places outside that sell our stock: what each may offer goes out, its orders come in, and drift is found."""
