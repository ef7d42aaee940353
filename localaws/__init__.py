"""The embedded AWS: two regions on one machine, for rehearsals and tests. Never imported by what runs on AWS."""
