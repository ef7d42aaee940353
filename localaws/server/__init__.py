"""The server process of the embedded AWS: its HTTP application, the control API's routes, and the composition of all
services (`assembly`). It imports the services; no service imports it.
"""
