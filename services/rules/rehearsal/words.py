"""The words of the page, in Polish, Russian and English."""

from collections.abc import Mapping
from typing import Final

from services.runtime.http.languages import Language

WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "title": "Rehearsal", "period": "Period", "running": "It is still running", "done_of": "parts done",
        "waiting": "It has not begun yet", "failed": "It could not be done", "rehearsed": "rehearsed", "live": "live",
        "version": "other version", "cost": "What it costs", "points": "points", "money": "money",
        "share": "of turnover", "difference": "difference", "baskets": "baskets", "turnover": "turnover",
        "members": "members", "gaining": "gain", "losing": "lose", "even": "have the same", "month": "By month",
        "rule": "By rule", "tier": "By level", "segment": "By segment", "returned": "taken back for returns",
        "none": "none", "gain_most": "Who gains most", "lose_most": "Who loses most", "account": "account",
        "budgets": "Budgets", "used": "used", "used_up_on": "used up on", "holdouts": "Measured effect",
        "kept_out": "kept out", "reached": "reached", "each": "spent each", "lift": "lift",
        "not_ran": "this campaign did not run in the period: the figure shows chance alone",
        "unreadable": "decisions left out, for their members were erased",
    },
    "pl": {
        "title": "Próba", "period": "Okres", "running": "Jeszcze trwa", "done_of": "części gotowych",
        "waiting": "Jeszcze się nie zaczęła", "failed": "Nie udało się jej przeprowadzić", "rehearsed": "w próbie",
        "live": "obecnie", "version": "inna wersja", "cost": "Ile to kosztuje", "points": "punkty",
        "money": "pieniądze", "share": "obrotu", "difference": "różnica", "baskets": "paragony", "turnover": "obrót",
        "members": "uczestnicy", "gaining": "zyskują", "losing": "tracą", "even": "mają tyle samo",
        "month": "Według miesięcy", "rule": "Według reguł", "tier": "Według poziomów", "segment": "Według segmentów",
        "returned": "cofnięte przy zwrotach", "none": "brak", "gain_most": "Kto zyskuje najwięcej",
        "lose_most": "Kto traci najwięcej", "account": "konto", "budgets": "Budżety", "used": "wykorzystano",
        "used_up_on": "wyczerpany", "holdouts": "Zmierzony skutek", "kept_out": "wyłączeni", "reached": "objęci",
        "each": "wydali średnio", "lift": "wzrost",
        "not_ran": "ta kampania w tym okresie nie działała: liczba pokazuje sam przypadek",
        "unreadable": "decyzje pominięte, bo dane ich uczestników usunięto",
    },
    "ru": {
        "title": "Репетиция", "period": "Период", "running": "Ещё идёт", "done_of": "частей готово",
        "waiting": "Ещё не началась", "failed": "Провести её не удалось", "rehearsed": "в репетиции",
        "live": "сейчас", "version": "другая версия", "cost": "Сколько это стоит", "points": "баллы",
        "money": "деньги", "share": "оборота", "difference": "разница", "baskets": "чеки", "turnover": "оборот",
        "members": "участники", "gaining": "выигрывают", "losing": "теряют", "even": "остаются при своём",
        "month": "По месяцам", "rule": "По правилам", "tier": "По уровням", "segment": "По сегментам",
        "returned": "списано при возвратах", "none": "нет", "gain_most": "Кто выигрывает больше всех",
        "lose_most": "Кто теряет больше всех", "account": "счёт", "budgets": "Бюджеты", "used": "израсходовано",
        "used_up_on": "исчерпан", "holdouts": "Измеренный эффект", "kept_out": "исключены", "reached": "охвачены",
        "each": "потратили в среднем", "lift": "прирост",
        "not_ran": "эта акция в этот период не работала: число показывает лишь случай",
        "unreadable": "решения пропущены: данные их участников стёрты",
    },
}  # fmt: skip
