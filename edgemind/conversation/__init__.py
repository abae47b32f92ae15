"""One conversation with a model, for every face that holds one: turns, documents, limits."""
