#!/usr/bin/env python3
"""Reads the topics of a Millrace log with Confluent's own deserializer, and counts the records.

It knows of Millrace only where the topics are, and a registry: that of any node, or one of yours.

    read_topics.py --brokers HOST:PORT --prefix millrace --registry http://127.0.0.1:4000/registry

It prints a JSON object: records by type, or by topic. It ends with 1 if one does not decode.
"""

import argparse
import json
import sys
from collections import Counter

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOPICS = ("config", "commands", "events", "cluster")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--prefix", default="millrace")
    parser.add_argument("--registry", required=True)
    parser.add_argument("--by", choices=("type", "topic"), default="type")
    options = parser.parse_args()
    deserialize = AvroDeserializer(
        SchemaRegistryClient({"url": options.registry}), return_record_name=True
    )
    consumer = Consumer({
        "bootstrap.servers": options.brokers, "group.id": f"{options.prefix}.topics",
        "enable.auto.commit": False, "auto.offset.reset": "error",
        # The next partition waits for the broker's answer about the last one.
        "fetch.wait.max.ms": 10,
    })
    counted = Counter()
    known = consumer.list_topics(timeout=30).topics
    for name in TOPICS:
        topic = f"{options.prefix}.{name}"
        context = SerializationContext(topic, MessageField.VALUE)
        for number in known[topic].partitions:
            place = TopicPartition(topic, number)
            place.offset, end = consumer.get_watermark_offsets(place, timeout=30)
            consumer.assign([place])
            at = place.offset
            while at < end:
                message = consumer.poll(30)
                if message is None or message.error():
                    sys.exit(f"{topic} {number} at {at}: {message and message.error()}")
                at = message.offset() + 1
                if message.value() is None:
                    continue  # it keeps the place of a record that a moved log has not
                record = deserialize(message.value(), context)
                meta = record["meta"]
                if not meta["occurred_at"] or not message.headers():
                    sys.exit(f"{topic} {number} at {message.offset()}: no meta, or no headers")
                by = {"topic": name, "type": dict(message.headers())["type"].decode()}
                counted[by[options.by]] += 1
    consumer.close()
    print(json.dumps(dict(sorted(counted.items()))))


if __name__ == "__main__":
    main()
