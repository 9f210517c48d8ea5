"""Keeps a row of posts running: starts them in order, brings back whoever ended or hangs, stops them in reverse order.

It knows nothing of what the posts do, prints nothing itself, and never sleeps: whoever owns it calls `tend`.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from config.commands.asking import Say

FIRST_PAUSE_S = 0.2  # a killed hub is back before a screen misses a beat
LONGEST_PAUSE_S = 10.0  # what ends again and again is a fault for people; no need to burn the machine meanwhile
STEADY_S = 30.0  # whoever ran so long ended for a new reason
# A process can hang for ever without ending. Three times silent is ten seconds in which no press was answered; a busy
# machine was never seen to need more than one.
ASK_EVERY_S = 5.0
ASK_FIRST_EVERY_S = 0.5  # until it has answered once: from then on its silence counts
SILENT_TIMES = 3
FIRST_ANSWER_WITHIN_S = 30.0  # whoever has not answered yet is still starting


class Post(Protocol):
    """One thing that must run. `start` returns soon and may be called again after an end; `stop` may be repeated."""

    @property
    def name(self) -> str: ...

    @property
    def is_running(self) -> bool: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None:
        """End it without asking."""

    def answers(self) -> bool:
        """Whether it says anything at all within about a second; asked only while it runs."""

    def last_words(self) -> str:
        """Why it ended, as far as it can be told: half a sentence, or nothing."""


class Supervisor:
    """`say` gets a sentence whenever a post ended or came back."""

    def __init__(self, posts: Sequence[Post], say: Say, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._watched = [_Watched(post) for post in posts]
        self._say = say
        self._monotonic = monotonic

    def start(self) -> None:
        """All in order. If one cannot start, those before it are stopped again and its error comes out."""
        try:
            for watched in self._watched:
                self._start(watched)
        except BaseException:
            self.stop()
            raise

    def tend(self) -> None:
        """Bring back whoever ended and whose pause is over, and end who hangs. Call it a few times a second."""
        for watched in self._watched:
            now = self._monotonic()
            if watched.post.is_running:
                self._ask(watched, now)
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
        """All of them, also when one of them cannot be stopped; its error comes out at the end."""
        with contextlib.ExitStack() as stops:
            for watched in self._watched:
                stops.callback(watched.post.stop)

    def kill(self) -> None:
        """All of them without asking, as far as that goes."""
        for watched in reversed(self._watched):
            with contextlib.suppress(RuntimeError, OSError):
                watched.post.kill()

    def _start(self, watched: "_Watched") -> None:
        watched.started_at = self._monotonic()
        watched.ask_at = watched.started_at
        watched.has_answered, watched.silent_times = False, 0
        watched.post.start()

    def _ask(self, watched: "_Watched", now: float) -> None:
        if now < watched.ask_at:
            return
        if watched.post.answers():
            watched.has_answered, watched.silent_times = True, 0
            watched.ask_at = now + ASK_EVERY_S
            return
        watched.ask_at = now + (ASK_EVERY_S if watched.has_answered else ASK_FIRST_EVERY_S)
        if watched.has_answered or now - watched.started_at >= FIRST_ANSWER_WITHIN_S:
            watched.silent_times += 1
        if watched.silent_times < SILENT_TIMES:
            return
        watched.silent_times = 0
        self._say(f"{watched.post.name}が {SILENT_TIMES} 回続けて応答しません。強制終了します。")
        try:
            watched.post.kill()
        except (RuntimeError, OSError) as error:
            self._say(str(error))

    def _bring_back(self, watched: "_Watched") -> None:
        watched.again_at = None
        try:
            self._start(watched)
        except (RuntimeError, OSError) as error:  # also a full disk, too many open files: the next pause is longer
            self._say(f"{watched.post.name}を起動できません: {error}")
        else:
            self._say(f"{watched.post.name}を起動し直しました。")


class _Watched:
    def __init__(self, post: Post) -> None:
        self.post = post
        self.started_at = 0.0
        self.ask_at = 0.0
        self.has_answered = False  # since its last start
        self.silent_times = 0  # in a row
        self.again_at: float | None = None  # None: runs, or nobody has noticed its end
        self.pause_s = FIRST_PAUSE_S
