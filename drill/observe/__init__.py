"""Reading an environment during a run: status, ledger, workflow runs, sentinel decisions, use of this machine."""
