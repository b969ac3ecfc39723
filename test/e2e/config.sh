#!/usr/bin/env bash
# A repository's configuration: read, changed, compared before it is changed; and what of it git is told.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

config() { "$QUORATE" repo config "$1" r "${@:2}" --server "$url"; }

start_server || exit 1

test_expect_success 'a variable is set, read, listed and unset' '
  git init --quiet a && test_commit a one && "$QUORATE" repo create r --server "$url" &&
  git -C a push --quiet "$url/r.git" main && test_must_fail config get gc.auto 2>err && grep "not set" err &&
  config set GC.Auto 0 && same "$(config get gc.auto)" 0 && same "$(config list)" "gc.auto=0" &&
  config unset gc.auto && same "$(config list)" ""'

test_expect_success 'several values keep their order' '
  config set remote.x.fetch b a && same "$(config get remote.x.fetch | tr "\n" " ")" "b a " && config unset remote.x.fetch'

test_expect_success 'what is not as expected is not changed' '
  config set gc.auto 1 --expect-unset && test_must_fail config set gc.auto 2 --expect-unset 2>err && grep "gc.auto" err &&
  test_must_fail config set gc.auto 2 --expect 7 && same "$(config get gc.auto)" 1 && config set gc.auto 2 --expect 1 &&
  same "$(config get gc.auto)" 2'

test_expect_success 'what is no name or value is refused' '
  test_must_fail config set nodot 1 2>err && grep "no variable" err && test_must_fail config get nodot &&
  test_must_fail "$QUORATE" repo config list missing --server "$url"'

test_expect_success 'git is told what is harmless, at once and after a restart' '
  git clone --quiet --bare --filter=blob:none "$url/r.git" before && config set uploadpackfilter.blob:none.allow false &&
  test_must_fail git clone --quiet --bare --filter=blob:none "$url/r.git" after 2>err && grep "blob:none" err &&
  stop_server && start_server && same "$(config get uploadpackfilter.blob:none.allow)" false &&
  test_must_fail git clone --quiet --bare --filter=blob:none "$url/r.git" after && config unset uploadpackfilter.blob:none.allow &&
  git clone --quiet --bare --filter=blob:none "$url/r.git" after'

test_expect_success 'what could run a program is kept and never told' '
  config set uploadpack.packObjectsHook "touch $PWD/ran; false" && config set core.fsmonitor "touch $PWD/ran" &&
  git clone --quiet "$url/r.git" c && test ! -e ran && same "$(config get core.fsmonitor)" "touch $PWD/ran"'

stop_server
test_done
