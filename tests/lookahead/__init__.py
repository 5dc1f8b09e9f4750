"""The look-ahead held against a second answer: random documents, and the same rules once more in plain loops."""
