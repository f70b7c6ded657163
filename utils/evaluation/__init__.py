"""What it is worth: baselines and metrics."""
