"""The command line itself: options that commands share, confirmations, exit codes and error messages."""
