#!/usr/bin/env python3
"""Writes the events of a Millrace log as JSON, one a line, for a database to load.

It reads the topic with Confluent's own deserializer and the schemas of a registry: that of any
node, or one of yours. What is sealed is left out.

    export_events.py --brokers HOST:PORT --registry http://127.0.0.1:4000/registry > events.jsonl
"""

import argparse
import datetime
import functools
import json
import sys
import uuid

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def readable(value):
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {name: readable(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(part) for part in value]
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value)) if len(value) == 16 else value.hex()
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True, help="the brokers, as HOST:PORT,…")
    parser.add_argument("--prefix", default="millrace", help="what the topics begin with")
    parser.add_argument("--registry", required=True, help="the address of a schema registry")
    options = parser.parse_args()
    topic = f"{options.prefix}.events"
    context = SerializationContext(topic, MessageField.VALUE)
    registry = SchemaRegistryClient({"url": options.registry})
    deserialize = AvroDeserializer(registry)

    @functools.cache
    def name_of(schema):
        return json.loads(registry.get_schema(schema).schema_str)["name"]

    consumer = Consumer({
        "bootstrap.servers": options.brokers, "group.id": f"{options.prefix}.export",
        "enable.auto.commit": False, "auto.offset.reset": "error",
    })
    for number in consumer.list_topics(topic, timeout=30).topics[topic].partitions:
        place = TopicPartition(topic, number)
        place.offset, end = consumer.get_watermark_offsets(place, timeout=30)
        consumer.assign([place])
        at = place.offset
        while at < end:
            message = consumer.poll(30)
            if message is None or message.error():
                sys.exit(f"{topic} {number} at {at}: {message and message.error()}")
            at = message.offset() + 1
            value = message.value()
            if value is None:
                continue  # it keeps the place of a record that a moved log has not
            body = deserialize(value, context)
            meta = body.pop("meta")
            body.pop("sealed", None)
            row = {
                "part": number, "pos": message.offset(),
                "name": name_of(int.from_bytes(value[1:5], "big")), **meta, "body": body,
            }
            print(json.dumps(readable(row)))
    consumer.close()


if __name__ == "__main__":
    main()
