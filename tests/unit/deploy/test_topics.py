"""`bonus topics`: what every topic is made with."""

from datetime import timedelta

from contracts.topics import TOPICS
from deploy.topics import specifications


def test_every_topic_and_its_dead_letters_are_made() -> None:
    """Sixty-four partitions each, one for dead letters; the compacted one stays compacted."""
    made = specifications("shop.", replicas=3, retention=timedelta(days=30))
    assert len(made) == 2 * len(TOPICS)
    assert {each.replicas for each in made.values()} == {3}
    purchases = made["shop.bonus.purchases.v1"]
    assert (purchases.partitions, purchases.configuration) == (64, {"retention.ms": "2592000000"})
    assert made["shop.bonus.purchases.v1.dead-letters"].partitions == 1
    assert made["shop.bonus.programmes.v1"].configuration == {"cleanup.policy": "compact"}


def test_without_a_word_the_cluster_decides_how_long_messages_are_kept() -> None:
    """No configuration but what the contracts ask for."""
    assert {name for name, made in specifications().items() if made.configuration} == {"bonus.programmes.v1"}
