"""Wake a carrier's worker. A wake-up says nothing but which carrier: what is due stands in the store's outbox."""

import secrets

from rq import Queue
from rq.serializers import JSONSerializer

from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway
from hub.store.jobs import FAILED, connect_for_jobs
from workers.jobs import DESCRIPTION, FAILURE_S, FUNCTION, LIVES_S, RESULT_S, RUNS_S, queue_name


class Waker:
    """Blocking: call it in a thread."""

    def __init__(self, jobs_url: str, office: str) -> None:
        self._office = office
        self._connection = connect_for_jobs(jobs_url)

    def wake(self, carrier: Carrier) -> None:
        """A wake-up, unless one waits already. Raises StoreAway.

        Each has an id of its own. One that is being carried out may have looked for the last time by now, and one that
        was taken by a worker that died leaves its name behind: neither may keep the next from coming.
        """
        queue = Queue(queue_name(self._office, carrier), connection=self._connection, serializer=JSONSerializer)
        try:
            if queue.count:
                return  # whoever takes it will find everything that is due
            queue.enqueue_call(
                FUNCTION,
                args=(str(carrier),),
                job_id=f"{queue.name}-{secrets.token_hex(8)}",
                description=DESCRIPTION,
                timeout=RUNS_S,
                ttl=LIVES_S,
                result_ttl=RESULT_S,
                failure_ttl=FAILURE_S,
            )
        except FAILED:
            raise StoreAway from None

    def close(self) -> None:
        self._connection.close()
