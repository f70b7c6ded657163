"""How it learns: one fast training loop and the study that repeats it over seeds."""
