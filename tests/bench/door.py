"""A storm at staff's door: as many sign-ins as so many clients can try, every second one wrong. A process of its own.

`python -m tests.bench.door ORIGIN NAME PASSWORD SECONDS`, with accounts NAME-0 and so on, one a client, says "begun"
after the first answer, and at the end one JSON object: how many came in, were wrong, or were told to wait.
"""

import asyncio
import json
import secrets
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from config.practice.entering import post_form

CLIENTS = 20
WHAT = {303: "sign_ins", 403: "wrong", 503: "refused_busy"}


def main() -> None:
    origin, name, password, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(_storm(origin, name, password, float(seconds)))), flush=True)


async def _storm(origin: str, name: str, password: str, seconds: float) -> Counter[str]:
    told = Counter(dict.fromkeys(WHAT.values(), 0))
    until = time.monotonic() + seconds

    async def client(number: int) -> None:
        turn = number
        while time.monotonic() < until:
            turn += 1
            # Of nobody: a wrong password of an account would lock it, and a locked one is compared with nothing.
            fields = {"name": f"{name}-{number}", "password": password} if turn % 2 else nobody()
            status, _, _ = await asyncio.to_thread(post_form, origin, "/sign-in", fields)
            if not told.total():
                print("begun", flush=True)
            told[WHAT[status]] += 1

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(CLIENTS))
    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return told


def nobody() -> dict[str, str]:
    return {"name": f"nobody-{secrets.token_hex(4)}", "password": secrets.token_hex(8)}


if __name__ == "__main__":
    main()
