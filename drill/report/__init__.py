"""Reports of a run: `report.json` for machines, `report.html` for people, made from the same model."""
