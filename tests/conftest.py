"""Property tests try the same cases on every machine, however slow it is, and leave nothing behind."""

from hypothesis import settings

settings.register_profile("course", derandomize=True, deadline=None, database=None)
settings.load_profile("course")
