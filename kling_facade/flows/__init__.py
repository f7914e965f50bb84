"""What the clients do, written once, as coroutines over the ``IO`` port."""
