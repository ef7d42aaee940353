"""Global Accelerator: its API and records, and the data plane that routes connections by distance, dials and health."""
