"""The scaled-out log: Apache Kafka by aiokafka, with groups of processes and topics that the operator makes.

What the client library would do by itself is turned off or watched: it commits nothing, resets to nothing, and is told of no
topic before that is known to be there, since asking about one can make it. A position is only good for the making of the topic
it was noted in, so every batch is held against the topic's id before it is handed over.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from ingest.contract import Record
from ingest.errors import Misconfigured, Refused, Unavailable
from ingest.log import Assigned, Consumption, Delivery, Feature, Lag, Partition, Revoked, refuse_too_large, topic_settings
from ingest.log.topic_settings import Standing
from ingest.settings import LogSettings
from ingest.telemetry import REWOUND, telemetry

_SECONDS: Final = 15.0  # any one thing that is asked of the brokers
_SESSION_SECONDS: Final = 10.0  # a member that says nothing for so long has lost its partitions
_REBALANCE_SECONDS: Final = 20.0  # how long the group waits for a member to let go; the library's own is the session's
_DRAIN_SECONDS: Final = 12.0  # what is in hand is finished within that, or fenced
_LOOK_SECONDS: Final = 5.0  # how often a reader to whom nothing comes makes sure that the topic is there
_METADATA_SECONDS: Final = 10.0
_PAGE_BYTES: Final = 32_000_000
_FETCH_BYTES: Final = 16_000_000
_PAGE: Final = 500
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)
_MISSING, _FORBIDDEN, _IS_THERE = 3, 29, 36  # error codes of Kafka's protocol

_say = telemetry("log")


class _Uuid:
    """Sixteen bytes."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_TAGS: Final = ("tags", TaggedFields)
_NAME: Final = CompactString("utf-8")


class _Described(Response):
    """Kafka protocol, Metadata response, version 12: the first that names clusters and topics by their ids."""

    API_KEY = 3  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    API_VERSION = 12  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), _TAGS)),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _NAME),
                ("topic_id", cast(Any, _Uuid)),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _DescribeNow(RequestStruct):
    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Described
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", cast(Any, _Uuid)), ("name", _NAME), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _Describe(Request[_DescribeNow]):
    """What is a topic's id? Asking makes no topic, as the library's own question may."""

    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_DescribeNow]) -> _DescribeNow:
        return request_struct_class([(UUID(int=0), self._topic, {})], False, False, {})


class _Topic(NamedTuple):
    """One making of a topic."""

    log_id: str
    name: str
    numbers: tuple[int, ...]

    def places(self) -> list[TopicPartition]:
        return [TopicPartition(self.name, number) for number in self.numbers]

    def partition(self, number: int) -> Partition:
        return Partition(self.log_id, self.name, number)


class Made(NamedTuple):
    """What came of asking for a topic: whether it was made now, and the partitions that it has."""

    now: bool
    partitions: int


