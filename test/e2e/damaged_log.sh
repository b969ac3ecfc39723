#!/usr/bin/env bash
# Damage in the middle of the write-ahead log: nothing opens by itself, and an operator can open up to there.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

start_server || exit 1

newest_log() { find "$data" -name '*.log' -size +0 -path '*db*' | sort | tail -n 1; }

# Changes one byte of FILE, a third of the way from its begin.
damage() {
  local at=$(($(stat --format %s "$1") / 3))
  local byte
  byte=$(od --address-radix n --skip-bytes "$at" --read-bytes 1 --format u1 "$1" | tr --delete ' ')
  printf '%b' "\\x$(printf '%x' $((byte ^ 255)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

test_expect_success 'pushes, and the end of the process' '
  git init --quiet a && for i in $(seq 12); do
    test_commit a "f$i" && git -C a push --quiet "$url/r.git" "HEAD:refs/heads/b$i" || return 1
  done && kill_server'

test_expect_success 'with damage before good records it does not start, and says why' '
  cp -r "$data" "$data.whole" && damage "$(newest_log)" &&
  test_must_fail "$QUORATE" serve --data "$data" --http 127.0.0.1:0 --peer 127.0.0.1:0 2>err && cat err && grep -i corrupt err'

test_expect_success 'an operator opens it up to the damage' '
  start_server --accept-damaged-wal && grep "opening whatever" "$work/server.log" &&
  git ls-remote "$url/r.git" >refs && test "$(wc -l <refs)" -lt 12 && test "$(wc -l <refs)" -gt 0'

test_expect_success 'what is there is whole, and it takes pushes again' '
  git clone --quiet --mirror "$url/r.git" c && git -C c fsck --strict &&
  test_commit a more && git -C a push --quiet "$url/r.git" HEAD:refs/heads/more'

test_expect_success 'it starts as usual afterwards' '
  stop_server && start_server && same "$(remote_ref r refs/heads/more)" "$(git -C a rev-parse HEAD)" && stop_server'

test_expect_success 'the copy without damage has everything' '
  rm -r "$data" && mv "$data.whole" "$data" && start_server &&
  same "$(git ls-remote "$url/r.git" "refs/heads/*" | wc -l)" 12'

test_done
