"""What does each command of the command line do? One module per subject; `app.__main__` names them."""
