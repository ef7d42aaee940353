"""Remove from a Pipfile.lock the package index that it was made with: pipenv then uses the reader's own default."""

import json
import pathlib
import sys

path = pathlib.Path(sys.argv[1])
lock = json.loads(path.read_text())
lock["_meta"]["sources"] = []
for name in lock.keys() - {"_meta"}:
    for package in lock[name].values():
        package.pop("index", None)
path.write_text(json.dumps(lock, indent=4, sort_keys=True) + "\n")
