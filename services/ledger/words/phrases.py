"""The phrases of each language. A figure always stands after a colon, so that no word has to agree with it."""

from collections.abc import Mapping
from typing import Final

from services.runtime.http.languages import Language

HAPPENED: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "points.accrued": "Earned",
        "points.accrued.pending": "Earned, not to be spent yet",
        "points.activated": "May be spent from now on",
        "points.redeemed": "Spent",
        "points.restored": "Given back",
        "points.expired": "Expired",
        "points.expired.inactive": "Expired, as nothing was earned or spent for long",
        "points.expired.closed": "Lapsed with the account",
        "points.reversed": "Taken back",
        "points.reversed.already_expired": "To be taken back, but expired before",
        "points.adjusted": "Corrected by hand",
        "debt.settled": "Debt settled",
        "hold.placed": "Set aside for a purchase",
        "hold.captured": "Spent of what was set aside",
        "hold.released": "No longer set aside",
        "hold.timed-out": "No longer set aside, as nobody spent it in time",
        "transfer.sent": "Sent to another account",
        "transfer.received": "Received from another account",
        "transfer.completed": "Arrived in the other account",
        "transfer.returned": "Came back from the other account",
        "else": "Changed",
    },
    "pl": {
        "points.accrued": "Naliczono",
        "points.accrued.pending": "Naliczono, jeszcze nie do wydania",
        "points.activated": "Można już wydać",
        "points.redeemed": "Wydano",
        "points.restored": "Zwrócono",
        "points.expired": "Wygasło",
        "points.expired.inactive": "Wygasło, bo długo nic nie naliczono ani nie wydano",
        "points.expired.closed": "Przepadło z zamknięciem konta",
        "points.reversed": "Cofnięto",
        "points.reversed.already_expired": "Do cofnięcia, ale wygasło wcześniej",
        "points.adjusted": "Poprawiono ręcznie",
        "debt.settled": "Spłacono dług",
        "hold.placed": "Odłożono na zakup",
        "hold.captured": "Wydano z odłożonych",
        "hold.released": "Zwolniono z odłożonych",
        "hold.timed-out": "Zwolniono z odłożonych, bo nie wydano na czas",
        "transfer.sent": "Wysłano na inne konto",
        "transfer.received": "Otrzymano z innego konta",
        "transfer.completed": "Dotarło na inne konto",
        "transfer.returned": "Wróciło z innego konta",
        "else": "Zmieniono",
    },
    "ru": {
        "points.accrued": "Начислено",
        "points.accrued.pending": "Начислено, пока нельзя потратить",
        "points.activated": "Теперь можно потратить",
        "points.redeemed": "Списано в оплату",
        "points.restored": "Возвращено",
        "points.expired": "Сгорело",
        "points.expired.inactive": "Сгорело: долго не было ни начислений, ни трат",
        "points.expired.closed": "Сгорело при закрытии счёта",
        "points.reversed": "Отменено начисление",
        "points.reversed.already_expired": "Начисление отменено, но сгорело раньше",
        "points.adjusted": "Исправлено вручную",
        "debt.settled": "Погашен долг",
        "hold.placed": "Отложено на покупку",
        "hold.captured": "Списано из отложенного",
        "hold.released": "Больше не отложено",
        "hold.timed-out": "Больше не отложено: вовремя не потрачено",
        "transfer.sent": "Отправлено на другой счёт",
        "transfer.received": "Получено с другого счёта",
        "transfer.completed": "Дошло до другого счёта",
        "transfer.returned": "Вернулось с другого счёта",
        "else": "Изменено",
    },
}
"""What happened, by the event's type, and by its reason where that says more."""

SOURCES: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "purchase": "purchase", "return": "return", "enrolment": "joining", "birthday": "birthday",
        "activity": "activity", "referral": "referral", "conflict": "conflict", "manual": "by hand",
        "opening": "opening balance",
    },
    "pl": {
        "purchase": "zakup", "return": "zwrot", "enrolment": "przystąpienie", "birthday": "urodziny",
        "activity": "aktywność", "referral": "polecenie", "conflict": "sprzeczność", "manual": "ręcznie",
        "opening": "bilans otwarcia",
    },
    "ru": {
        "purchase": "покупка", "return": "возврат", "enrolment": "вступление", "birthday": "день рождения",
        "activity": "активность", "referral": "рекомендация", "conflict": "противоречие", "manual": "вручную",
        "opening": "входящий остаток",
    },
}  # fmt: skip
"""What caused it, by the kind of its source."""

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "store": "store", "rules": "Rules", "reason": "Reason", "operator": "operator", "reference": "Reference",
        "available": "Available now", "debt": "Owed",
    },
    "pl": {
        "store": "sklep", "rules": "Reguły", "reason": "Powód", "operator": "operator", "reference": "Oznaczenie",
        "available": "Dostępne teraz", "debt": "Dług",
    },
    "ru": {
        "store": "магазин", "rules": "Правила", "reason": "Причина", "operator": "оператор", "reference": "Номер",
        "available": "Сейчас доступно", "debt": "Долг",
    },
}  # fmt: skip
