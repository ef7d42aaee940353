"""Behaviour of AWS services beyond the emulator's, a module or package for each service. `part` says how a service is
installed, started and stopped.
"""
