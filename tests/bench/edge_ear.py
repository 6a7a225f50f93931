"""A plain MQTT subscriber, as somebody who looks at what the agent sends."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

Hear = Callable[[Client, object, MQTTMessage], None]
PATIENCE_S = 10.0


@contextmanager
def listening(port: int, topics: Sequence[str], hear: Hear) -> Iterator[None]:
    """Call `hear`, in a thread, with every message on these topics for as long as the block lasts."""
    subscribed = Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = hear
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.subscribe([(topic, 1) for topic in topics])
    client.loop_start()
    try:
        if not subscribed.wait(PATIENCE_S):
            raise TimeoutError(f"the broker did not confirm a subscription of {topics} in {PATIENCE_S} s")
        yield
    finally:
        client.disconnect()
        client.loop_stop()
