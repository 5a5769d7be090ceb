"""Clients of a server, on the loopback: each sends one row, waits for the answer, and sends the next.

Started as `python clients.py CONFIG`, CONFIG being JSON: `url`, `rows` (an .npy file), `classes`, `clients`, `seconds`,
`cores` to run on, and `out`, the .npz file that is written: of every request the row's number, the seconds, and the
probabilities that came. A request that fails, or whose answer has another shape, has probabilities of NaN.

https://docs.aiohttp.org/en/stable/client_quickstart.html
"""

import asyncio
import itertools
import json
import os
import sys
import time

import aiohttp
import numpy as np

JSON = {"Content-Type": "application/json"}


async def send(session, url, body, classes):
    """Return the probabilities of one row, an array (classes,); None where none came."""
    try:
        async with session.post(url, data=body, headers=JSON) as response:
            if response.status != 200:
                return None
            answer = np.asarray(json.loads(await response.read())["probabilities"], float)
    except (aiohttp.ClientError, TimeoutError, LookupError, TypeError, ValueError):  # the last three: no such answer
        return None
    return answer[0] if answer.shape == (1, classes) else None


async def run(config):
    rows = np.load(config["rows"])
    bodies = [json.dumps({"rows": [row.tolist()]}).encode() for row in rows]
    turns, answers, classes = itertools.count(), [], config["classes"]

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:

        async def one_client(until):
            while time.perf_counter() < until:
                row = next(turns) % len(rows)
                started = time.perf_counter()
                answer = await send(session, config["url"], bodies[row], classes)
                answers.append((row, time.perf_counter() - started, answer))

        await asyncio.gather(*(send(session, config["url"], bodies[0], classes) for _ in range(config["clients"])))
        started = time.perf_counter()
        await asyncio.gather(*(one_client(started + config["seconds"]) for _ in range(config["clients"])))
        took = time.perf_counter() - started
    missing = np.full(classes, np.nan)
    np.savez(
        config["out"],
        row=[row for row, _, _ in answers],
        seconds=[seconds for _, seconds, _ in answers],
        probabilities=[missing if answer is None else answer for _, _, answer in answers],
        took=took,
    )


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if given["cores"] is not None:
        os.sched_setaffinity(0, given["cores"])
    asyncio.run(run(given))
