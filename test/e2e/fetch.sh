#!/usr/bin/env bash
# Small fetches, which are answered in process, by stock git; the same with that switched off.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

# by memory|process: how many fetches were answered so.
by() {
  curl --silent "$url/metrics" | awk -v name="quorate_fetches_total{by=\"$1\"}" '$1 == name { print $2 + 0 }'
}

# in_process COMMAND...: it succeeds, answered in process.
in_process() {
  local memory processes
  memory=$(by memory)
  processes=$(by process)
  "$@" && test "$(by memory)" -gt "$memory" && same "$(by process)" "$processes"
}

# sound DIR: git finds nothing to complain about.
sound() { git -C "$1" fsck --strict --no-dangling && git -C "$1" rev-list --objects --all >/dev/null; }

start_server || exit 1

test_expect_success 'a history to work with' '
  git init --quiet src && mkdir -p src/deep/down && for i in $(seq 1 5); do test_commit src "deep/down/file$i" || return 1; done &&
  git -C src push --quiet "$url/p.git" main && git -C src remote add origin "$url/p.git"'

test_expect_success 'a small clone needs no process' '
  in_process git clone --quiet "$url/p.git" dst && sound dst &&
  same "$(git -C dst rev-parse HEAD)" "$(git -C src rev-parse HEAD)"'

test_expect_success 'a pull after each of several pushes' '
  for i in $(seq 1 5); do
    test_commit src "deep/down/file$i" "changed $i" && git -C src push --quiet origin main &&
    in_process git -C dst pull --quiet --ff-only && sound dst &&
    same "$(git -C dst rev-parse HEAD)" "$(git -C src rev-parse HEAD)" || return 1
  done'

test_expect_success 'an annotated tag comes with its commit, in one fetch' '
  test_commit src tagged && git -C src tag --annotate --message t v1 && git -C src push --quiet origin main v1 &&
  before=$(by memory) && in_process git -C dst fetch --quiet && same "$(by memory)" $((before + 1)) && sound dst &&
  same "$(git -C dst rev-parse v1)" "$(git -C src rev-parse v1)"'

test_expect_success 'a tag of an old commit, and a tag of a tag' '
  git -C src tag --annotate --message t old HEAD~3 && git -C src tag --annotate --message t nested v1 2>/dev/null &&
  git -C src push --quiet origin old nested && in_process git -C dst fetch --quiet --tags && sound dst &&
  same "$(git -C dst rev-parse old nested)" "$(git -C src rev-parse old nested)"'

test_expect_success 'several branches at once, a merge among them' '
  git -C src checkout --quiet -b one HEAD~2 && test_commit src one && git -C src checkout --quiet -b two main~4 &&
  test_commit src two && git -C src checkout --quiet main && git -C src merge --quiet --no-edit one two &&
  git -C src push --quiet origin main one two && in_process git -C dst fetch --quiet && sound dst &&
  for b in main one two; do same "$(git -C dst rev-parse "origin/$b")" "$(git -C src rev-parse "$b")" || return 1; done'

test_expect_success 'a client with commits of its own' '
  git -C dst merge --quiet --ff-only origin/main && test_commit dst mine &&
  test_commit src theirs && git -C src push --quiet origin main &&
  in_process git -C dst pull --quiet --rebase && sound dst && git -C dst push --quiet origin main &&
  in_process git -C src pull --quiet origin main && sound src && same "$(git -C dst rev-parse HEAD)" "$(git -C src rev-parse HEAD)"'

test_expect_success 'a branch that was rewound and goes elsewhere' '
  git -C src reset --quiet --hard HEAD~2 && test_commit src elsewhere && git -C src push --quiet --force origin main &&
  in_process git -C dst fetch --quiet && sound dst &&
  same "$(git -C dst rev-parse origin/main)" "$(git -C src rev-parse main)"'

test_expect_success 'submodules, links, empty commits, and names that differ in kind' '
  git -C src update-index --add --cacheinfo "160000,$(git -C src rev-parse HEAD),module" &&
  ln -s one src/link && git -C src add link && git -C src commit --quiet --message kinds &&
  git -C src commit --quiet --allow-empty --message empty &&
  git -C src rm --quiet -r deep/down && test_commit src deep && git -C src push --quiet origin main &&
  in_process git -C dst fetch --quiet && sound dst &&
  same "$(git -C dst rev-parse origin/main)" "$(git -C src rev-parse main)"'

test_expect_success 'dates that run backwards' '
  for year in 2030 1999 2020 1980; do
    echo $year >src/year && git -C src add year &&
    GIT_COMMITTER_DATE="$year-01-01T00:00:00Z" git -C src commit --quiet --message $year || return 1
  done && git -C src push --quiet origin main~2:main && git -C dst fetch --quiet && sound dst &&
  git -C src push --quiet origin main && git -C dst fetch --quiet && sound dst &&
  same "$(git -C dst rev-parse origin/main)" "$(git -C src rev-parse main)"'

test_expect_success 'more than is small is answered by git' '
  for i in $(seq 1 300); do echo "$i" >"src/many$i" || return 1; done && git -C src add . &&
  git -C src commit --quiet --message many && git -C src push --quiet origin main && before=$(by process) &&
  git -C dst fetch --quiet && sound dst && same "$(by process)" $((before + 1)) &&
  same "$(git -C dst rev-parse origin/main)" "$(git -C src rev-parse main)"'

test_expect_success 'from packs, as from loose objects' '
  test_commit src late && git -C src push --quiet origin main && in_process git -C dst fetch --quiet && sound dst'

test_expect_success 'switched off, git answers' '
  stop_server && printf "[limits]\nin_process_fetch_objects = 0\n" >off.toml && start_server --config off.toml &&
  git -C src remote set-url origin "$url/p.git" && git -C dst remote set-url origin "$url/p.git" &&
  test_commit src off && git -C src push --quiet origin main && git -C dst fetch --quiet && sound dst &&
  same "$(by memory)" 0 && same "$(by process)" 1'

test_done
