"""What clients say and are answered, one room for each protocol, none of which knows another."""
