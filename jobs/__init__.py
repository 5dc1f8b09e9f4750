"""What runs without a viewer: rosters come in, nights pass."""
