"""What tests are run by: their tiers, and what each room of them costs."""
