"""Jobs on the machines of a Dask cluster: a job is JSON and its result is JSON, and the driver alone writes records.

`dask` sends jobs: `DaskEngine` as many at a time as the workers have threads, `HostEngine` one on a host at a time and
alone there. `nodes` runs them on a host, `units` finds a backend and its environment there. The modules are imported by
name: Dask is an extra.
"""

__all__ = ["dask", "nodes", "units"]
