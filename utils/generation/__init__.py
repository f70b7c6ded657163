"""How text is made from a model that predicts the next symbol."""
