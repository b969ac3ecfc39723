# Sourced by every end-to-end test: real git against a real server on a loopback port that the kernel picks.
#
#   test_expect_success 'what holds' 'commands'    commands run in the test's own directory, with set -e
#   test_must_fail COMMAND...                       fails, but by exit code, not by a signal
#   start_server [options of quorate serve]; stop_server; kill_server; $url, $server_pid, $data
#
# The binary is $QUORATE (default: the debug build). With VERBOSE=1 the commands' output is shown.
# shellcheck shell=bash

set -uo pipefail

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
QUORATE=${QUORATE:-$source_dir/build/dev/src/server/quorate}
work=$(mktemp -d "${TMPDIR:-/tmp}/quorate-e2e.XXXXXX")
data=$work/data
server_pid=
passed=0
failed=0
count=0

# Nothing of the machine's or the user's Git configuration may leak in.
export HOME=$work/home XDG_CONFIG_HOME=$work/home GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 LC_ALL=C
export GIT_AUTHOR_NAME=Author GIT_AUTHOR_EMAIL=author@example.org
export GIT_COMMITTER_NAME=Committer GIT_COMMITTER_EMAIL=committer@example.org
export NO_PROXY='*' no_proxy='*'
mkdir -p "$HOME"
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global protocol.version 2

cleanup() {
  [[ -n $server_pid ]] && kill -KILL "$server_pid" 2>/dev/null
  if ((failed)) || [[ -n ${KEEP:-} ]]; then
    printf 'kept: %s\n' "$work" >&2
  else
    rm -rf "$work"
  fi
}
trap cleanup EXIT

# Starts the server on $data and waits until it is ready; $url is then its address.
start_server() {
  : >"$work/server.out"
  "$QUORATE" serve --data "$data" --http 127.0.0.1:0 --peer 127.0.0.1:0 "$@" \
    >"$work/server.out" 2>>"$work/server.log" &
  server_pid=$!
  local tries
  for ((tries = 0; tries < 2400; tries++)); do
    url=$(sed -n 's/^quorate: serving \(http:[^ ]*\).*/\1/p' "$work/server.out")
    if [[ -n $url ]] && curl --silent --fail --output /dev/null "$url/readyz"; then
      return 0
    fi
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.025
  done
  printf 'the server did not become ready\n' >&2
  tail -n 20 "$work/server.log" >&2
  return 1
}

# SIGTERM, and waits for a clean end; its exit status is returned.
stop_server() {
  local status=0
  kill -TERM "$server_pid"
  wait "$server_pid" || status=$?
  server_pid=
  return "$status"
}

kill_server() {
  kill -KILL "$server_pid" 2>/dev/null
  wait "$server_pid" 2>/dev/null
  server_pid=
  return 0
}

# Waits for a server that a fault point will end; fails, and ends it, if it still lives after half a minute.
wait_for_server_death() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    if ! kill -0 "$server_pid" 2>/dev/null; then
      wait "$server_pid" 2>/dev/null
      server_pid=
      return 0
    fi
    sleep 0.05
  done
  printf 'the server passed its fault point alive\n' >&2
  kill_server
  return 1
}

test_expect_success() {
  local title=$1 commands=$2 log=$work/test.out status=0
  ((count++))
  mkdir -p "$work/trash"
  # In this shell, so that variables and the server's pid survive; a subshell for errexit's sake would lose them.
  pushd "$work/trash" >/dev/null || exit 1
  exec 7>&1 8>&2
  if [[ -n ${VERBOSE:-} ]]; then
    run_body "$commands" || status=$?
  else
    run_body "$commands" >"$log" 2>&1 || status=$?
  fi
  exec 7>&- 8>&-
  popd >/dev/null || exit 1
  if ((status == 0)); then
    ((passed++))
    printf 'ok %d - %s\n' "$count" "$title"
  else
    ((failed++))
    printf 'not ok %d - %s (exit %d)\n' "$count" "$title" "$status"
    [[ -n ${VERBOSE:-} ]] || sed 's/^/#   /' "$log"
  fi
}

# Joins the lines with &&, as in Git's own tests: the first failing command ends the body.
run_body() {
  local body_failed=0
  eval "$1" || body_failed=$?
  return "$body_failed"
}

test_must_fail() {
  local status=0
  "$@" || status=$?
  if ((status == 0)); then
    printf 'should have failed: %s\n' "$*" >&2
    return 1
  fi
  if ((status > 128)); then
    printf 'died of signal %d: %s\n' "$((status - 128))" "$*" >&2
    return 1
  fi
}

# test_commit DIR FILE [TEXT]: one more commit in DIR.
test_commit() {
  printf '%s\n' "${3:-$2}" >"$1/$2" && git -C "$1" add "$2" && git -C "$1" commit --quiet --message "$2"
}

# same OBJECT_OR_TEXT OBJECT_OR_TEXT
same() {
  [[ $1 == "$2" ]] || {
    printf 'expected: %s\n   found: %s\n' "$2" "$1" >&2
    return 1
  }
}

# remote_ref NAME REF: what the server says REF is.
remote_ref() { git ls-remote "$url/$1.git" "$2" | cut -f1 | head -n 1; }

# eventually COMMAND...: again and again until it succeeds, for about ten seconds.
eventually() {
  local attempt
  for attempt in $(seq 100); do
    "$@" && return 0
    sleep 0.1
  done
  echo "still failing after $attempt attempts: $*" >&2
  return 1
}

# metric NAME: the sum over all labels.
metric() {
  curl --silent "$url/metrics" |
    awk -v name="$1" '$1 ~ "^" name "([{]|$)" { sum += $2; found = 1 } END { if (!found) exit 1; print sum + 0 }' ||
    { echo "no metric $1" >&2; return 1; }
}

# A server built with a sanitizer says what it found on stderr, perhaps while it is being killed.
no_sanitizer_reports() {
  ! grep --no-messages --after-context=40 -E 'ERROR: .*Sanitizer|WARNING: ThreadSanitizer|runtime error:' \
    "$work/server.log" >&2
}

test_done() {
  no_sanitizer_reports || ((failed++))
  printf '1..%d\n%s: %d passed, %d failed\n' "$count" "$(basename "$0" .sh)" "$passed" "$failed"
  ((failed == 0))
  exit
}
