"""AWS FIS: the experiment templates, their role and their log. Drills that inject faults by other means are in
`drill`."""
