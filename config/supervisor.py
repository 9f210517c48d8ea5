"""Keeps a row of posts running: starts them in order, brings back whoever ended, stops them the other way round.

It knows nothing of what the posts do, prints nothing itself, and never sleeps: whoever owns it calls `tend`.
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

FIRST_PAUSE_S = 0.2  # a killed hub is back before a screen misses a beat
LONGEST_PAUSE_S = 10.0  # what ends again and again is a fault for people; no need to burn the machine meanwhile
STEADY_S = 30.0  # whoever ran so long ended for a new reason


class Post(Protocol):
    """One thing that must run. `start` returns soon and may be called again after an end; `stop` may be repeated."""

    @property
    def name(self) -> str: ...

    @property
    def is_running(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def last_words(self) -> str:
        """Why it ended, as far as it can be told: half a sentence, or nothing."""


class Supervisor:
    """`say` gets a sentence whenever a post ended or came back."""

    def __init__(
        self, posts: Sequence[Post], say: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._watched = [_Watched(post) for post in posts]
        self._say = say
        self._monotonic = monotonic

    def start(self) -> None:
        """All in order. If one cannot start, those before it are stopped again and its error comes out."""
        try:
            for watched in self._watched:
                watched.post.start()
                watched.started_at = self._monotonic()
        except BaseException:
            self.stop()
            raise

    def tend(self) -> None:
        """Bring back whoever ended and whose pause is over. Call it a few times a second."""
        now = self._monotonic()
        for watched in self._watched:
            if watched.post.is_running:
                continue
            if watched.again_at is None:
                if now - watched.started_at >= STEADY_S:
                    watched.pause_s = FIRST_PAUSE_S
                watched.again_at = now + watched.pause_s
                watched.pause_s = min(watched.pause_s * 2, LONGEST_PAUSE_S)
                words = watched.post.last_words()
                self._say(f"{watched.post.name}が止まりました{f'（{words}）' if words else ''}。起動し直します。")
            if now >= watched.again_at:
                self._bring_back(watched)

    def stop(self) -> None:
        for watched in reversed(self._watched):
            watched.post.stop()

    def _bring_back(self, watched: "_Watched") -> None:
        watched.again_at = None
        watched.started_at = self._monotonic()
        try:
            watched.post.start()
        except RuntimeError as error:  # CannotStart, StoreDidNotStart: the next pause is longer
            self._say(f"{watched.post.name}を起動できません: {error}")
        else:
            self._say(f"{watched.post.name}を起動し直しました。")


class _Watched:
    def __init__(self, post: Post) -> None:
        self.post = post
        self.started_at = 0.0
        self.again_at: float | None = None  # None: runs, or nobody has noticed its end
        self.pause_s = FIRST_PAUSE_S
