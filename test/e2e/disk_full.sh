#!/usr/bin/env bash
# A full disk refuses pushes with a clear message while fetches go on; pushes work again when there is space.
# Where this may mount (as root), the disk is a small tmpfs that is really full; elsewhere only the guard is tried.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

mkdir -p "$data"
if mount -t tmpfs -o size=240m quorate-e2e "$data" 2>/dev/null; then
  really_full=yes
  trap 'umount --lazy "$data"; cleanup' EXIT
fi

start_server || exit 1

test_expect_success 'a repository with something in it' '
  git init --quiet a && test_commit a one && git -C a push --quiet "$url/r.git" main &&
  head -c 1000000 /dev/urandom >a/large && git -C a add large && git -C a commit --quiet --message large'

nothing_comes_in() { [[ -z $(find "$data/partitions" -path "*/incoming/*") ]]; }

if [[ -n ${really_full:-} ]]; then
  test_expect_success 'below the limit, small and large pushes are refused and say why; fetches go on' '
    free=$(df --output=avail --block-size=1 "$data" | tail -n 1) &&
    head -c "$((free - 30000000))" /dev/zero >"$data/ballast" && sleep 0.5 &&
    test_must_fail git -C a push "$url/r.git" HEAD:refs/heads/large >out 2>&1 && grep -i "disk" out &&
    test_must_fail git -C a push "$url/r.git" main~1:refs/heads/small >out 2>&1 && grep -i "disk" out &&
    rm -rf b && git clone --quiet "$url/r.git" b && git -C b fsck --strict'

  test_expect_success 'filled to the last byte the server still serves, and ends cleanly' '
    { head -c 300000000 /dev/zero >"$data/ballast2" || true; } 2>/dev/null && sleep 0.5 &&
    test_must_fail git -C a push "$url/r.git" HEAD:refs/heads/large >out 2>&1 &&
    rm -rf b && git clone --quiet "$url/r.git" b && git -C b fsck --strict'

  test_expect_success 'pushes work again when there is space' '
    rm "$data/ballast" "$data/ballast2" && sleep 0.5 && git -C a push --quiet "$url/r.git" HEAD:refs/heads/large &&
    git -C a push --quiet "$url/r.git" main~1:refs/heads/small && rm -rf b && git clone --quiet "$url/r.git" b && git -C b fsck --strict &&
    same "$(remote_ref r refs/heads/large)" "$(git -C a rev-parse HEAD)"'

  test_expect_success 'a push that would fill the disk is cut off, and leaves nothing' '
    head -c 230000000 /dev/urandom >a/huge && git -C a add huge && git -C a commit --quiet --message huge &&
    test_must_fail git -C a push "$url/r.git" HEAD:refs/heads/huge >out 2>&1 && eventually nothing_comes_in && git -C a reset --quiet --hard HEAD~1 &&
    test_commit a after && git -C a push --quiet "$url/r.git" HEAD:refs/heads/after'
else
  test_expect_success 'the guard refuses pushes, fetches go on' '
    stop_server && printf "[limits]\nfree_disk_bytes = 1000000000000000\n" >guard.toml && start_server --config guard.toml &&
    test_must_fail git -C a push "$url/r.git" HEAD:refs/heads/large >out 2>&1 && grep -i "disk" out &&
    git clone --quiet "$url/r.git" b && stop_server && start_server && git -C a push --quiet "$url/r.git" HEAD:refs/heads/large'
fi

test_expect_success 'everything is there after a restart' '
  stop_server && start_server && rm -rf b && git clone --quiet "$url/r.git" b && git -C b fsck --strict'

test_done
