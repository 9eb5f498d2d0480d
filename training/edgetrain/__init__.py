"""Training of the project's interpolation network: data, operators, losses, trainer."""
