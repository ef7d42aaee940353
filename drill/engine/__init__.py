"""Running a scenario: the run and its steps, the environment on this machine or on AWS, calibration, cleanup. The
commands start here.
"""
