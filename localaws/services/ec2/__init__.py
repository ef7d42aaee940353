"""VPC features that ministack lacks or has in part: interface endpoints, flow logs, peering. None carries traffic."""