class KafkaLog:
    """The scaled-out kind of log; see ``ingest.log.Log`` for what its calls promise.

    Records of one ``append`` whose keys lie in several partitions are written to each on its own: where the call raises
    Unavailable some may be on the log, and the caller's next try writes them again. Readers drop repeats by ``ce_id``.
    Nothing is connected before it is wanted. A group's name on the brokers is ``TOPIC.GROUP``.
    """

    def __init__(self, chosen: LogSettings, *, session: timedelta = timedelta(seconds=_SESSION_SECONDS)) -> None:
        """Raises Misconfigured where the settings cannot be a cluster's."""
        self.connection = _connection(chosen)
        self.group_instance_id = chosen.group_instance_id
        self.session = session
        self._most_record_bytes = chosen.most_record_bytes
        self._client: Any = None
        self._producer: Any = None
        self._known: set[str] = set()
        self._making = asyncio.Lock()
        self._closed = False

    @property
    def features(self) -> frozenset[Feature]:
        """What this kind has."""
        return frozenset({Feature.GROUPS})

    async def append(self, topic: str, records: Sequence[Record]) -> Sequence[int]:
        """Write the records in order and answer with their positions, once every replica in sync has them."""
        refuse_too_large(records, self._most_record_bytes)
        if not records:
            return []
        producer = await self._ready(topic)
        try:
            async with _deadline():
                sent = [await _send(producer, topic, each) for each in records]
                # Not gathered: what is cancelled would never be told of again, and it is on its way.
                await asyncio.wait(sent)
                return [each.result().offset for each in sent]
        except Unavailable as away:
            if isinstance(away.__cause__, MessageSizeTooLargeError):
                # What the broker refused had a sequence number, which the brokers now miss.
                self._abandon(producer)
                raise Refused(
                    "record-too-large",
                    f"{topic} takes no record of {max(each.size for each in records)} bytes. Raise its max.message.bytes.",
                ) from away
            self._known.discard(topic)
            self._abandon(producer)
            await self.describe(topic)  # a topic that is gone is said to be
            raise

    async def _ready(self, topic: str) -> Any:
        """The producer, for a topic that is known to be there."""
        if self._producer is not None and topic in self._known and not self._closed:
            return self._producer
        await self.describe(topic)
        async with self._making:
            if self._closed:
                raise _closed()
            if self._producer is None:
                made = cast(Any, AIOKafkaProducer)(
                    **self.connection,
                    acks="all",
                    enable_idempotence=True,
                    compression_type="lz4",
                    max_batch_size=131_072,
                    max_request_size=self._most_record_bytes + topic_settings.OVERHEAD_BYTES,
                    request_timeout_ms=int(_SECONDS * 1000),
                )
                try:
                    async with _deadline():
                        await made.start()
                except BaseException:
                    await _ended(made)
                    raise
                self._producer = made
            self._known.add(topic)
            return self._producer

    def _abandon(self, producer: Any) -> None:
        """The next append has a new one: the old may have lost its sequence numbers, or be asking for ever for what is gone."""
        if self._producer is producer:
            self._producer = None
            ending = asyncio.get_running_loop().create_task(_ended(producer))
            _ENDING.add(ending)
            ending.add_done_callback(_ENDING.discard)

    @asynccontextmanager
    async def consume(self, topic: str, group: str, *, assigned: Assigned, revoked: Revoked) -> AsyncGenerator[Consumption]:
        """Read a topic as a member of a group, with those of its partitions that the group gives us."""
        await self.describe(topic)
        consumption = _Consumption(self, topic, group, assigned, revoked)
        try:
            await consumption.start()
            yield consumption
        finally:
            await consumption.close()

    async def lag(self, topic: str, group: str) -> Lag:
        """How far a group is behind, by what it has settled in this making of the topic."""
        found = await self.describe(topic)
        settled = await self.goes_on(found, group)
        async with self._looking() as consumer:
            async with _deadline():
                first = await consumer.beginning_offsets(found.places())
                end = await consumer.end_offsets(found.places())
            start = {each: max(first[each], settled.get(each, 0)) for each in found.places()}
            behind = {each: start[each] for each in start if start[each] < end[each]}
            oldest = await _page(consumer, found, behind, end, 1)
        return Lag(sum(end[each] - at for each, at in behind.items()), min((each.appended_at for each in oldest), default=None))

    async def read(self, topic: str, *, after: Mapping[int, int], most: int) -> Sequence[Delivery]:
        """Up to ``most`` records from each partition, fewer where they come to more than 32 MB: none is the end."""
        found = await self.describe(topic)
        async with self._looking() as consumer:
            async with _deadline():
                first = await consumer.beginning_offsets(found.places())
                end = await consumer.end_offsets(found.places())
            start = {each: max(first[each], after.get(each.partition, 0)) for each in found.places()}
            return await _page(consumer, found, {each: at for each, at in start.items() if at < end[each]}, end, most)

    async def trim(self) -> int:
        """Nothing: the brokers remove what is past its retention."""
        return 0

    async def rewrite(self, topic: str, instead: Mapping[int, Record]) -> None:
        """Nothing on a topic is changed: raises Refused(``log-keeps-records``)."""
        if instead:
            raise Refused("log-keeps-records", f"Kafka keeps what is on {topic} until its retention is over.")

    async def create_topics(
        self, names: Iterable[str], *, partitions: int, replication: int, min_isr: int, retention: timedelta
    ) -> Mapping[str, Made]:
        """Make the topics that are not there; those that are stay as they are.

        Raises Refused(``topic-refused``) with the brokers' reason, Unavailable.
        """
        configured = topic_settings.wanted(retention=retention, min_isr=min_isr, most_record_bytes=self._most_record_bytes)
        wanted = [NewTopic(name, partitions, replication, topic_configs=configured) for name in names]
        answers = await self._told_by_controller(wanted)
        for name, code, sentence in answers:
            if code not in (0, _IS_THERE):
                raise Refused("topic-refused", f"Kafka does not make {name}: {sentence or f'error {code}'}")
        return {name: Made(code == 0, len((await self._until_there(name)).numbers)) for name, code, _ in answers}

    async def _told_by_controller(self, wanted: Sequence[NewTopic]) -> Sequence[tuple[str, int, str | None]]:
        """Name, error code and sentence of each topic. A broker that has just started knows neither of a controller nor of itself."""
        async with _deadline():
            while True:
                async with self._asking() as admin:
                    with suppress(NodeNotReadyError):  # no node was there to send it to
                        if (await admin.describe_cluster())["controller_id"] >= 0:
                            return (await admin.create_topics(wanted)).topic_errors
                await asyncio.sleep(0.05)

    async def _until_there(self, topic: str) -> _Topic:
        """The controller has it; a broker is a moment behind."""
        async with _deadline():
            while True:
                with suppress(Unavailable):
                    return await self.describe(topic)
                await asyncio.sleep(0.05)

    async def close(self) -> None:
        """Send what is in flight and let go of every connection."""
        self._closed = True
        async with self._making:
            producer, self._producer = self._producer, None
            client, self._client = self._client, None
        if producer is not None:
            await _ended(producer)
        await _disconnected(client)

    async def describe(self, topic: str) -> _Topic:
        """The present making of a topic. Raises Unavailable, with ``topic-missing`` where there is none."""
        cluster, topic_id, partitions = await self._described(topic)
        return _Topic(f"{cluster}/{topic_id}", topic, tuple(sorted(each[1] for each in partitions)))

    async def standing(self, topic: str) -> Standing:
        """How a topic is set and how its partitions stand. Raises Unavailable, with ``topic-forbidden`` where we may not know."""
        _, _, partitions = await self._described(topic)
        async with self._asking() as admin, _deadline():
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        (code, _, _, _, configured), *_ = answer.resources
        if code:
            raise Unavailable(
                "topic-forbidden", f"Kafka does not say how {topic} is set: allow this user DescribeConfigs on it."
            )
        return Standing(
            topic,
            len(partitions),
            min(len(each[4]) for each in partitions),
            sum(each[2] < 0 for each in partitions),
            sum(len(each[5]) < len(each[4]) for each in partitions),
            {key: value for key, value, *_ in configured if value is not None},
        )

    async def _described(self, topic: str) -> tuple[str, UUID, Sequence[Sequence[Any]]]:
        """The cluster's id, the topic's, and its partitions as ``_Described`` has them."""
        try:
            async with _deadline():
                client = await self._connected()
                answer = await client.send(client.get_random_node(), _Describe(topic))
        except Unavailable:
            # Perhaps the brokers have moved: the next question begins with the settings' own addresses.
            client, self._client = self._client, None
            await _disconnected(client)
            raise
        ((code, _, topic_id, _, partitions, _, _),) = answer.topics
        if code == _MISSING:
            raise Unavailable("topic-missing", f"There is no topic {topic}. Make it with `ingest topic create`.")
        if code == _FORBIDDEN:
            raise Unavailable("topic-forbidden", f"Kafka does not let us see {topic}. Check its access control lists.")
        if code:
            raise Unavailable("log-unavailable", f"Kafka cannot say yet what {topic} is (error {code}).")
        return answer.cluster_id, topic_id, partitions

    async def settled(self, topic: str, group: str) -> Mapping[Partition, int]:
        """Where a group has itself settled that it goes on; what an operator set with Kafka's own tools is not among it."""
        found = await self.describe(topic)
        noted = await self._noted(found, group)
        return {found.partition(each.partition): at.offset for each, at in noted.items() if at.metadata == found.log_id}

    async def reconcile(self, seen: Mapping[Partition, int]) -> Sequence[str]:  # noqa: ARG002
        """Nothing: whoever puts brokers back makes the topics anew, and these have ids of their own."""
        return ()

    async def goes_on(self, topic: _Topic, group: str) -> Mapping[TopicPartition, int]:
        """Where a group goes on, of partitions where it has settled anything in this making of the topic. Raises Unavailable."""
        noted = await self._noted(topic, group)
        # Without a note somebody else has set it, such as an operator with Kafka's own tools.
        return {each: at.offset for each, at in noted.items() if at.metadata in ("", topic.log_id)}

    async def _noted(self, topic: _Topic, group: str) -> Mapping[TopicPartition, Any]:
        async with self._asking() as admin, _deadline():
            while True:
                try:
                    found = await admin.list_consumer_group_offsets(f"{topic.name}.{group}", partitions=topic.places())
                    break
                except KafkaError as error:
                    # The first group of a cluster waits for the brokers' own topic to be made; later ones for it to be loaded.
                    if not error.retriable:
                        raise
                await asyncio.sleep(0.1)
        return {each: at for each, at in found.items() if at.offset >= 0}

    async def _connected(self) -> Any:
        async with self._making:
            if self._closed:
                raise _closed()
            if self._client is None:
                made = cast(Any, AIOKafkaClient)(**self.connection, request_timeout_ms=int(_SECONDS * 1000))
                try:
                    await made.bootstrap()
                except BaseException:
                    await made.close()
                    raise
                self._client = made
            return self._client

    @asynccontextmanager
    async def _asking(self) -> AsyncGenerator[Any]:
        admin = cast(Any, AIOKafkaAdminClient)(**self.connection, request_timeout_ms=int(_SECONDS * 1000))
        try:
            async with _deadline():
                await admin.start()
            yield admin
        finally:
            await _disconnected(admin)

    @asynccontextmanager
    async def _looking(self) -> AsyncGenerator[Any]:
        consumer = cast(Any, AIOKafkaConsumer)(
            **self.connection,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_bytes=_FETCH_BYTES,
            request_timeout_ms=int(_SECONDS * 1000),
        )
        try:
            async with _deadline():
                await consumer.start()
            yield consumer
        finally:
            await _stopped(consumer)


