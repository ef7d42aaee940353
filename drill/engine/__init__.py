"""Running a scenario: the runner, the environment on this machine or on AWS, calibration, cleanup.
Commands start here.
"""
