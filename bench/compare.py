#!/usr/bin/env python3
"""Compares Quorate with `git http-backend` behind lighttpd, in one run on one machine, and prints ratios.

Both are driven by quorate-load over kept connections. The peer runs with fsync on (core.fsync=all), as Quorate always does. Machines
are noisy: every comparison alternates the servers and takes medians over rounds; read the ratios, not the absolute figures.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def git(*arguments, **options):
    environment = dict(os.environ, GIT_CONFIG_NOSYSTEM="1", HOME="/nonexistent", no_proxy="*",
                       GIT_AUTHOR_NAME="A", GIT_AUTHOR_EMAIL="a@example.org",
                       GIT_COMMITTER_NAME="C", GIT_COMMITTER_EMAIL="c@example.org")
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, env=environment, **options)
    if done.returncode:
        sys.exit(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout


class Server:
    """A process that answers on self.url."""

    name = ""
    process = None

    def wait(self, path, deadline=20):
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(self.url + path, timeout=2).read()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{self.name} ended with status {self.process.returncode}")
                time.sleep(0.002)
        sys.exit(f"{self.name} did not answer within {deadline} s")

    def cpu_seconds(self):
        """Of the process and of all children that it has waited for."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / TICKS

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)


class Quorate(Server):
    def __init__(self, binary, folder, mode):
        self.name = f"quorate ({mode})"
        self.binary, self.folder, self.mode = binary, folder, mode
        self.start()

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        output = open(self.folder / "out", "w+")
        self.process = subprocess.Popen(
            [self.binary, "serve", "--data", self.folder / "data", "--http", "127.0.0.1:0", "--peer", "127.0.0.1:0", "--log-mode", self.mode],
            stdout=output, stderr=open(self.folder / "log", "a"))
        while True:
            first = (self.folder / "out").read_text().partition("serving ")[2].split()
            if first:
                break
            if self.process.poll() is not None:
                sys.exit(f"{self.name} did not start: {(self.folder / 'log').read_text()[-500:]}")
            time.sleep(0.001)
        self.url = first[0]
        self.wait("/readyz")
        self.ready_seconds = time.monotonic() - begin

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def create(self, name):
        request = urllib.request.Request(self.url + "/api/v1/repositories", json.dumps({"name": name}).encode(),
                                         {"Content-Type": "application/json"})
        urllib.request.urlopen(request).read()

    def metric(self, name):
        text = urllib.request.urlopen(self.url + "/metrics").read().decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.partition("{")[0].partition(" ")[0] == name)


class HttpBackend(Server):
    name = "git http-backend"

    def __init__(self, folder):
        self.repositories = folder / "repositories"
        self.repositories.mkdir(parents=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        backend = pathlib.Path(git("--exec-path").strip()) / "git-http-backend"
        (folder / "gitconfig").write_text(
            "[core]\n\tfsync = all\n\tfsyncMethod = fsync\n[http]\n\treceivepack = true\n[gc]\n\tauto = 0\n"
            "[receive]\n\tautogc = false\n[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n[safe]\n\tdirectory = *\n")
        (folder / "lighttpd.conf").write_text(f'''
server.modules = ("mod_setenv", "mod_alias", "mod_cgi")
server.document-root = "{self.repositories}"
server.port = {port}
server.bind = "127.0.0.1"
server.max-keep-alive-requests = 1000000
server.max-keep-alive-idle = 600
server.stream-request-body = 1
server.stream-response-body = 1
server.errorlog = "{folder}/error.log"
alias.url = ("/" => "{backend}/")
cgi.assign = ("" => "")
setenv.set-environment = ("GIT_PROJECT_ROOT" => "{self.repositories}", "GIT_HTTP_EXPORT_ALL" => "1",
  "GIT_CONFIG_GLOBAL" => "{folder}/gitconfig", "GIT_CONFIG_NOSYSTEM" => "1", "PATH" => "{os.environ['PATH']}", "HOME" => "{folder}")
''')
        self.process = subprocess.Popen(["lighttpd", "-D", "-f", folder / "lighttpd.conf"], stderr=subprocess.DEVNULL)
        self.wait("/none.git/info/refs?service=git-upload-pack")

    def create(self, name):
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.repositories / f"{name}.git"))