class _Consumption(ConsumerRebalanceListener):
    """One member of a group; see ``ingest.log.Consumption``.

    The library tells its listener of a move in a task of its own, and forgets what that raises. So the listener only notes it
    and holds the partitions still; where to begin is settled in ``take``, whose caller hears of what goes wrong.
    """

    def __init__(self, log: KafkaLog, topic: str, group: str, assigned: Assigned, revoked: Revoked) -> None:
        self._log = log
        self._topic = topic
        self._group = group
        self._assigned = assigned
        self._revoked = revoked
        self._fresh: frozenset[TopicPartition] = frozenset()
        self._ours: dict[TopicPartition, Partition] = {}
        self._leaving: dict[TopicPartition, Partition] = {}
        self._next: dict[TopicPartition, int] = {}
        self._waiting: dict[TopicPartition, deque[Delivery]] = {}
        self._unsure = False
        self._in_hand: dict[Partition, int] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._rewound: set[Partition] = set()
        self._looked = asyncio.get_running_loop().time()
        self._consumer: Any = cast(Any, AIOKafkaConsumer)(
            **log.connection,
            group_id=f"{topic}.{group}",
            group_instance_id=log.group_instance_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=int(log.session.total_seconds() * 1000),
            heartbeat_interval_ms=int(log.session.total_seconds() * 300),
            rebalance_timeout_ms=int(_REBALANCE_SECONDS * 1000),
            # Joining waits for the others to let go, so that an answer may take as long as they may.
            request_timeout_ms=int((_REBALANCE_SECONDS + _SECONDS) * 1000),
            metadata_max_age_ms=int(_METADATA_SECONDS * 1000),
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=_FETCH_BYTES // 4,
        )
        self._consumer.subscribe([topic], listener=self)

    @property
    def rewound(self) -> frozenset[Partition]:
        """Partitions whose given position the log did not hold, so that they are read again from the earliest."""
        return frozenset(self._rewound)

    async def start(self) -> None:
        """Join the group, and begin with what it gives us."""
        async with _deadline(_REBALANCE_SECONDS + _SECONDS):
            await self._consumer.start()
        await self._begin()

    async def close(self) -> None:
        """Let go of everything and leave the group, unless we have a name there to come back to."""
        self._idle.set()
        try:
            await self._let_go()
        finally:
            # The library tells nobody when it is stopped, and may be in the middle of anything.
            await _stopped(self._consumer)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:  # noqa: ARG002 # pyright: ignore[reportIncompatibleMethodOverride]
        """Hand out no more; let what is in hand be finished, and what is not be fenced."""
        await self._let_go()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Hold them still until ``take`` knows where to begin."""
        self._fresh = frozenset(assigned)
        self._consumer.pause(*self._fresh)

    async def _let_go(self) -> None:
        self._fresh = frozenset()
        gone, self._ours, self._waiting = self._ours, {}, {}
        if not gone:
            return
        self._leaving = gone
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._idle.wait()
        except TimeoutError:
            _say.warning("not-drained", topic=self._topic, seconds=_DRAIN_SECONDS)
        self._leaving, self._in_hand = {}, {}
        self._idle.set()
        await self._revoked(tuple(gone.values()))

    async def take(self, *, most: int, most_bytes: int, within: float) -> Sequence[Delivery]:
        """The next records in order, of one partition; none where none came within so many seconds."""
        await self._begin()
        if not self._waiting:
            await self._fetch(within)
        if self._unsure:
            await self._make_sure()
        return self._hand_over(most, most_bytes)

    async def _begin(self) -> None:
        """Where to begin in what has become ours; again, where it moves meanwhile."""
        while self._fresh:
            fresh = self._fresh
            topic = await self._log.describe(self._topic)
            self._ours = {each: topic.partition(each.partition) for each in fresh}
            wanted = await self._assigned(tuple(self._ours.values()))
            given = {place: wanted.get(partition) for place, partition in self._ours.items()}
            settled: Mapping[TopicPartition, int] = {}
            if None in given.values():
                settled = await self._log.goes_on(topic, self._group)
            async with _deadline():
                first, end = await self._consumer.beginning_offsets(fresh), await self._consumer.end_offsets(fresh)
            if self._fresh is not fresh:
                continue
            for place in fresh:
                at = given[place]
                at = settled.get(place) if at is None else at
                self._seek(place, first[place] if at is None else at, first[place], end[place])
            self._consumer.resume(*fresh)
            self._fresh = frozenset()

    def _seek(self, place: TopicPartition, at: int, first: int, end: int) -> None:
        """Go there, or to the earliest where the log does not hold it: what was lost is looked for."""
        if not first <= at <= end:
            _say.error("rewound", topic=place.topic, partition=place.partition, wanted=at, first=first, end=end)
            REWOUND.labels(place.topic).inc()
            self._rewound.add(self._ours[place])
            at = first
        self._next[place] = at
        self._waiting.pop(place, None)
        self._consumer.seek(place, at)

    async def _fetch(self, within: float) -> None:
        try:
            async with _deadline(within + _SECONDS):
                found = await self._consumer.getmany(timeout_ms=int(within * 1000), max_records=_PAGE)
        except Unavailable as away:
            # Retention took it, or brokers lost it, while we read; or the library looked for one before we told it.
            if isinstance(away.__cause__, (OffsetOutOfRangeError, NoOffsetForPartitionError)):
                await self._again()
                return
            raise
        for place, records in found.items():
            if place in self._ours and place not in self._fresh and records:
                self._waiting[place] = deque(_delivery(self._ours[place], each) for each in records)
                self._next[place] = records[-1].offset + 1
                self._unsure = True
        if not found and asyncio.get_running_loop().time() - self._looked > _LOOK_SECONDS:
            self._unsure = True

    async def _again(self) -> None:
        places = list(self._ours)
        async with _deadline():
            first, end = await self._consumer.beginning_offsets(places), await self._consumer.end_offsets(places)
        for place in places:
            if place in self._ours and place not in self._fresh:
                self._seek(place, self._next[place], first[place], end[place])

    async def _make_sure(self) -> None:
        """Whether what we read is still the topic it was: positions mean nothing in another. Raises Unavailable where it is gone."""
        topic = await self._log.describe(self._topic)
        self._unsure = False
        self._looked = asyncio.get_running_loop().time()
        if any(each.log_id != topic.log_id for each in self._ours.values()):
            _say.error("made-anew", topic=self._topic)
            places = frozenset(self._ours)
            await self._let_go()
            self._fresh = frozenset(each for each in places if each in self._consumer.assignment())
            self._consumer.pause(*self._fresh)
            await self._begin()

    def _hand_over(self, most: int, most_bytes: int) -> Sequence[Delivery]:
        if not self._waiting:
            return []
        place, waiting = next(iter(self._waiting.items()))
        page: list[Delivery] = []
        size = 0
        while waiting and len(page) < most and (not page or size + waiting[0].record.size <= most_bytes):
            page.append(waiting.popleft())
            size += page[-1].record.size
        # To the end of the line, so that no partition waits for another.
        del self._waiting[place]
        if waiting:
            self._waiting[place] = waiting
        self._in_hand[page[-1].partition] = page[-1].position
        self._idle.clear()
        return page

    async def settle(self, following: Mapping[Partition, int]) -> None:
        """Note the position of the next record wanted, with the making of the topic it is for.

        Of partitions that have gone to another member nothing is noted: that member begins where the register says.
        """
        held = {**self._leaving, **self._ours}
        mine = {place: (following[partition], partition.log_id) for place, partition in held.items() if partition in following}
        if mine:
            await self._commit(mine)
        self._in_hand = {each: last for each, last in self._in_hand.items() if following.get(each, -1) <= last}
        if not self._in_hand:
            self._idle.set()

    async def _commit(self, mine: Mapping[TopicPartition, tuple[int, str]]) -> None:
        try:
            async with _deadline():
                await self._consumer.commit(dict(mine))
        except Unavailable as away:
            if isinstance(away.__cause__, (CommitFailedError, IllegalStateError)):
                _say.warning("not-ours", topic=self._topic, why=type(away.__cause__).__name__)
                return
            # The library asks for ever where the topic is gone.
            with suppress(Unavailable):
                topic = await self._log.describe(self._topic)
                if all(log_id != topic.log_id for _, log_id in mine.values()):
                    self._unsure = True
                    return
            raise


_ENDING: Final[set[asyncio.Task[None]]] = set()


def _connection(chosen: LogSettings) -> dict[str, Any]:
    """What every client of the library is told of the cluster."""
    servers = chosen.url.partition("://")[2].rstrip("/")
    for server in servers.split(","):
        host, _, port = server.rpartition(":")
        if not host or not port.isascii() or not port.isdigit():
            raise Misconfigured("log.url", "log.url names no brokers: write it as kafka://host:9092,host:9092.")
    found: dict[str, Any] = {"bootstrap_servers": servers.split(","), "client_id": "contact-ingest"}
    if chosen.security == "plain":
        return {**found, "security_protocol": "PLAINTEXT"}
    try:
        context = ssl.create_default_context(cafile=chosen.ca_file)
    except OSError as error:
        raise Misconfigured("log.ca_file", f"log.ca_file names {chosen.ca_file}, which holds no certificates.") from error
    if chosen.security == "tls":
        return {**found, "security_protocol": "SSL", "ssl_context": context}
    if chosen.username is None:
        raise Misconfigured("log.username", 'log.username is missing, and log.security is "sasl-tls".')
    if chosen.password is None:
        raise Misconfigured(
            "log.password", 'log.password is missing, and log.security is "sasl-tls". Name its file in log.password_file.'
        )
    return {
        **found,
        "security_protocol": "SASL_SSL",
        "ssl_context": context,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": chosen.username,
        "sasl_plain_password": chosen.password.get_secret_value(),
    }  # fmt: skip


@asynccontextmanager
async def _deadline(seconds: float | None = None) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(_SECONDS if seconds is None else seconds):
            yield
    except asyncio.CancelledError as error:
        # The library cancels tasks of its own and waits for them as they are; to our task it looks like being told to end.
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        raise _away(error) from error
    except (KafkaError, OSError) as error:
        raise _away(error) from error


def _away(error: BaseException) -> Unavailable:
    return Unavailable(
        "log-unavailable", f"Kafka does not answer ({type(error).__name__}). Check [log], and that its brokers are up."
    )


def _closed() -> Unavailable:
    return Unavailable("log-unavailable", "The log is closed.")


async def _disconnected(client: Any) -> None:
    if client is not None:
        with suppress(Unavailable):
            async with _deadline():
                await client.close()


async def _stopped(consumer: Any) -> None:
    """Gone from its group and disconnected, or at least disconnected."""
    try:
        async with _deadline():
            await consumer.stop()
    except Unavailable:
        await _disconnected(consumer._client)  # noqa: SLF001 - what broke its stopping came before that


async def _ended(producer: Any) -> None:
    """Sent what it has, within a bound; past it the library would try for ever."""
    try:
        async with _deadline():
            await producer.stop()
    except Unavailable:
        if (sending := producer._sender.sender_task) is not None:  # noqa: SLF001 - it has no public end but success
            sending.cancel()
        await _disconnected(producer.client)


async def _send(producer: Any, topic: str, record: Record) -> asyncio.Future[Any]:
    """On its way; the answer comes by itself."""
    key = None if record.key is None else record.key.encode()
    headers = list(record.headers)
    if key is None and record.value is None:
        # A tombstone for nobody, which the library lets out only in a batch of its own.
        batch = producer.create_batch()
        batch.append(timestamp=None, key=None, value=None, headers=headers)
        sent = await producer.send_batch(batch, topic, partition=min(await producer.partitions_for(topic)))
    else:
        sent = await producer.send(topic, value=record.value, key=key, headers=headers)
    sent.add_done_callback(_heard)
    return sent


def _heard(sent: asyncio.Future[Any]) -> None:
    """Where its caller has given up, nobody else asks what became of it."""
    if not sent.cancelled():
        sent.exception()


def _delivery(partition: Partition, found: Any) -> Delivery:
    """A record as it lies on the log. A publisher's key that is no text stands with its odd bytes written out."""
    key = None if found.key is None else found.key.decode("utf-8", "backslashreplace")
    record = Record(key, found.value, tuple((name, raw or b"") for name, raw in found.headers))
    return Delivery(partition, found.offset, _moment(found.timestamp), record)


