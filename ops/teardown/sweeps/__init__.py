"""What a destroyed environment leaves behind because Pulumi never owned it: one kind a file, each safe to run again."""
