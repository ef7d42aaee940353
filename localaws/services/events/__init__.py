"""EventBridge buses, global endpoints and schedules."""
