"""Definitions that several packages share: places, settings, names, tags, outputs.

`providers` and `references` need Pulumi; everything else is plain Python, so that the drill can read it too.
"""
