"""Upkeep of the repository: execute lessons, replicate them, write the page of answers. Lessons never import it."""
