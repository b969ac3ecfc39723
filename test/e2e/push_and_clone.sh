#!/usr/bin/env bash
# A stranger's first hour: push, clone, fetch, branches, tags, deletions, HEAD, restart.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

start_server || exit 1

test_expect_success 'a first push creates the repository' '
  git init --quiet a && test_commit a one && test_commit a two &&
  git -C a push --quiet "$url/group/project.git" main &&
  same "$(remote_ref group/project refs/heads/main)" "$(git -C a rev-parse main)"'

test_expect_success 'a clone has every object and the default branch' '
  git clone --quiet "$url/group/project.git" b &&
  git -C b fsck --strict &&
  same "$(git -C b rev-parse HEAD)" "$(git -C a rev-parse HEAD)" &&
  same "$(git -C b symbolic-ref HEAD)" refs/heads/main'

test_expect_success 'the URL works without .git too' '
  git ls-remote "$url/group/project" >out && grep refs/heads/main out'

test_expect_success 'a second push moves the branch, and fetch brings it' '
  test_commit a three && git -C a push --quiet "$url/group/project.git" main &&
  git -C b pull --quiet && same "$(git -C b rev-parse main)" "$(git -C a rev-parse main)"'

test_expect_success 'annotated tags are peeled in the advertisement' '
  git -C a tag --annotate --message one v1 && git -C a push --quiet "$url/group/project.git" v1 &&
  git ls-remote "$url/group/project.git" >out &&
  grep "$(git -C a rev-parse v1^{commit}).refs/tags/v1^{}" out'

test_expect_success 'a push that is not a fast-forward is refused by the client, and forced through' '
  git clone --quiet "$url/group/project.git" c && git -C c reset --quiet --hard HEAD~1 && test_commit c other &&
  test_must_fail git -C c push --quiet origin main && git -C c push --quiet --force origin main &&
  same "$(remote_ref group/project refs/heads/main)" "$(git -C c rev-parse main)"'

test_expect_success 'many references in one push, then their deletion' '
  for i in $(seq 1 50); do git -C a branch topic/$i || return 1; done &&
  git -C a push --quiet "$url/group/project.git" "refs/heads/topic/*" &&
  same "$(git ls-remote "$url/group/project.git" "refs/heads/topic/*" | wc -l)" 50 &&
  git -C a push --quiet "$url/group/project.git" --delete $(seq -f refs/heads/topic/%g 1 50) &&
  same "$(git ls-remote "$url/group/project.git" "refs/heads/topic/*" | wc -l)" 0'

test_expect_success 'a name below another name is refused and says why' '
  test_must_fail git -C a push "$url/group/project.git" main:refs/heads/main/x >out 2>&1 &&
  grep "refs/heads/main" out &&
  same "$(remote_ref group/project refs/heads/main/x)" ""'

test_expect_success 'an empty repository can be cloned and tells its branch' '
  "$QUORATE" repo create empty --server "$url" --default-branch trunk &&
  git clone --quiet "$url/empty.git" e && same "$(git -C e symbolic-ref HEAD)" refs/heads/trunk &&
  test_commit e first && git -C e push --quiet origin trunk &&
  git clone --quiet "$url/empty.git" e2 && same "$(git -C e2 rev-parse HEAD)" "$(git -C e rev-parse HEAD)"'

test_expect_success 'a large push is stored beside the log and comes back whole' '
  git init --quiet big && head -c 3000000 /dev/urandom >big/blob && git -C big add blob &&
  git -C big commit --quiet --message big && git -C big push --quiet "$url/big.git" main &&
  git clone --quiet "$url/big.git" big2 && cmp big/blob big2/blob && git -C big2 fsck --strict'

test_expect_success 'a thin pack is completed' '
  seq 1 20000 >big/text && git -C big add text && git -C big commit --quiet --message text &&
  git -C big push --quiet "$url/big.git" main && echo more >>big/text &&
  git -C big commit --quiet --all --message more && git -C big push --quiet --thin "$url/big.git" main &&
  rm -rf big2 && git clone --quiet "$url/big.git" big2 && git -C big2 fsck --strict && cmp big/text big2/text'

test_expect_success 'everything is there after a restart' '
  before=$(git ls-remote "$url/group/project.git" | sha256sum) && stop_server && start_server &&
  same "$(git ls-remote "$url/group/project.git" | sha256sum)" "$before" &&
  rm -rf b && git clone --quiet "$url/group/project.git" b && git -C b fsck --strict'

test_expect_success 'everything is there after kill -9' '
  test_commit c last && git -C c push --quiet origin main 2>/dev/null ||
  git -C c push --quiet "$url/group/project.git" main && kill_server && start_server &&
  same "$(remote_ref group/project refs/heads/main)" "$(git -C c rev-parse main)" &&
  rm -rf b && git clone --quiet "$url/group/project.git" b && git -C b fsck --strict'

test_done
