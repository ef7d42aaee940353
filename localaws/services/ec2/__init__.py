"""VPC features that the emulator lacks: interface endpoints, flow logs, peering."""
