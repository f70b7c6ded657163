"""Helpers shared by the lessons of Advanced RNNs.

``datasets`` says where sequences come from, ``models`` what learns, ``training`` how it learns and ``evaluation``
what it is worth. ``runtime``, ``plotting``, ``findings`` and ``exercises`` serve every lesson. Importing this package
imports none of them, so it costs nothing.
"""
