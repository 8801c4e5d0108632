"""Every message of a log's topics on Kafka."""

import sys

import confluent_kafka as kafka

PATIENCE_S = 30


def messages(brokers, prefix, names):
    """Each message with its topic's short name and its partition: one partition after the other, in
    their order. Ends the process if a topic is not there, or does not give what it has."""
    consumer = kafka.Consumer({
        "bootstrap.servers": brokers, "group.id": f"{prefix}.reader", "enable.auto.commit": False,
        "auto.offset.reset": "error",
        # The next partition waits for the broker's answer about the last one.
        "fetch.wait.max.ms": 10,
    })
    topics = consumer.list_topics(timeout=PATIENCE_S).topics
    for name in names:
        topic = f"{prefix}.{name}"
        if topic not in topics:
            sys.exit(f"there is no topic {topic}")
        for number in topics[topic].partitions:
            place = kafka.TopicPartition(topic, number)
            place.offset, end = consumer.get_watermark_offsets(place, timeout=PATIENCE_S)
            consumer.assign([place])
            at = place.offset
            while at < end:
                message = consumer.poll(PATIENCE_S)
                if message is None or message.error():
                    sys.exit(f"{topic} {number} at {at}: {message and message.error()}")
                at = message.offset() + 1
                yield name, number, message
    consumer.close()
