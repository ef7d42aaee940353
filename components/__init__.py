"""Pulumi components, in one package for each subject.

A constructor only registers resources: it reads no configuration, environment or AWS, and creates nothing inside
`apply`, so that a preview shows every resource. Pure helpers stand beside the component that uses them. Programs
(`stacks/`) compose components; `components.region` and `components.global_stack` compose those of the other packages.
"""
