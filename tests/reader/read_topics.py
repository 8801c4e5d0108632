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

import topics
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
    counted = Counter()
    for name, number, message in topics.messages(options.brokers, options.prefix, TOPICS):
        if message.value() is None:
            continue  # it keeps the place of a record that a moved log has not
        context = SerializationContext(message.topic(), MessageField.VALUE)
        record = deserialize(message.value(), context)
        if not record["meta"]["occurred_at"] or not message.headers():
            sys.exit(f"{name} {number} at {message.offset()}: no meta, or no headers")
        by = {"topic": name, "type": dict(message.headers())["type"].decode()}
        counted[by[options.by]] += 1
    print(json.dumps(dict(sorted(counted.items()))))


if __name__ == "__main__":
    main()