class Bench:
    def __init__(self, load, rounds, seconds):
        self.load, self.rounds, self.seconds = load, rounds, seconds
        self.rows, self.tag = [], 0

    def run(self, server, work, **options):
        arguments = [self.load, work, "--url", server.url]
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        done = subprocess.run(arguments, capture_output=True, text=True)
        if not done.stdout:
            sys.exit(f"{server.name}: {' '.join(map(str, arguments))}: {done.stderr}")
        result = json.loads(done.stdout)
        if result["failed"]:
            sys.exit(f"{server.name}: {work}: {result.get('first_failure')}")
        return result

    def new_tag(self):
        self.tag += 1
        return f"t{self.tag}"

    def compare(self, a, b, work, field, **options):
        """Medians of `field` for both over the rounds, and all results of a."""
        found = {a: [], b: []}
        refused = 0
        for number in range(self.rounds):
            for server in (a, b) if number % 2 == 0 else (b, a):  # Neither always follows the other.
                extra = dict(options)
                if work == "push":
                    extra["tag"] = self.new_tag()
                result = self.run(server, work, seconds=self.seconds, **extra)
                found[server].append(result)
                if server is a:
                    refused += result["refused"]
        middle = {server: statistics.median(result[field] for result in results) for server, results in found.items()}
        return middle[a], middle[b], refused

    def row(self, work, value, target, detail, met=None):
        self.rows.append({"work": work, "value": value, "target": target, "met": met, "detail": detail})
        verdict = "" if met is None else ("met" if met else "MISSED")
        print(f"{work:<58} {value:>12}  {target:<12} {verdict:<7} {detail}", flush=True)


def small_pushes(bench, quorate, peer):
    for server in (quorate, peer):
        for i in range(16):
            server.create(f"push{i}")
    built = {"prebuilt": int(4000 * bench.seconds)}
    a, b, _ = bench.compare(quorate, peer, "push", "p50_us", prefix="push", connections=1, **built)
    bench.row("small push, 1 connection: p50 against peer", f"1/{b / a:.1f}", "<= 1/8", f"{a:.0f} us / {b:.0f} us", b / a >= 8)
    refused_all = 0
    for repositories, text in ((16, "16 repositories"), (1, "one repository")):
        a, b, refused = bench.compare(quorate, peer, "push", "rate", prefix="push", connections=16, repositories=repositories,
                                      prebuilt=int(1500 * bench.seconds))
        refused_all += refused
        bench.row(f"small pushes, 16 connections, {text}", f"{a / b:.1f}x", ">= 15x", f"{a:.0f}/s / {b:.0f}/s", a / b >= 15)
    bench.row("refused pushes to distinct refs, 16 connections", str(refused_all), "0", "", refused_all == 0)

    for connections in (1, 16):
        cpu, pushes = quorate.cpu_seconds(), 0
        for _ in range(bench.rounds):
            pushes += bench.run(quorate, "push", prefix="push", connections=connections, repositories=16, seconds=bench.seconds,
                                tag=bench.new_tag(), **built)["operations"]
        cost = (quorate.cpu_seconds() - cpu) / pushes * 1000
        bench.row(f"CPU per small push, {connections} connections", f"{cost:.2f} ms", "<= 2 ms", f"{pushes} pushes", cost <= 2)


def syncs_per_push(bench, quorate):
    for i in range(64):
        quorate.create(f"sync{i}")
    # So that what a first push to a repository costs (opening it) is not in the figure.
    bench.run(quorate, "push", prefix="sync", connections=64, repositories=64, operations=1, prebuilt=1, tag=bench.new_tag())
    for connections, target in ((1, 1), (64, 0.2)):
        before = quorate.metric("quorate_log_syncs_total")
        result = bench.run(quorate, "push", prefix="sync", connections=connections, repositories=64, seconds=bench.seconds,
                           prebuilt=int(4000 * bench.seconds / connections) + 200, tag=bench.new_tag())
        value = (quorate.metric("quorate_log_syncs_total") - before) / result["operations"]
        met = value <= 1.001 if connections == 1 else value < target
        bench.row(f"fsyncs per push, {connections} clients", f"{value:.3f}", "1" if connections == 1 else "< 0.2", f"{result['operations']} pushes", met)


