"""What every kind of log must do, less what it says it has not. A new kind joins in ``conftest.KINDS`` and changes nothing here."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest

from ingest.contract import Record
from ingest.errors import Misconfigured, Refused, Unavailable
from ingest.log import Consumption, Delivery, Feature, Lag, Log, Partition

NO_BYTES_LIMIT = 1_000_000_000
A_WHILE = 10.0


def letter(text: str, key: str | None = "sender") -> Record:
    return Record(key, text.encode(), (("ce_id", text.encode()),))


def letters(count: int, key: str | None = "sender") -> list[Record]:
    return [letter(f"letter {number}", key) for number in range(count)]


async def taken(consumption: Consumption, count: int, most: int = 500) -> list[Delivery]:
    found: list[Delivery] = []
    while len(found) < count:
        page = await consumption.take(most=most, most_bytes=NO_BYTES_LIMIT, within=A_WHILE)
        assert page, f"only {len(found)} of {count} came"
        found += page
    return found


def texts(deliveries: Sequence[Delivery]) -> list[str]:
    return [(each.record.value or b"").decode() for each in deliveries]


async def test_what_was_appended_is_there_for_the_next_start_of_the_service(open_log, topic, reading):
    first = await open_log()
    await first.append(topic, letters(3))
    await first.close()
    second = await open_log()
    async with reading(second, topic) as consumption:
        assert texts(await taken(consumption, 3)) == ["letter 0", "letter 1", "letter 2"]
    await second.close()


async def test_positions_follow_each_other_and_are_those_the_reader_sees(log, topic, reading):
    positions = [*await log.append(topic, letters(2)), *await log.append(topic, letters(3))]
    assert positions == list(range(positions[0], positions[0] + 5))
    async with reading(log, topic) as consumption:
        assert [each.position for each in await taken(consumption, 5)] == positions


async def test_appending_nothing_is_no_fault(log, topic):
    assert list(await log.append(topic, [])) == []


async def test_a_batch_has_no_more_records_than_asked(log, topic, reading):
    await log.append(topic, letters(10))
    async with reading(log, topic) as consumption:
        page = await consumption.take(most=4, most_bytes=NO_BYTES_LIMIT, within=A_WHILE)
        assert 1 <= len(page) <= 4
        assert texts([*page, *await taken(consumption, 10 - len(page), most=4)]) == [f"letter {n}" for n in range(10)]


async def test_a_batch_has_no_more_bytes_than_asked(log, topic, reading):
    await log.append(topic, [Record("sender", b"x" * 1_000) for _ in range(9)])
    async with reading(log, topic) as consumption:
        seen = 0
        while seen < 9:
            page = await consumption.take(most=500, most_bytes=3_100, within=A_WHILE)
            assert 1 <= len(page) <= 3
            seen += len(page)


async def test_a_record_larger_than_the_batch_comes_alone(log, topic, reading):
    await log.append(topic, [Record("sender", b"x" * 50_000), letter("after it")])
    async with reading(log, topic) as consumption:
        page = await consumption.take(most=500, most_bytes=1_000, within=A_WHILE)
        assert [each.record.value for each in page] == [b"x" * 50_000]
        assert texts(await taken(consumption, 1)) == ["after it"]


async def test_a_group_goes_on_where_it_settled_and_not_where_it_read(log, topic, reading):
    await log.append(topic, letters(5))
    async with reading(log, topic) as consumption:
        first = await taken(consumption, 5)
        await consumption.settle({first[1].partition: first[1].position + 1})
    async with reading(log, topic) as consumption:
        assert texts(await taken(consumption, 3)) == ["letter 2", "letter 3", "letter 4"]
        assert consumption.rewound == frozenset()


async def test_what_was_settled_is_remembered_by_the_next_start_of_the_service(open_log, topic, reading):
    first = await open_log()
    await first.append(topic, letters(3))
    async with reading(first, topic) as consumption:
        seen = await taken(consumption, 3)
        await consumption.settle({seen[0].partition: seen[0].position + 1})
    await first.close()
    second = await open_log()
    async with reading(second, topic) as consumption:
        assert texts(await taken(consumption, 2)) == ["letter 1", "letter 2"]
    await second.close()


async def test_it_can_be_asked_where_a_group_has_settled_and_says_nothing_of_one_that_never_did(log, topic, reading):
    assert await log.settled(topic, "readers") == {}
    await log.append(topic, letters(3))
    async with reading(log, topic) as consumption:
        seen = await taken(consumption, 3)
        await consumption.settle({seen[0].partition: seen[1].position})
        assert (await log.settled(topic, "readers"))[seen[0].partition] == seen[1].position
    assert await log.settled(topic, "nobody") == {}


async def test_what_no_reader_is_ahead_of_is_reconciled_by_doing_nothing(log, topic):
    positions = await log.append(topic, letters(3))
    (first,) = await log.read(topic, after={}, most=1)
    assert list(await log.reconcile({first.partition: positions[-1] + 1})) == []
    assert (await log.read(topic, after={}, most=1))[0].partition == first.partition


async def test_a_position_given_by_the_register_outweighs_what_was_settled(log, topic, reading):
    await log.append(topic, letters(5))
    async with reading(log, topic) as consumption:
        seen = await taken(consumption, 5)
        await consumption.settle({seen[4].partition: seen[4].position + 1})
    async with reading(log, topic, begin={seen[1].partition.number: seen[1].position}) as consumption:
        assert texts(await taken(consumption, 4)) == ["letter 1", "letter 2", "letter 3", "letter 4"]
        assert consumption.rewound == frozenset()


async def test_a_position_at_the_very_end_waits_for_what_comes(log, topic, reading):
    positions = await log.append(topic, letters(2))
    number = (await log.read(topic, after={}, most=1))[0].partition.number
    async with reading(log, topic, begin={number: positions[-1] + 1}) as consumption:
        assert not await consumption.take(most=500, most_bytes=NO_BYTES_LIMIT, within=0.05)
        await log.append(topic, [letter("new")])
        assert texts(await taken(consumption, 1)) == ["new"]
        assert consumption.rewound == frozenset()


async def test_a_position_the_log_does_not_hold_is_read_from_the_earliest_and_said(log, topic, reading):
    positions = await log.append(topic, letters(3))
    partition = (await log.read(topic, after={}, most=1))[0].partition
    async with reading(log, topic, begin={partition.number: positions[-1] + 100}) as consumption:
        assert texts(await taken(consumption, 3)) == ["letter 0", "letter 1", "letter 2"]
        assert consumption.rewound == frozenset({partition})


async def test_a_sender_s_records_keep_their_order_among_those_of_others(log, topic, reading):
    for number in range(20):
        await log.append(topic, [letter(f"{sender} {number}", key=sender) for sender in ("ann", "ben", "cai")])
    by_sender: dict[str | None, list[str]] = defaultdict(list)
    async with reading(log, topic) as consumption:
        for each in await taken(consumption, 60, most=7):
            by_sender[each.record.key] += texts([each])
    assert by_sender == {sender: [f"{sender} {number}" for number in range(20)] for sender in ("ann", "ben", "cai")}


async def test_a_batch_is_all_of_one_partition(log, topic, reading):
    await log.append(topic, [letter(f"{number}", key=f"sender {number}") for number in range(50)])
    seen = 0
    async with reading(log, topic) as consumption:
        while seen < 50:
            page = await consumption.take(most=500, most_bytes=NO_BYTES_LIMIT, within=A_WHILE)
            assert len({each.partition for each in page}) == 1
            assert [each.position for each in page] == sorted({each.position for each in page})
            seen += len(page)


async def test_lag_counts_what_is_not_settled_and_dates_the_oldest_of_it(log, topic, reading):
    await log.append(topic, letters(3))
    async with reading(log, topic) as consumption:
        seen = await taken(consumption, 3)
        assert await log.lag(topic, "readers") == Lag(3, seen[0].appended_at)
        await consumption.settle({seen[1].partition: seen[1].position + 1})
        assert await log.lag(topic, "readers") == Lag(1, seen[2].appended_at)
        await consumption.settle({seen[2].partition: seen[2].position + 1})
        assert await log.lag(topic, "readers") == Lag(0, None)


async def test_a_group_that_never_read_lags_by_everything(log, topic):
    await log.append(topic, letters(3))
    lag = await log.lag(topic, "never")
    assert lag.records == 3
    assert lag.oldest is not None


async def test_times_of_appending_are_utc(log, topic):
    await log.append(topic, letters(1))
    (found,) = await log.read(topic, after={}, most=1)
    assert isinstance(found.appended_at, datetime)
    assert found.appended_at.tzinfo is UTC


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(Record("key", b"value", ()), id="no headers"),
        pytest.param(Record("key", b"value", (("ce_id", b"1"), ("ce_id", b"2"), ("a", b"3"))), id="repeated headers in order"),
        pytest.param(Record("key", b"value", (("odd", bytes(range(256))), ("empty", b""), ("süß", b"x"))), id="odd headers"),
        pytest.param(Record("key", b"", ()), id="an empty value"),
        pytest.param(Record("key", None, (("ce_id", b"1"),)), id="a tombstone"),
        pytest.param(Record(None, b"value", ()), id="no key"),
        pytest.param(Record("ключ 🗝", bytes(range(256)), ()), id="every byte"),
        pytest.param(Record("key", b"\x00" * 90_000, ()), id="just within the limit"),
    ],
)
async def test_a_record_comes_out_as_it_went_in(log, topic, reading, record):
    await log.append(topic, [record])
    async with reading(log, topic) as consumption:
        assert [each.record for each in await taken(consumption, 1)] == [record]


async def test_a_record_over_the_limit_is_refused_by_its_size_and_nothing_of_the_call_is_written(log, topic):
    large = Record("sender", b"x" * 100_001)
    with pytest.raises(Refused, match=str(large.size)) as refused:
        await log.append(topic, [letter("before"), large, letter("after")])
    assert refused.value.reason == "record-too-large"
    assert await log.read(topic, after={}, most=10) == []


async def test_groups_read_the_same_topic_without_hindering_each_other(log, topic, reading):
    await log.append(topic, letters(4))
    async with reading(log, topic, "router") as router, reading(log, topic, "counter") as counter:
        seen = await taken(router, 4)
        await router.settle({seen[3].partition: seen[3].position + 1})
        assert texts(await taken(counter, 4)) == texts(seen)
        assert (await log.lag(topic, "router")).records == 0
        assert (await log.lag(topic, "counter")).records == 4


async def test_where_nothing_comes_the_reader_is_told_so_in_time(log, topic, reading):
    async with reading(log, topic) as consumption:
        assert not await asyncio.wait_for(consumption.take(most=10, most_bytes=1_000, within=0.1), A_WHILE)


async def test_a_reader_that_waits_is_given_what_comes(log, topic, reading):
    async with reading(log, topic) as consumption:
        waiting = asyncio.create_task(taken(consumption, 1))
        await asyncio.sleep(0.05)
        await log.append(topic, [letter("at last")])
        assert texts(await waiting) == ["at last"]


async def test_a_reader_that_gave_up_waiting_misses_nothing(log, topic, reading):
    async with reading(log, topic) as consumption:
        waiting = asyncio.create_task(taken(consumption, 1))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await log.append(topic, letters(2))
        assert texts(await taken(consumption, 2)) == ["letter 0", "letter 1"]


async def test_many_callers_at_once_each_land_once(log, topic, reading):
    positions = await asyncio.gather(
        *(log.append(topic, [letter(f"{caller}/{number}") for number in range(3)]) for caller in range(64))
    )
    assert len({position for each in positions for position in each}) == 192
    async with reading(log, topic) as consumption:
        found = await taken(consumption, 192)
    assert sorted(texts(found)) == sorted(f"{caller}/{number}" for caller in range(64) for number in range(3))
    for caller in range(64):
        mine = [text for text in texts(found) if text.startswith(f"{caller}/")]
        assert mine == [f"{caller}/{number}" for number in range(3)]


async def test_topics_are_independent(log, topic, other_topic, reading):
    await log.append(topic, letters(3))
    await log.append(other_topic, [letter("alone")])
    async with reading(log, other_topic) as consumption:
        (found,) = await taken(consumption, 1)
        assert texts([found]) == ["alone"]
        await consumption.settle({found.partition: found.position + 1})
    assert (await log.lag(other_topic, "readers")).records == 0
    assert (await log.lag(topic, "readers")).records == 3


async def test_the_reader_s_partitions_are_told_of_before_and_after(log, topic):
    await log.append(topic, letters(1))
    told: list[tuple[str, Sequence[Partition]]] = []

    async def assigned(partitions: Sequence[Partition]) -> Mapping[Partition, int | None]:
        told.append(("assigned", tuple(partitions)))
        return {}

    async def revoked(partitions: Sequence[Partition]) -> None:
        told.append(("revoked", tuple(partitions)))

    async def working() -> None:
        async with log.consume(topic, "readers", assigned=assigned, revoked=revoked) as consumption:
            await taken(consumption, 1)
            raise ValueError("the worker broke")

    with pytest.raises(ValueError, match="the worker broke"):
        await working()
    assert [what for what, _ in told] == ["assigned", "revoked"]
    (found,) = await log.read(topic, after={}, most=1)
    assert all(found.partition in partitions for _, partitions in told)


async def test_looking_begins_where_asked_and_moves_nobody(log, topic):
    positions = await log.append(topic, letters(5))
    number = (await log.read(topic, after={}, most=1))[0].partition.number
    assert texts(await log.read(topic, after={number: positions[2]}, most=2)) == ["letter 2", "letter 3"]
    assert (await log.lag(topic, "readers")).records == 5


async def test_a_topic_keeps_its_making_from_one_start_to_the_next(open_log, topic):
    first = await open_log()
    await first.append(topic, letters(1))
    made = (await first.read(topic, after={}, most=1))[0].partition
    await first.close()
    second = await open_log()
    assert (await second.read(topic, after={}, most=1))[0].partition == made
    await second.close()


async def test_a_topic_is_made_when_it_is_first_named(log, reading):
    if Feature.MAKES_TOPICS not in log.features:
        with pytest.raises(Unavailable, match="ingest topic create") as missing:
            await log.append("never-made", letters(1))
        assert missing.value.reason == "topic-missing"
        return
    async with reading(log, "read-first") as consumption:
        await log.append("read-first", letters(1))
        assert texts(await taken(consumption, 1)) == ["letter 0"]


async def test_looking_at_a_topic_that_nobody_named_finds_nothing(log: Log):
    if Feature.MAKES_TOPICS not in log.features:
        pytest.skip("a kind that makes no topics says that it is away")
    assert await log.read("nobody", after={}, most=10) == []
    assert await log.lag("nobody", "readers") == Lag(0, None)


async def test_a_second_service_on_the_same_log_is_refused(log, open_log):
    if Feature.EXCLUSIVE not in log.features:
        pytest.skip("this kind is made for several services")
    with pytest.raises(Misconfigured) as refused:
        await open_log()
    assert refused.value.reason == "log.url"


async def test_a_closed_log_says_that_it_is_away(open_log, topic):
    log = await open_log()
    await log.close()
    with pytest.raises(Unavailable) as away:
        await log.append(topic, letters(1))
    assert away.value.reason == "log-unavailable"


async def test_what_is_put_in_a_records_place_is_all_that_is_there_from_then_on(log, topic, reading):
    if Feature.REWRITES not in log.features:
        with pytest.raises(Refused) as kept:
            await log.rewrite(topic, {0: Record(None, None)})
        assert kept.value.reason == "log-keeps-records"
        return
    positions = await log.append(topic, letters(3))
    await log.rewrite(topic, {positions[1]: Record(None, None, (("erased", b"now"),))})
    async with reading(log, topic) as consumption:
        found = await taken(consumption, 3)
    assert [each.position for each in found] == list(positions)
    assert texts(found) == ["letter 0", "", "letter 2"]
    assert [each.record.is_erased for each in found] == [False, True, False]
    assert (found[1].record.key, found[1].record.value) == (None, None)
