"""The command line `dr`, and its commands around a deployed environment: set up, deploy, fail over by hand, tear down,
estimate cost, draw diagrams. Drills live in `drill`, the embedded AWS in `localaws`.
"""