def raft_against_local(bench, raft, local):
    for server in (raft, local):
        server.create("mode0")
    a, b, _ = bench.compare(raft, local, "push", "p50_us", prefix="mode", connections=1, prebuilt=int(4000 * bench.seconds))
    bench.row("small push, raft against local log: p50", f"{a / b:.2f}x", "<= 1.15x", f"{a:.0f} us / {b:.0f} us", a / b <= 1.15)


def ls_refs(bench, quorate, peer):
    for count, target in ((10, 25), (10_000, 10)):
        for server in (quorate, peer):
            server.create(f"refs{count}-0")
            bench.run(server, "refs", prefix=f"refs{count}-", refs=count)
        git_directory = peer.repositories / f"refs{count}-0.git"
        git("-C", str(git_directory), "pack-refs", "--all")  # The peer at its best.
        a, b, _ = bench.compare(quorate, peer, "ls-refs", "rate", prefix=f"refs{count}-", connections=4, refs=count)
        bench.row(f"v2 ls-refs, {count} refs, 4 connections", f"{a / b:.1f}x", f">= {target}x", f"{a:.0f}/s / {b:.0f}/s", a / b >= target)


def many_refs(bench, quorate, count):
    for name, refs in (("few", 10), ("many", count)):
        quorate.create(f"{name}0")
        bench.run(quorate, "refs", prefix=name, refs=refs)
    found = {"few": [], "many": []}
    for _ in range(bench.rounds):
        for name, values in found.items():
            values.append(bench.run(quorate, "push", prefix=name, connections=1, seconds=bench.seconds, tag=bench.new_tag(),
                                    prebuilt=int(4000 * bench.seconds))["p50_us"])
    many, few = statistics.median(found["many"]), statistics.median(found["few"])
    bench.row(f"one-ref push into {count} refs against 10", f"{many / few:.2f}x", "<= 1.5x", f"{many:.0f} us / {few:.0f} us", many / few <= 1.5)


def make_history(folder, megabytes):
    """A repository of about that size: text that deltas well and blobs that do not."""
    git("init", "--quiet", "--initial-branch=main", str(folder))
    importer = subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE)
    commits = 2000
    noise = os.urandom(megabytes * 1_000_000 // 200)
    for i in range(commits):
        parts = [(f"text/{i % 97}.txt", "".join(f"line {j} of version {i if j % 50 == i % 50 else 0}\n" for j in range(400)).encode())]
        if i % 10 == 0:
            at = i // 10 % 50
            parts.append((f"noise/{i}.bin", noise[at:] + str(i).encode()))
            noise = os.urandom(len(noise))
        message = f"commit {i}".encode()
        out = b"commit refs/heads/main\ncommitter C <c@example.org> %d +0000\ndata %d\n%s\n" % (1_700_000_000 + i, len(message), message)
        for name, content in parts:
            out += b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(content), content)
        importer.stdin.write(out)
    importer.stdin.close()
    if importer.wait():
        sys.exit("git fast-import failed")


def fetches(bench, quorate, peer, folder, megabytes):
    make_history(folder, megabytes)
    tip = git("-C", str(folder), "rev-parse", "main").strip()
    before = git("-C", str(folder), "rev-parse", "main~1").strip()
    size = sum(file.stat().st_size for file in (folder / ".git/objects").rglob("*") if file.is_file())
    for server in (quorate, peer):
        server.create("history0")
        # In one piece: the peer's web server takes no chunked body for a CGI program.
        git("-C", str(folder), "-c", f"http.postBuffer={4 * megabytes * 1_000_000}", "push", "--quiet", f"{server.url}/history0.git", "main")
    a, b, _ = bench.compare(quorate, peer, "fetch", "p50_us", prefix="history", want=tip, have=before)
    bench.row("fetch of one new commit: p50", f"{b / a:.2f}x", ">= 1.3x", f"{a / 1000:.1f} ms / {b / 1000:.1f} ms", b / a >= 1.3)
    saved, bench.seconds = bench.seconds, max(bench.seconds, 5)
    a, b, _ = bench.compare(quorate, peer, "fetch", "p50_us", prefix="history", want=tip)
    bench.seconds = saved
    bench.row(f"full clone, {size / 1e6:.0f} MB: p50", f"{b / a:.2f}x", ">= 1.0x", f"{a / 1000:.0f} ms / {b / 1000:.0f} ms", b / a >= 1.0)


