"""VPCs, their endpoints, flow logs, and the peering between the regions."""
