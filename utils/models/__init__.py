"""What learns: reference cells in NumPy, Keras builders and initialisers."""
