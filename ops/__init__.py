"""What people run around a deployed environment that is no drill: set up, roll out, fail over by hand, tear down."""
