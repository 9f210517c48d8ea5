"""Wake a carrier's worker. A wake-up says nothing but which carrier: what is due stands in the store's outbox."""

import time
from collections.abc import Callable

from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from hub.desk.notices import Carrier
from hub.desk.refusals import StoreAway
from hub.store.jobs import FAILED, connect_for_jobs
from workers.jobs import DESCRIPTION, FAILURE_S, FUNCTION, LIVES_S, RESULT_S, RUNS_S, queue_name


class Waker:
    """Blocking: call it in a thread. `monotonic` makes the time buckets, whatever it counts from."""

    def __init__(self, jobs_url: str, office: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._office = office
        self._connection = connect_for_jobs(jobs_url)
        self._monotonic = monotonic

    def wake(self, carrier: Carrier) -> None:
        """A wake-up, unless one waits already. Raises StoreAway.

        One id a second: a wake-up that got stuck keeps only its own second from being asked for again.
        """
        queue = Queue(queue_name(self._office, carrier), connection=self._connection, serializer=JSONSerializer)
        try:
            if queue.count:
                return  # whoever takes it will find everything that is due
            queue.enqueue_call(
                FUNCTION,
                args=(str(carrier),),
                job_id=f"{queue.name}-{int(self._monotonic())}",
                unique=True,
                description=DESCRIPTION,
                timeout=RUNS_S,
                ttl=LIVES_S,
                result_ttl=RESULT_S,
                failure_ttl=FAILURE_S,
            )
        except DuplicateJobError:
            pass
        except FAILED:
            raise StoreAway from None

    def close(self) -> None:
        self._connection.close()
