"""The embedded hub: a server on this machine that speaks the Hugging Face Hub's protocol to stock clients.

```python
from classroom.hub import HubServer, Store, seed

store = Store("some/folder")
seed(store)
with HubServer(store) as hub:
    print(hub.endpoint)  # for HF_ENDPOINT
```
"""

from __future__ import annotations

from classroom.hub.log import Request, RequestLog
from classroom.hub.seed import SeededRepo, seed
from classroom.hub.server import HubServer, serve
from classroom.hub.store import Place, Store

__all__ = ["HubServer", "Place", "Request", "RequestLog", "SeededRepo", "Store", "seed", "serve"]
