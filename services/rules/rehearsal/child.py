"""The process that rehearses: one part after the other, with the least claim to the processor.

It is told what to do in lines of JSON and answers in lines of JSON; the first line holds its settings. It ends when
nobody speaks to it any more, so it never outlives the worker that started it. It has a connection of its own.
"""

import asyncio
import gc
import sys
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import uvloop

from services.rules.domain.rehearsing import Plan
from services.rules.domain.tally import plain
from services.rules.privacy import MasterKeys, Vault
from services.rules.programmes.queries import published_programme_of
from services.rules.rehearsal.past import Part, Rehearser
from services.rules.rehearsal.plan import Asked, plan_of
from services.rules.settings import RulesSettings
from services.runtime.postgres import Pool, is_world_fault, open_pool

SCHEMA: Final = "rules"
GARBAGE_THRESHOLD: Final = 50_000
"""Objects between two looks for cycles: what is decided again leaves hardly any, and each look costs."""


def main() -> None:
    """Answer line by line until the input ends."""
    first = sys.stdin.buffer.readline()
    if first:
        settings = RulesSettings(**orjson.loads(first))
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)
        uvloop.run(_serve(settings))


async def _serve(settings: RulesSettings) -> None:
    pool = await open_pool(settings, SCHEMA, max_size=1, session={"application_name": "bonus rules rehearsal"})
    vault = Vault(MasterKeys.parse(settings.master_keys))
    plans: dict[UUID, Plan] = {}
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        answer = await _answered(pool, vault, plans, orjson.loads(line))
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()
    await pool.close()


async def _answered(pool: Pool, vault: Vault, plans: dict[UUID, Plan], said: dict[str, Any]) -> dict[str, Any]:
    asked = _asked(said["asked"])
    try:
        plan = plans.get(asked.rehearsal_id)
        if plan is None:
            plans.clear()
            plan = plans[asked.rehearsal_id] = await _planned(pool, asked)
        rehearser = Rehearser(pool, vault, plan)
        tally = await rehearser.rehearse(Part(said["part"], asked.tenant, asked.programme))
    # The one boundary of this process: whatever goes wrong with a part, its worker is told and decides whether it is
    # tried again. Raised here it would end the process, and say no more than that it ended.
    except Exception as error:  # noqa: BLE001 - see above
        return {"error": f"{type(error).__name__}: {error}", "again": is_world_fault(error)}
    return {"tally": plain(tally), "decisions": rehearser.decisions}


async def _planned(pool: Pool, asked: Asked) -> Plan:
    live = await published_programme_of(pool, asked.tenant, asked.programme)
    if live is None:
        raise ValueError(f"programme {asked.programme!r} was never published: nothing was bought under it")
    return plan_of(asked, live)


def _asked(said: dict[str, Any]) -> Asked:
    instants = {name: datetime.fromisoformat(said[name]) for name in ("since", "until")}
    return Asked.of(said | instants | {"rehearsal_id": UUID(said["rehearsal_id"])})


if __name__ == "__main__":
    main()
