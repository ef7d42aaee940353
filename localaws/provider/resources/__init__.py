"""The table of resource types, by service. A type that is not here is an error wherever it is registered.

`TYPES` of each module of this folder holds its resource types.
"""

import importlib
import pkgutil

from localaws.provider.table import Entry

_SERVICES = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]

TABLE: dict[str, Entry] = {type_: entry for service in _SERVICES for type_, entry in service.TYPES.items()}
