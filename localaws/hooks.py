"""Every hook into ministack's private names. Nothing else in this repository touches them.

One section per hook, each with a contract test in `tests/local/test_hooks.py` (name, signature, effect), so that an
upgrade of the pinned emulator fails there and nowhere else.
"""
