#!/usr/bin/env bash
# Consumers: a repository's changes are followed over restarts, the log keeps what they need and no more, and one that is
# stuck is cut off without holding up a push.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

repo() { "$QUORATE" repo "$@" --server "$url"; }
follow() { repo follow r --consumer "$1" --once; }
# The references of lines of changes, one a line.
refs() { python3 -c 'import json, sys
for line in sys.stdin:
    for ref in json.loads(line)["refs"]: print(ref["ref"])'; }
push() { test_commit a "$1" && git -C a push --quiet "$url/r.git" "HEAD:refs/heads/$1"; }

printf '[limits]\nconsumer_entries = 20\n' >"$work/config.toml"
start_server --config "$work/config.toml" || exit 1

test_expect_success 'a consumer reads what is committed after it was made, once it is acknowledged never again' '
  git init --quiet a && push before && repo consumer create r mirror && push one && push two &&
  follow mirror >out && refs <out >names && printf "refs/heads/one\nrefs/heads/two\n" | cmp - names &&
  python3 -c "import json; c = json.loads(open(\"out\").readline()); assert c[\"refs\"][0][\"old\"] is None and c[\"actor\"] == \"127.0.0.1\", c" &&
  follow mirror >out && same "$(cat out)" ""'

test_expect_success 'what was not acknowledged is read again after kill -9' '
  push three && curl --silent --fail "$url/api/v1/repositories/r/changes?consumer=mirror" | refs >names &&
  same "$(cat names)" refs/heads/three && kill_server && start_server --config "$work/config.toml" &&
  same "$(follow mirror | refs)" refs/heads/three && kill_server && start_server --config "$work/config.toml" &&
  same "$(follow mirror)" ""'

test_expect_success 'follow waits for what comes' '
  repo consumer create r waiter && { "$QUORATE" repo follow r --server "$url" --consumer mirror >live & } && follower=$! &&
  { curl --silent --fail "$url/api/v1/repositories/r/changes?consumer=waiter&wait=20" >waited & } && waiter=$! &&
  push four && wait $waiter && same "$(refs <waited)" refs/heads/four &&
  for try in $(seq 200); do grep --quiet four live && break; sleep 0.05; done; kill $follower; wait $follower; grep four live &&
  repo consumer remove r waiter'

test_expect_success 'two that read have positions of their own' '
  repo consumer create r other && push five && same "$(follow other | refs)" refs/heads/five &&
  repo consumer list r | grep "^mirror .* follows" && same "$(follow mirror | refs)" refs/heads/five &&
  repo consumer remove r other && test_must_fail follow other 2>err && grep "no consumer other" err &&
  test_must_fail repo consumer create r mirror 2>err && grep "exists already" err'

test_expect_success 'one that is stuck is cut off, told so, and pushes go on' '
  repo consumer create r stuck && for i in $(seq 25); do git -C a push --quiet "$url/r.git" "HEAD:refs/heads/s$i" || return 1; done &&
  for try in $(seq 300); do repo consumer list r | grep --quiet "^stuck.*cut off, lost" && break; sleep 0.05; done &&
  repo consumer list r | grep "^stuck.*cut off, lost [0-9]* to [0-9]*" && test_must_fail follow stuck 2>err && grep "entries [0-9]* to [0-9]* are lost" err &&
  same "$(curl --silent --output gone --write-out "%{http_code}" "$url/api/v1/repositories/r/changes?consumer=stuck")" 410 && grep lost_first gone &&
  grep "consumer cut off" "$work/server.log" && same "$(metric quorate_consumers_cut_off_total)" 2 &&
  repo consumer create r stuck && push six && same "$(follow stuck | refs)" refs/heads/six'

test_expect_success 'inspect shows the marks, the consumers and the remembered ids' '
  stop_server && "$QUORATE" inspect "$data" >out && grep "low-water marks: applied [0-9]*, objects durable [0-9]*, consumer stuck [0-9]*; truncated" out &&
  grep "consumer mirror was cut off" out && grep "transaction ids: [0-9]* remembered, all from 6 on" out &&
  "$QUORATE" inspect "$data" log >out && grep "consumer stuck created" out && grep "consumer stuck cut off" out'

test_done
