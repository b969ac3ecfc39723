#!/usr/bin/env bash
# What became of a push whose answer was lost: asked by its transaction's id, and tried again with it.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

# shellcheck disable=SC2034  # Bodies use them.
id=00112233445566778899aabbccddeeff other=ffeeddccbbaa99887766554433221100
named() { git -C a -c http.extraHeader="Quorate-Transaction: $1" "${@:2}"; }
txn() { "$QUORATE" repo txn r "$1" --server "$url" "${@:2}"; }
field() { txn "$1" --json | python3 -c "import json, sys; print(json.load(sys.stdin)[\"$2\"])"; }

start_server || exit 1

test_expect_success 'before anything was pushed, nothing is known of it' '
  git init --quiet a && test_commit a one && "$QUORATE" repo create r --server "$url" &&
  same "$(field $id state)" not_found && txn $id | grep "not committed" &&
  test_must_fail "$QUORATE" repo txn r nonsense --server "$url" 2>err && grep "32 hexadecimal" err'

test_expect_success 'the server dies between the commit and the answer; afterwards it says that the push took place' '
  stop_server && printf "[unsafe]\nfault_points = \"http.after_commit_before_report=crash\"\n" >faults.toml &&
  start_server --config faults.toml && test_must_fail named $id push --quiet "$url/r.git" main &&
  wait_for_server_death && start_server &&
  same "$(field $id state)" committed && txn $id | grep "committed at [0-9]*, 20.*, by 127.0.0.1" &&
  same "$(remote_ref r refs/heads/main)" "$(git -C a rev-parse main)"'

test_expect_success 'tried again with the same id it is not done twice, and answered as the first time' '
  lsn=$(field $id lsn) && first=$(git -C a rev-parse main) && test_commit a two &&
  git -C a push --quiet "$url/r.git" main && second=$(git -C a rev-parse main) &&
  GIT_TRACE_CURL=$PWD/trace named $id push --force "$url/r.git" "$first:refs/heads/main" &&
  same "$(remote_ref r refs/heads/main)" "$second" && grep -i "Quorate-Lsn: $lsn" trace &&
  same "$("$QUORATE" repo log r --server "$url" | wc -l)" 2'

test_expect_success 'a refused push is known by its reason, and may be tried again with its id' '
  test_must_fail named $other push --quiet "$url/r.git" :refs/heads/main 2>err &&
  same "$(field $other state)" aborted && txn $other | grep "deletion of the current branch" &&
  test_commit a three && named $other push --quiet "$url/r.git" main && same "$(field $other state)" committed'

test_expect_success 'a push option names it, too' '
  option=0123456789abcdef0123456789abcdef && test_commit a four &&
  git -C a push --quiet -o transaction=$option "$url/r.git" main && same "$(field $option state)" committed &&
  test_must_fail git -C a push --quiet -o transaction=short "$url/r.git" main:refs/heads/x'

test_expect_success 'a name that is none leaves no repository behind' '
  test_must_fail git -C a push --quiet -o transaction=short "$url/new.git" main &&
  same "$("$QUORATE" repo list --server "$url")" r'

test_expect_success 'every push is told its id' '
  test_commit a five && GIT_TRACE_CURL=$PWD/trace2 git -C a push --quiet "$url/r.git" main &&
  drawn=$(sed -n "s/.*Quorate-Transaction: \([0-9a-f]*\).*/\1/p" trace2 | head -n 1) && same "$(field "$drawn" state)" committed'

stop_server
test_done
