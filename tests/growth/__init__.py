"""What work costs as its input grows."""
