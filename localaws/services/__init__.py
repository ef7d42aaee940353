"""Behaviour of AWS services that the emulator lacks, a module or package for each service.

`component` defines how a service is installed, started and stopped; `api_model` reads requests and writes responses.
How the emulator is patched does not belong here, but in `localaws.emulator`.
"""
