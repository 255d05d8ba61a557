"""A mixture of messages for the intake, right and wrong, sent from several threads until each has the answer that it must get."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

import httpx

from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.ml_alerts import ML_ALERTS
from tests.support.callbacks import Sender, key_of
from tests.support.posted import BAD, PostedLog

THREADS = 8
ANSWER_SECONDS = 5.0
PAUSE_SECONDS = 0.1
ALERTERS = ("ai-platform-07", "ai-platform-09", "ai-platform-14")
#: Of a hundred messages: how many are what.
KINDS = {"good": 70, "repeated": 12, "bad signature": 5, "wrong body": 5, "unknown sender": 4, "wrong route": 4}
ANSWERS = {"good": 202, "repeated": 202, "bad signature": 401, "wrong body": 422, "unknown sender": 401, "wrong route": 403}
IDS = {"benefit_forecasts": 250, "ml_alerts": 150}


@dataclass(frozen=True)
class Message:
    """What is posted, and the answer that it must get in the end. ``webhook_id`` of a repeated one is an earlier one's."""

    kind: str
    flow: object
    sender: str
    signed_by: str
    webhook_id: str
    body: dict

    @property
    def row_key(self):
        return self.body[self.flow.source.key]


def draw_messages(seed, amount):
    """Bodies of one id have times of their own, in random order, so that what must stand does not depend on the order."""
    chance, now, number = Random(seed), datetime.now(UTC) - timedelta(hours=1), count()
    times = chance.sample(range(10**6), amount)
    logs = {flow: PostedLog(flow, seed=seed) for flow in (BENEFIT_FORECASTS, ML_ALERTS)}
    ids = {flow: [log.row()[flow.source.key] for _ in range(IDS[flow.name])] for flow, log in logs.items()}
    messages, good = [], []
    for place, kind in enumerate(chance.choices(list(KINDS), KINDS.values(), k=amount)):
        if kind == "repeated" and good:
            messages.append(chance.choice(good))
            continue
        flow = chance.choice([BENEFIT_FORECASTS, ML_ALERTS])
        time_of = (now + timedelta(microseconds=times[place])).isoformat()
        body = logs[flow].row(chance.choice(ids[flow]), **{flow.source.time: time_of})
        sender = "forecast-service" if flow is BENEFIT_FORECASTS else chance.choice(ALERTERS)
        messages.append(_made("good" if kind == "repeated" else kind, flow, sender, f"msg_{seed}_{next(number)}", body))
        good += [messages[-1]] if messages[-1].kind == "good" else []
    return messages


def _made(kind, flow, sender, webhook_id, body):
    signed_by = sender
    if kind == "bad signature":
        signed_by = "nobody"
    elif kind == "unknown sender":
        sender = signed_by = "stranger"
    elif kind == "wrong body":
        body = body | BAD[flow.name]
    elif kind == "wrong route":
        sender = signed_by = ALERTERS[0] if flow is BENEFIT_FORECASTS else "forecast-service"
    return Message(kind, flow, sender, signed_by, webhook_id, body)


class Posting:
    """Sends messages at ``rate`` per second in the background; inside the block the test does what it likes."""

    def __init__(self, address, keys, messages, rate):
        self.answered = {}  # row key → when the first of its bodies was accepted
        self.attempts = Counter()
        self._address, self._messages, self._interval = address, messages, 1 / rate
        self._senders = {name: Sender(name, key) for name, key in keys.items()}
        self._senders |= {name: Sender(name, key_of(name)) for name in ("stranger", "nobody")}
        self._lock = threading.Lock()
        self._runner = ThreadPoolExecutor(1)

    def __enter__(self):
        self._done = self._runner.submit(self._run)
        return self

    def __exit__(self, *_):
        self._done.result()
        self._runner.shutdown()

    def _run(self):
        begin = time.monotonic()
        with httpx.Client(base_url=self._address, timeout=ANSWER_SECONDS) as client, ThreadPoolExecutor(THREADS) as threads:
            sent = [
                threads.submit(self._send, client, message, begin + place * self._interval)
                for place, message in enumerate(self._messages)
            ]
            for each in sent:
                each.result()

    def _send(self, client, message, due):
        """Until the answer is final: as the document says, everything else is sent again, signed anew."""
        time.sleep(max(due - time.monotonic(), 0))  # the rate, not a condition
        status = None
        while status is None or status in (408, 429) or status >= 500:
            if status is not None:
                time.sleep(PAUSE_SECONDS)  # as senders wait between attempts
            status = self._attempt(client, message)
            with self._lock:
                self.attempts[message.kind, status] += 1
        assert status == ANSWERS[message.kind], (message.kind, status)
        if status == 202:
            with self._lock:
                self.answered.setdefault(message.row_key, time.monotonic())

    def _attempt(self, client, message):
        body = json.dumps(message.body)
        headers = self._senders[message.signed_by].headers(body, message.webhook_id) | {"webhook-sender": message.sender}
        try:
            return client.post(message.flow.source.path, content=body.encode(), headers=headers).status_code
        except httpx.TransportError:
            return 599
