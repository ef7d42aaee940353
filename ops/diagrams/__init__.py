"""The diagrams in `docs/`, drawn from the resources that the programs register."""
