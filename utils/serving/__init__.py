"""A model that answers others: the streaming service, its metrics, and the monitor of what comes in."""
