#!/usr/bin/env bash
# kill -9 at every fault point between receive and apply, and at random, under concurrent pushes. Afterwards every
# acknowledged push is there, nothing unacknowledged is half there, and no quarantine is left.
# usage: crash.sh [ROUNDS]     rounds at random moments, beside one at each fault point (default 3)
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

rounds=${1:-3}
pushers=4
commits=400  # More than a round can push.
RANDOM=${QUORATE_SEED:-1}
printf '# seed %d\n' "${QUORATE_SEED:-1}"

points=(
  http.after_receive http.before_commit http.after_commit_before_report
  txn.before_append txn.after_append txn.before_ack txn.before_apply txn.after_install txn.after_apply
  raft.before_persist raft.after_persist log.before_write log.after_write
  git.before_install git.install_between_files git.after_install
)
side_points=(git.before_persist git.persist_between_files git.after_persist)

# One linear history that all pushers push, each to its own branch, commit by commit. The ids are known beforehand, so
# that the checker needs no git.
prepare() {
  git init --quiet src
  local i
  for ((i = 1; i <= commits; i++)); do
    printf 'blob\nmark :%d\ndata <<X\ntext %d\nX\n' "$((2 * i))" "$i"
    printf 'commit refs/heads/main\nmark :%d\ncommitter C <c@example.org> %d +0000\ndata <<X\nc%d\nX\n' \
      "$((2 * i + 1))" "$((1700000000 + i))" "$i"
    printf 'M 100644 :%d file%d\n' "$((2 * i))" "$((i % 10))"
  done | git -C src fast-import --quiet
  git -C src rev-list --reverse main >ids
  head -c 400000 /dev/urandom >large
}

# Pushes commits $2.. of ids one after another to branch p$1 of repository r$(($1 % 2)), noting attempts and acknowledgements.
pusher() {
  local n=$1 id
  tail -n "+$2" ids | while read -r id; do
    echo "$id" >>"try.$n"
    git -C src push --quiet "$url/r$((n % 2)).git" "+$id:refs/heads/p$n" 2>>"push.log" || break
    echo "$id" >>"ack.$n"
  done
}

line_of() { grep -n --max-count=1 "$1" ids | cut -d: -f1; }

# What the server has of branch p$1 lies between the last acknowledged and the last attempted commit.
check_pusher() {
  local n=$1 value acked=0 tried=0 found=0
  [[ -s ack.$n ]] && acked=$(line_of "$(tail -n 1 "ack.$n")")
  [[ -s try.$n ]] && tried=$(line_of "$(tail -n 1 "try.$n")")
  value=$(remote_ref "r$((n % 2))" "refs/heads/p$n")
  [[ -n $value ]] && found=$(line_of "$value")
  if ((found < acked || found > tried)); then
    printf 'branch p%d: acknowledged %d, attempted %d, found %d (%s)\n' "$n" "$acked" "$tried" "$found" "$value" >&2
    return 1
  fi
}

check_all() {
  local n r
  for ((n = 1; n <= pushers; n++)); do
    check_pusher "$n" || return 1
  done
  for r in 0 1; do
    if [[ -n $(git ls-remote "$url/r$r.git") ]]; then
      rm -rf check && git clone --quiet --mirror "$url/r$r.git" check && git -C check fsck --strict 2>&1 || return 1
    fi
  done
  same "$(find "$data/partitions" -path '*/incoming/*' | wc -l)" 0
}

# round SPECIFICATION SECONDS: pushes until the fault point ends the server, or for SECONDS and then kill -9.
round() {
  local n from jobs=()
  [[ -n $server_pid ]] && kill_server
  printf '[unsafe]\nfault_points = "%s"\n' "$1" >faults.toml
  start_server --config faults.toml || return 1
  for ((n = 1; n <= pushers; n++)); do
    from=1
    [[ -s try.$n ]] && from=$(($(line_of "$(tail -n 1 "try.$n")") + 1))
    pusher "$n" "$from" &
    jobs+=($!)
  done
  if [[ -n $1 ]]; then
    wait_for_server_death || return 1
  else
    sleep "$2"
    kill_server
  fi
  wait "${jobs[@]}"
  start_server || return 1
  check_all || return 1
  stop_server
}

test_expect_success 'a history to push' 'prepare'

for point in "${points[@]}"; do
  test_expect_success "kill -9 at $point" 'round "$point=crash@$((RANDOM % 12 + 2))" 0'
done

# Packs stored beside the log pass other points.
large_round() {
  [[ -n $server_pid ]] && kill_server
  printf '[unsafe]\nfault_points = "%s"\n' "$1" >faults.toml
  start_server --config faults.toml || return 1
  rm -rf large.git && git init --quiet --bare large.git
  local blob tree commit
  head -c 400000 /dev/urandom >large
  blob=$(git -C large.git hash-object -w --stdin <large)
  tree=$(printf '100644 blob %s\tlarge\n' "$blob" | git -C large.git mktree)
  commit=$(git -C large.git commit-tree -m large "$tree")
  # Points behind the commit may let the acknowledgement out first; then it binds.
  local acknowledged=
  git -C large.git push --quiet "$url/large.git" "$commit:refs/heads/$2" && acknowledged=$commit
  wait_for_server_death || return 1
  start_server || return 1
  if [[ -n $acknowledged ]]; then
    same "$(remote_ref large "refs/heads/$2")" "$commit" || return 1
  fi
  same "$(find "$data/partitions" -path '*/incoming/*' | wc -l)" 0 || return 1
  git -C large.git push --quiet "$url/large.git" "$commit:refs/heads/$2" || return 1
  rm -rf check && git clone --quiet --mirror "$url/large.git" check && git -C check fsck --strict || return 1
  same "$(remote_ref large "refs/heads/$2")" "$commit" || return 1
  stop_server
}
# Applying passes its points for the leaders' first entries too: of meta (1), then of the repository (2).
for point in "${side_points[@]/%/@1}" txn.after_append@1 txn.before_apply@3 txn.after_install@1 git.install_between_files@1; do
  test_expect_success "kill -9 at ${point%@*} while a large pack comes in" \
    'large_round "${point/@/=crash@}" "b-${point//[.@]/-}"'
done

for ((i = 1; i <= rounds; i++)); do
  test_expect_success "kill -9 at random, $i of $rounds" \
    'round "" "$(awk -v r=$RANDOM "BEGIN { print 0.2 + r / 32768 * 1.5 }")"'
done

test_done
