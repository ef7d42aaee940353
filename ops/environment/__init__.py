"""What the commands read of an environment before they act: stack outputs, the caller's identity, settings, control
records, the current writer. Nothing here changes anything.
"""
