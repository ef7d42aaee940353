"""Readings that commands take before they act: settings, the caller's identity, control records, the writer, the
registered resources. Nothing here changes anything.
"""
