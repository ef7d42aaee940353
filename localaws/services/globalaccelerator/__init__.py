"""Global Accelerator: API, state, rules, and the data plane that routes connections by distance, dials and health."""
