"""The Aurora global database and its members' subnet groups, engine versions and master secret. Who may write is
decided by the control records in `functions/`."""
