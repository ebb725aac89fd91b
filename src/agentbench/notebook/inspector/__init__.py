"""What the event inspector knows of a run: where it comes from, its timeline, its violations, its record."""
