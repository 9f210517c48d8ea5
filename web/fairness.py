"""The pages that explain an order of calls: one ticket at the desk, and a day's report for managers and auditors.

They show what they are given; whether an order was right is for `hub.desk.explanation`.
"""

from starlette.responses import Response

from hub.desk.chronicle import Chronicle
from hub.desk.lane import Office
from web.explaining import FairnessView, fairness_json, staff_lines
from web.pages import rendered
from web.viewers import Viewer, viewed


class FairnessPages:
    """Of one office."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def why(self, chronicle: Chronicle, arrival: int) -> list[str]:
        return staff_lines(chronicle, arrival, self._office)

    def fairness(self, viewer: Viewer, day: str, chronicle: Chronicle | None, *, is_open: bool) -> Response:
        """Blocks for as long as it takes to go through the day."""
        view = None if chronicle is None else FairnessView.of(day, chronicle, chronicle.fairness())
        return rendered(
            "fairness.html", office=self._office.name, day=day, view=view, is_open=is_open, **viewed(viewer)
        )

    def fairness_json(self, day: str, chronicle: Chronicle) -> object:
        return fairness_json(day, chronicle, chronicle.fairness())