def creation_and_restart(bench, quorate):
    first = bench.run(quorate, "create", prefix="first", operations=1, seconds=30)["p50_us"] / 1000
    bench.run(quorate, "create", prefix="more", operations=998, seconds=300)
    last = bench.run(quorate, "create", prefix="last", operations=1, seconds=30)["p50_us"] / 1000
    bench.row("create a repository, first and 1,000th", f"{first:.1f}/{last:.1f} ms", "<= 20 ms", "", first <= 20 and last <= 20)
    quorate.kill()
    begin = time.monotonic()
    quorate.start()
    ready = quorate.ready_seconds
    bench.run(quorate, "push", prefix="more0-5", repositories=1, operations=1, prebuilt=1, tag=bench.new_tag())
    write = time.monotonic() - begin
    bench.row("start to /readyz with 1,000 repositories", f"{ready * 1000:.0f} ms", "<= 1 s", "after kill -9", ready <= 1)
    bench.row("first write after kill -9, from process start", f"{write * 1000:.0f} ms", "<= 500 ms", "driver's start included", write <= 0.5)


def memory(bench, quorate, folder, megabytes):
    idle = quorate.resident_bytes()
    git("init", "--quiet", "--initial-branch=main", str(folder))
    for i in range(megabytes // 50):
        (folder / f"noise{i}").write_bytes(os.urandom(50_000_000))
    git("-C", str(folder), "add", ".")
    git("-C", str(folder), "commit", "--quiet", "--message", "noise")
    quorate.create("heavy")
    push = subprocess.Popen(["git", "-C", str(folder), "push", "--quiet", f"{quorate.url}/heavy.git", "main"], env=dict(os.environ, no_proxy="*"))
    peak = idle
    while push.poll() is None:
        peak = max(peak, quorate.resident_bytes())
        time.sleep(0.05)
    if push.returncode:
        sys.exit("the heavy push failed")
    bench.row("resident memory, idle", f"{idle / 2**20:.0f} MiB", "<= 64 MiB", "", idle <= 64 * 2**20)
    bench.row(f"its growth while {megabytes} MB are pushed", f"{(peak - idle) / 2**20:.0f} MiB", "<= 150 MiB", "", peak - idle <= 150 * 2**20)


class Engine:
    """quorate-transactions: the engine in one process, each run in a folder of its own."""

    def __init__(self, binary, folder, rounds, seconds):
        self.binary, self.folder, self.rounds, self.seconds = binary, folder, rounds, seconds

    def run(self, work, folder=None, **options):
        place = tempfile.mkdtemp(prefix="engine.", dir=folder or self.folder)
        arguments = [self.binary, work, "--folder", place, "--seconds", str(self.seconds)]
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        try:
            done = subprocess.run(arguments, capture_output=True, text=True)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        if done.returncode:
            sys.exit(f"{' '.join(map(str, arguments))}: {done.stderr}")
        result = json.loads(done.stdout)
        if result.get("refused"):
            sys.exit(f"{' '.join(map(str, arguments))}: {result['refused']} transactions were refused")
        return result

    def medians(self, field, *runs):
        """Of each run (its work and options), alternating over the rounds."""
        found = [[] for _ in runs]
        for _ in range(self.rounds):
            for values, (work, options) in zip(found, runs):
                values.append(self.run(work, **options)[field])
        return [statistics.median(values) for values in found]


def engine_rows(bench, engine):
    # As many clients as writers of raw puts: 64 clients on 64 partitions are one for each, 512 are eight.
    for partitions, clients in ((1, 64), (64, 64), (64, 256), (64, 512)):
        options = {"partitions": partitions, "in_flight": clients}
        raw, *modes = engine.medians("rate", ("raw", {"in_flight": clients}),
                                     *(("commits", options | {"mode": mode}) for mode in ("local", "raft1", "raft3")))
        for mode, rate, target in zip(("local", "raft1", "raft3"), modes, (0.7, 0.7, 0.5)):
            bench.row(f"{clients} clients, {partitions} partitions, {mode}, against raw puts", f"{rate / raw:.2f}x", f">= {target}x",
                      f"{rate:.0f}/s / {raw:.0f}/s", rate / raw >= target)
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir():
        # As many in flight as keep the processors busy: no sync is waited for.
        for mode in ("local", "raft1"):
            (rate,) = engine.medians("rate", ("commits", {"folder": memory, "mode": mode, "in_flight": 256}))
            bench.row(f"transactions, 1 partition, {mode}, on a disk in memory", f"{rate:.0f}/s", ">= 50000/s", "", rate >= 50_000)
    few, many = engine.medians("begin_us", ("begin", {"refs": 10}), ("begin", {"refs": 1_000_000}))
    bench.row("Begin, 10 and 1,000,000 references", f"{few:.1f}/{many:.1f} us", "<= 20 us", "", max(few, many) <= 20)
    none, thousand = engine.medians("rate", ("commits", {"refs": 1000}), ("commits", {"refs": 1000, "reads": 1000}))
    bench.row("a read set of 1,000 references: cost against none", f"{none / thousand:.2f}x", "<= 2x", f"{thousand:.0f}/s / {none:.0f}/s",
              none / thousand <= 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with quorate and quorate-load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--refs", type=int, default=1_000_000, help="of the repository with many references")
    parser.add_argument("--clone-megabytes", type=int, default=70)
    parser.add_argument("--push-megabytes", type=int, default=500)
    parser.add_argument("--only", default="", help="comma-separated: push, syncs, modes, lsrefs, manyrefs, fetch, create, memory, engine")
    parser.add_argument("--folder", type=pathlib.Path, help="where the data goes: a disk whose fsync is real (default: a temporary folder)")
    parser.add_argument("--json", type=pathlib.Path, help="also write the rows here")
    arguments = parser.parse_args()

    only = set(filter(None, arguments.only.split(",")))
    wanted = lambda name: not only or name in only
    folder = pathlib.Path(tempfile.mkdtemp(prefix="quorate-bench.", dir=arguments.folder))
    binary = arguments.build / "src/server/quorate"
    bench = Bench(arguments.build / "bench/quorate-load", arguments.rounds, arguments.seconds)
    servers = []
    try:
        def quorate(name, mode="raft"):
            servers.append(Quorate(binary, folder / name, mode))
            return servers[-1]

        print(f"{'work':<58} {'value':>12}  {'target':<12} {'':<7} quorate / peer")
        if wanted("memory"):
            memory(bench, quorate("memory"), folder / "noise", arguments.push_megabytes)
            servers.pop().stop()
        if wanted("create"):
            creation_and_restart(bench, quorate("creation"))
            servers.pop().stop()
        if wanted("engine"):
            engine_rows(bench, Engine(arguments.build / "bench/quorate-transactions", folder, arguments.rounds, arguments.seconds))
        main_server = quorate("main")
        servers.append(HttpBackend(folder / "peer"))
        peer = servers[-1]
        if wanted("lsrefs"):
            ls_refs(bench, main_server, peer)
        if wanted("push"):
            small_pushes(bench, main_server, peer)
        if wanted("syncs"):
            syncs_per_push(bench, main_server)
        if wanted("modes"):
            raft_against_local(bench, main_server, quorate("local", "local"))
        if wanted("fetch"):
            fetches(bench, main_server, peer, folder / "history", arguments.clone_megabytes)
        if wanted("manyrefs"):
            many_refs(bench, main_server, arguments.refs)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(bench.rows, indent=1) + "\n")
    missed = [row["work"] for row in bench.rows if row["met"] is False]
    print(f"\n{len(bench.rows) - len(missed)} of {len(bench.rows)} targets met" + "".join(f"\nmissed: {work}" for work in missed))


if __name__ == "__main__":
    main()
