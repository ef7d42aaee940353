"""Pulumi's own state: a backend and a secrets provider in two regions, and moves between them."""