def _moment(milliseconds: int) -> datetime:
    """A publisher may have set it to anything, where the topic was not made by us."""
    within = min(max(0, milliseconds), int(_LAST.timestamp() * 1000))
    return datetime.fromtimestamp(within / 1000, UTC)


async def _page(
    consumer: Any, topic: _Topic, start: Mapping[TopicPartition, int], end: Mapping[TopicPartition, int], most: int
) -> list[Delivery]:
    """Up to ``most`` records of each place from a position on, up to the end as it was."""
    found: dict[TopicPartition, list[Delivery]] = {each: [] for each in sorted(start)}
    going: set[TopicPartition] = set(start)
    size = 0
    if not going:
        return []
    consumer.assign(list(start))
    for place, at in start.items():
        consumer.seek(place, at)
    async with _deadline():
        while going and size < _PAGE_BYTES:
            for place, records in (await consumer.getmany(*going, timeout_ms=200, max_records=_PAGE)).items():
                page = [_delivery(topic.partition(place.partition), each) for each in records[: most - len(found[place])]]
                found[place] += page
                size += sum(each.record.size for each in page)
            # Not by the records alone: what marks the end of a publisher's transaction has a position too.
            reached: dict[TopicPartition, int] = {place: await consumer.position(place) for place in going}
            going = {each for each in going if len(found[each]) < most and reached[each] < end[each]}
    return [each for place in found.values() for each in place]
