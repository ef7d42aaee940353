"""The commands of `python -m localaws`: up, status, outage, recover and what they print."""
