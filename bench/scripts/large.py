"""`measure large`: how history, the list of conversations and the search answer among many messages."""
import http.client, itertools, json, random, re, statistics, sys, threading, time, urllib.parse, urllib.request

CONVERSATIONS = 1000  # of the reader, who has half of all messages in them; half of them are groups
WORDS = "the of and to in is you that it for was on are with as they be at one have this from".split()
RARE = {"needle": 3, "针眼": 3}  # words that stand in so many messages of the reader


def texts(draw, count):
    """Half Chinese, half English, common characters and words as often as they are in a language."""
    han = [chr(0x4E00 + n * 7) for n in range(2500)]
    weights = [1 / (rank + 3) for rank in range(len(han))]
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    english = WORDS + ["".join(draw.choices(letters, k=draw.randint(3, 11))) for _ in range(8000)]
    ranks = [1 / (rank + 2) for rank in range(len(english))]
    for number in range(count):
        if number % 2:
            yield "".join(draw.choices(han, weights, k=draw.randint(6, 40)))
        else:
            yield " ".join(draw.choices(english, ranks, k=draw.randint(4, 20)))


def rows(reader, users, messages):
    """The reader's conversations and those of others: heads, members, groups and a generator of entries."""
    draw = random.Random(messages)
    others = max(CONVERSATIONS, messages // 200)
    keys, groups = [], []
    now = int(time.time() * 1000) - 86_400_000
    for number in range(CONVERSATIONS + others):
        if number < CONVERSATIONS and number % 2:
            group = 1_000_000 + number
            keys.append((f"g:{group}", reader, users + number))
            groups.append((group, f"group {number}", reader))
        else:
            one = reader if number < CONVERSATIONS else reader + 1 + draw.randrange(users - 1)
            keys.append((f"d:{one}:{users + reader + number}", one, users + reader + number))
    # As in life: some conversations have most of what is said.
    shares = [1 / (rank % CONVERSATIONS + 30) for rank in range(len(keys))]
    mine, theirs = range(CONVERSATIONS), range(CONVERSATIONS, len(keys))
    weights = [list(itertools.accumulate(shares[k] for k in part)) for part in (mine, theirs)]
    pool = list(texts(draw, 200_000))
    rare = [word for word, times in RARE.items() for _ in range(times)]
    at = sorted(draw.sample(range(0, messages, 2), len(rare)))
    planted = dict(zip(at, rare))
    seqs, last = [0] * len(keys), [0] * len(keys)

    def entries():
        picks = [[], []]
        for number in range(messages):
            part = number % 2
            if not picks[part]:
                picks[part] = draw.choices((mine, theirs)[part], cum_weights=weights[part], k=10_000)
            which = picks[part].pop()
            key, *both = keys[which]
            seqs[which] += 1
            created = now + number * 86_000_000 // messages
            last[which] = created
            text = pool[draw.randrange(len(pool))]
            if number in planted:
                text += " " + planted[number]
            # ms << 12 | partition << 6 | slot: any partition will do.
            yield (created << 12) | (number & 4095), key, seqs[which], 1, both[seqs[which] % 2], str(number), text, created

    def heads():
        for (key, *both), seq, created in zip(keys, seqs, last):
            if seq:
                yield key, 1, seq, seq, created

    def those_in():
        for (key, *both), seq in zip(keys, seqs):
            for user in both:
                if seq:
                    yield key, user, 1, seq, max(seq - 3, 0), now

    return groups, entries, heads, those_in


TABLES = {
    "chat_groups": ("id", "name", "owner_id", "announcement", "max_count", "created_at"),
    "entries": ("id", "conversation", "seq", "kind", "sender_id", "msg_id", "content", "created_at"),
    "conversations": ("conversation", "version", "last_seq", "message_seq", "last_time"),
    "members": ("conversation", "user_id", "joined_seq", "delivered_seq", "read_seq", "joined_at"),
}


def fill(server, reader, users, messages):
    groups, entries, heads, those_in = rows(reader, users, messages)
    groups = ((*group, "", 200, 1) for group in groups)
    for table, found in zip(TABLES, (groups, entries(), heads(), those_in())):
        server.load(table, TABLES[table], found)


class Callers:
    """Eight of them, who ask without a pause."""

    def __init__(self, url, token):
        self.host = url.removeprefix("http://")
        self.headers = {"Authorization": f"Bearer {token}"}

    def times(self, paths, seconds=5):
        found, until = [], time.monotonic() + seconds

        def one(number):
            connection = http.client.HTTPConnection(self.host)
            for path in itertools.islice(itertools.cycle(paths), number, None):
                began = time.monotonic()
                if began > until:
                    return
                connection.request("GET", "/api/v1/" + path, headers=self.headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    sys.exit(f"measure: {path}: {answer.status} {body[:200]}")
                found.append((time.monotonic() - began) * 1000)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        return found

    def ask(self, path):
        request = urllib.request.Request(f"http://{self.host}/api/v1/{path}", headers=self.headers)
        return json.loads(urllib.request.urlopen(request).read())


def post(url, path, body):
    request = urllib.request.Request(f"{url}/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(request).read())


def indexed(server):
    found = 0
    for metrics in server.all_metrics():
        text = urllib.request.urlopen(metrics).read().decode()
        found += sum(float(value) for value in re.findall(r"^lingxi_search_indexed_messages_total (\S+)$", text, re.M))
    return int(found)


def run(server, messages):
    users = 100_000
    account = {"username": "reader", "password": "correct horse"}
    post(server.urls[0], "user/register", account)
    reader = post(server.urls[0], "user/login", account)["user"]["id"]
    server.fill(users)
    began = time.monotonic()
    if server.setup == "one":
        server.stop()
    fill(server, reader, users, messages)
    if server.setup == "one":
        server.start()
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    while indexed(server) < messages:
        time.sleep(1)
    print(f"indexed in {time.monotonic() - began:.0f} s")
    for line in server.sizes():
        print(line)
    callers = Callers(server.urls[0], post(server.urls[0], "user/login", account)["token"])
    keys = [row["conversation"] for row in callers.ask("message/conversations?limit=200")["conversations"]]
    groups = [f"message/history?group_id={key[2:]}" for key in keys if key.startswith("g:")]
    pool = random.Random(1).sample(list(texts(random.Random(messages), 20_000)), 2000)
    words = [text[2:4] for text in pool if text[0] > "\u4e00"][:500]
    asked = {
        "history": groups,
        "conversations": ["message/conversations"],
        "search, two characters": words,
        "search, the commonest": ["the", "of"],
        "search, a prefix": [text.split()[-1][:4] for text in pool if text[0] < "z" and len(text.split()[-1]) > 3][:500],
        "search, two words": [" ".join(text.split()[:2]) for text in pool if text[0] < "z"][:500],
        "search, in three messages": list(RARE),
        "search, in none": ["zzqx", "鿿鿾"],
    }
    for what, values in asked.items():
        if what.startswith("search"):
            values = ["message/search?" + urllib.parse.urlencode({"keyword": value, "limit": 20}) for value in values]
        callers.times(values, 1)
        times = sorted(callers.times(values))
        p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        print(f"{what}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {len(times) / 5:.0f}/s", flush=True)
    return 0
