"""The monthly cost of an environment, from the resources that the programs register and a table of prices."""
