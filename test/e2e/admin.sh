#!/usr/bin/env bash
# The command line, the admin API, health, metrics, and how the server starts and stops.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

start_server || exit 1

exit_code() {
  local status=0
  "$@" || status=$?
  printf '%d' "$status"
}

test_expect_success '--help everywhere, --version' '
  "$QUORATE" --help | grep serve && "$QUORATE" repo create --help | grep object-format &&
  "$QUORATE" --version | grep "^quorate [0-9]"'

test_expect_success 'usage errors exit 2, failures exit 1 with one line' '
  same "$(exit_code "$QUORATE" no-such-command 2>/dev/null)" 2 &&
  same "$(exit_code "$QUORATE" repo create 2>/dev/null)" 2 &&
  same "$(exit_code "$QUORATE" serve --data d --http nonsense 2>err)" 2 && grep nonsense err &&
  same "$(exit_code "$QUORATE" repo info nowhere --server "$url" 2>err)" 1 && same "$(wc -l <err)" 1'

test_expect_success 'create, list, info, delete' '
  "$QUORATE" repo create team/tool --server "$url" && "$QUORATE" repo list --server "$url" >out &&
  same "$(cat out)" team/tool && "$QUORATE" repo info team/tool --server "$url" | grep sha1 &&
  test_must_fail "$QUORATE" repo create team/tool --server "$url" &&
  "$QUORATE" repo delete team/tool --server "$url" && test_must_fail git ls-remote "$url/team/tool.git" &&
  same "$("$QUORATE" repo list --server "$url")" ""'

test_expect_success 'a name can be used again after its deletion' '
  git init --quiet a && test_commit a one && git -C a push --quiet "$url/again.git" main &&
  "$QUORATE" repo delete again --server "$url" && "$QUORATE" repo create again --server "$url" &&
  same "$(git ls-remote "$url/again.git")" ""'

test_expect_success 'bad names are refused' '
  for name in "" / a//b ../x a/../b .hidden a/.b a.git x.lock -dash "a b" api/x; do
    test_must_fail "$QUORATE" repo create --server "$url" -- "$name" 2>/dev/null || return 1
  done'

test_expect_success 'repo log tells who moved what' '
  test_commit a two && git -C a push --quiet "$url/logged.git" HEAD~1:refs/heads/x &&
  git -C a push --quiet "$url/logged.git" HEAD:refs/heads/x && git -C a push --quiet "$url/logged.git" :refs/heads/x &&
  same "$("$QUORATE" repo log logged --server "$url" | wc -l)" 3'

test_expect_success 'cluster status in the shape of the contract' '
  "$QUORATE" cluster status --server "$url" --json | python3 -c "
import json, sys
status = json.load(sys.stdin)
node = status[\"nodes\"][0]
assert node[\"id\"] == 1 and node[\"alive\"] is True and node[\"http\"] and node[\"peer\"], node
meta = [p for p in status[\"partitions\"] if p[\"id\"] == 1][0]
assert meta[\"leader\"] == 1 and meta[\"voters\"] == [1] and meta[\"learners\"] == [] and meta[\"applied\"] > 5 and meta[\"fenced\"] is False, meta
assert any(\"logged\" in p[\"repositories\"] for p in status[\"partitions\"]), status
"'

test_expect_success 'health and metrics' '
  curl --silent --fail "$url/livez" && curl --silent --fail "$url/readyz" &&
  curl --silent "$url/metrics" >out && grep "^# TYPE quorate_" out && grep -c "^quorate_" out &&
  test "$(metric quorate_pushes_total)" -ge 4'

# What the directory of repositories has applied.
meta_applied() {
  "$QUORATE" cluster status --server "$url" --json |
    python3 -c 'import json, sys; print([p for p in json.load(sys.stdin)["partitions"] if p["id"] == 1][0]["applied"])'
}
meta_is_at() { test "$(meta_applied)" -ge "$1"; }

# The first push creates the repository: two entries of the directory, the second one behind its answer.
test_expect_success 'one small push is one fsync and no process' '
  before=$(meta_applied) && git -C a push --quiet "$url/cost.git" HEAD~1:refs/heads/main && eventually meta_is_at $((before + 2)) &&
  syncs=$(metric quorate_log_syncs_total) && children=$(metric quorate_git_children_started_total) &&
  git -C a -c protocol.version=2 push --quiet "$url/cost.git" HEAD:refs/heads/main &&
  same "$(metric quorate_git_children_started_total)" "$children" &&
  same "$(($(metric quorate_log_syncs_total) - syncs))" 1'

test_expect_success 'a second server on the same directory says so and exits 1' '
  same "$(exit_code "$QUORATE" serve --data "$data" --http 127.0.0.1:0 --peer 127.0.0.1:0 2>err)" 1 &&
  same "$(wc -l <err)" 1 && grep -i "in use" err'

test_expect_success 'it refuses to listen openly' '
  same "$(exit_code "$QUORATE" serve --data "$work/open" --http 0.0.0.0:0 2>err)" 1 && grep insecure err'

test_expect_success 'a bad configuration ends it with one clear line' '
  printf "[limits]\nconections = 4\n" >bad.toml &&
  same "$(exit_code "$QUORATE" serve --data "$work/bad" --config bad.toml 2>err)" 1 && grep limits.connections err'

test_expect_success 'inspect refuses a running node and shows a stopped one' '
  test_must_fail "$QUORATE" inspect "$data" 2>err && grep -i "in use" err && stop_server &&
  "$QUORATE" inspect "$data" >out && grep logged out && "$QUORATE" inspect "$data" log >out && grep refs/heads/x out &&
  "$QUORATE" inspect "$data" state >out && grep -i applied out && start_server'

push_was_indexed() { curl --silent "$url/metrics" | grep --quiet '^quorate_push_stage_seconds_count{stage="index"} [1-9]'; }

test_expect_success 'SIGTERM while a push is under way: the client sees no error' '
  stop_server && printf "[unsafe]\nfault_points = \"txn.before_append=delay:2000\"\n" >slow.toml && start_server --config slow.toml &&
  test_commit a drain && { git -C a push --quiet "$url/logged.git" HEAD:refs/heads/drain & } && push=$! && eventually push_was_indexed &&
  stop_server && wait $push && start_server &&
  same "$(remote_ref logged refs/heads/drain)" "$(git -C a rev-parse HEAD)"'

test_expect_success 'completion scripts parse' '
  "$QUORATE" completion bash >c.bash && bash -n c.bash && grep "repo create" c.bash && "$QUORATE" completion zsh >/dev/null'

test_done
