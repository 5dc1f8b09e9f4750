"""Are the rules of `models.authorization` true? Every case of every rule, tried as the person whom it concerns."""
