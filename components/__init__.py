"""Architectural building blocks, one a file; pure helpers stand beside the component that they help.

A constructor only registers resources: it reads no configuration, environment or AWS, and creates nothing inside
`apply`, so that a preview shows all there is.
"""
