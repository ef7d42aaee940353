"""What a run leaves behind: `report.json` for machines, `report.html` for people, made from the same model."""
