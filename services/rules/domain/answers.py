"""Answers to a programme's conditions in one situation, each asked at most once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.rules.domain.basket import BasketLine
from services.rules.domain.outcome import ConditionFailure
from services.rules.domain.programme import Condition, ConditionGroup
from services.rules.domain.situation import LINE_FACTS, Situation, line_reader, situation_reader

_Answer = tuple[int, "dict[int, str]"]


@dataclass(slots=True)
class Answers:
    """`lines` are those that conditions on lines are asked for; `failures` the conditions that could not be told."""

    situation: Situation
    lines: Sequence[BasketLine]
    failures: list[ConditionFailure] = field(default_factory=list)
    _of_situation: dict[int, _Answer] = field(default_factory=dict)
    _of_lines: dict[int, list[_Answer]] = field(default_factory=dict)

    def holds(self, condition: Condition, owner: str) -> bool | None:
        """Whether a condition on the purchase and the member holds; None: it failed, which is noted for `owner`."""
        group = condition.group
        answer = self._of_situation.get(id(group))
        if answer is None:
            situation = self.situation
            values = tuple([situation_reader(fact)(situation) for fact in group.reads])
            answer = self._of_situation[id(group)] = _asked(group, values)
        bits, failed = answer
        if failed and condition.bit in failed:
            self.failures.append(ConditionFailure(owner, failed[condition.bit]))
            return None
        return bool(bits >> condition.bit & 1)

    def on_lines(self, condition: Condition, owner: str) -> tuple[list[int], list[int]]:
        """The indices of the lines on which a condition holds, and of those on which it failed."""
        answers = self._of_lines.get(id(condition.group))
        if answers is None:
            answers = self._of_lines[id(condition.group)] = self._ask_lines(condition.group)
        bit = condition.bit
        held = [index for index, (bits, _) in enumerate(answers) if bits >> bit & 1]
        failed = [index for index, (_, failures) in enumerate(answers) if failures and bit in failures]
        if failed:
            self.failures.append(ConditionFailure(owner, answers[failed[0]][1][bit]))
        return held, failed

    def _ask_lines(self, group: ConditionGroup) -> list[_Answer]:
        if len(group.reads) == 1:
            read = line_reader(group.reads[0])
            return [_asked(group, (read(line),)) for line in self.lines]
        situation = self.situation
        of_line = [line_reader(fact) if fact in LINE_FACTS else None for fact in group.reads]
        fixed = [None if fact in LINE_FACTS else situation_reader(fact)(situation) for fact in group.reads]
        return [
            _asked(group, tuple([read(line) if read else value for read, value in zip(of_line, fixed, strict=True)]))
            for line in self.lines
        ]


def _asked(group: ConditionGroup, values: tuple[object, ...]) -> _Answer:
    bits, failures = group.answer(values)
    return bits, dict(failures) if failures else _NO_FAILURES


_NO_FAILURES: dict[int, str] = {}
