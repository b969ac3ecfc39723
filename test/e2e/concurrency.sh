#!/usr/bin/env bash
# Many clients at once: to one reference exactly one wins and the others hear why; to different references all win.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

start_server || exit 1
clients=8

# race REF_PATTERN: every client pushes its own commit at once; $wins counts those that succeeded.
race() {
  local i pids=()
  wins=0
  for ((i = 1; i <= clients; i++)); do
    # Raw commands with the same old value: stock clients would fetch the advertisement one after another.
    git -C src push "$url/r.git" "c$i:${1//%/$i}" >"push.$i" 2>&1 &
    pids+=($!)
  done
  for ((i = 1; i <= clients; i++)); do
    if wait "${pids[i - 1]}"; then
      ((wins++))
      echo 0 >"status.$i"
    else
      echo 1 >"status.$i"
    fi
  done
}

test_expect_success 'commits to race with' '
  git init --quiet src && test_commit src base && git -C src push --quiet "$url/r.git" main &&
  for ((i = 1; i <= clients; i++)); do
    git -C src checkout --quiet -B c$i main && test_commit src file$i || return 1
  done'

for round in 1 2 3; do
  test_expect_success "one reference created by all at once: exactly one wins ($round)" '
    race refs/heads/race-'$round' && same "$wins" 1 && value=$(remote_ref r refs/heads/race-'$round') &&
    for ((i = 1; i <= clients; i++)); do
      if test "$(cat status.$i)" = 0; then same "$value" "$(git -C src rev-parse c$i)" || return 1
      else grep -E "rejected|failed" push.$i || return 1; fi
    done'
done

test_expect_success 'different references: all win' '
  race refs/heads/own-% && same "$wins" "$clients" && for ((i = 1; i <= clients; i++)); do
    same "$(remote_ref r refs/heads/own-$i)" "$(git -C src rev-parse c$i)" || return 1
  done'

test_expect_success 'first pushes to one new repository: all win' '
  for ((i = 1; i <= clients; i++)); do git -C src push --quiet "$url/new.git" c$i:refs/heads/c$i & pids[i]=$!; done &&
  for ((i = 1; i <= clients; i++)); do wait ${pids[i]} || return 1; done &&
  same "$(git ls-remote "$url/new.git" "refs/heads/*" | wc -l)" "$clients" && git clone --quiet --mirror "$url/new.git" new && git -C new fsck --strict'

test_expect_success 'readers never see an atomic push half done' '
  git -C src push --quiet "$url/atomic.git" main:refs/heads/x main:refs/heads/y &&
  { for ((i = 1; i <= clients; i++)); do git -C src push --quiet --atomic --force "$url/atomic.git" c$i:refs/heads/x c$i:refs/heads/y || exit 1; done & } &&
  pusher=$! && looks=0 && while kill -0 $pusher 2>/dev/null; do
    values=$(git ls-remote "$url/atomic.git" "refs/heads/*" | cut -f1 | sort -u | wc -l) && same "$values" 1 && ((++looks)) || return 1
  done && wait $pusher && test $looks -gt 0'

test_expect_success 'fetches while pushes run see whole histories' '
  { for ((i = 1; i <= 40; i++)); do git -C src commit --quiet --allow-empty --message run-$i && git -C src push --quiet "$url/r.git" HEAD:refs/heads/run || exit 1; done & } &&
  pusher=$! && n=0 && while kill -0 $pusher 2>/dev/null; do
    rm -rf seen && git clone --quiet --mirror "$url/r.git" seen && git -C seen fsck --strict && ((++n)) || return 1
  done && wait $pusher && test $n -gt 0'

test_done
