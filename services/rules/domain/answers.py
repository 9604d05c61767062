"""Answers to a programme's conditions in one situation, each asked at most once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.rules.domain.basket import BasketLine
from services.rules.domain.outcome import ConditionFailure
from services.rules.domain.programme import Condition, ConditionGroup
from services.rules.domain.situation import LINE_FACTS, Situation, line_reader, situation_reader

_Answer = tuple[int, Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class _LineAnswers:
    """The answers of a group for each line; `anywhere` has the bits that hold on any line, or could not be told."""

    of_lines: list[_Answer]
    anywhere: int
    is_whole: bool


@dataclass(slots=True)
class Answers:
    """`lines` are those that conditions on lines are asked for; `failures` the conditions that could not be told."""

    situation: Situation
    lines: Sequence[BasketLine]
    failures: list[ConditionFailure] = field(default_factory=list)
    _of_situation: dict[int, _Answer] = field(default_factory=dict)
    _of_lines: dict[int, _LineAnswers] = field(default_factory=dict)

    def holds(self, condition: Condition, owner: str) -> bool | None:
        """Whether a condition on the purchase and the member holds; None: it failed, which is noted for `owner`."""
        group, bit = condition.group, condition.bit
        answer = self._of_situation.get(id(group))
        if answer is None:
            situation = self.situation
            values = tuple([situation_reader(fact)(situation) for fact in group.reads])
            answer = self._of_situation[id(group)] = group.answer(values)
        bits, failed = answer
        if failed and bit in failed:
            self.failures.append(ConditionFailure(owner, failed[bit]))
            return None
        return bits >> bit & 1 == 1

    def on_lines(self, condition: Condition, owner: str) -> tuple[list[int], list[int]]:
        """The indices of the lines on which a condition holds, and of those on which it failed."""
        group, bit = condition.group, condition.bit
        answers = self._of_lines.get(id(group))
        if answers is None:
            answers = self._of_lines[id(group)] = self._ask_lines(group)
        if not answers.anywhere >> bit & 1:
            return [], []
        held = [index for index, (bits, _) in enumerate(answers.of_lines) if bits >> bit & 1]
        if answers.is_whole:
            return held, []
        failed = [index for index, (_, failures) in enumerate(answers.of_lines) if bit in failures]
        if failed:
            self.failures.append(ConditionFailure(owner, answers.of_lines[failed[0]][1][bit]))
        return held, failed

    def _ask_lines(self, group: ConditionGroup) -> _LineAnswers:
        answers = [group.answer(values) for values in self._line_values(group)]
        anywhere = 0
        is_whole = True
        for bits, failures in answers:
            anywhere |= bits
            for bit in failures:
                anywhere |= 1 << bit
                is_whole = False
        return _LineAnswers(answers, anywhere, is_whole)

    def _line_values(self, group: ConditionGroup) -> list[tuple[object, ...]]:
        """What the group reads, for each line."""
        if len(group.reads) == 1 and group.reads[0] in LINE_FACTS:
            read_one = line_reader(group.reads[0])
            return [(read_one(line),) for line in self.lines]
        situation = self.situation
        of_line = [line_reader(fact) if fact in LINE_FACTS else None for fact in group.reads]
        fixed = [None if fact in LINE_FACTS else situation_reader(fact)(situation) for fact in group.reads]
        return [
            tuple([read(line) if read else value for read, value in zip(of_line, fixed, strict=True)])
            for line in self.lines
        ]
