#!/usr/bin/env bash
# Protocol versions 0, 1 and 2, object formats, shallow and partial clones, push capabilities.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

start_server || exit 1

test_expect_success 'a history to work with' '
  git init --quiet src && for i in $(seq 1 20); do test_commit src file$i || return 1; done &&
  git -C src branch side HEAD~5 && git -C src tag --annotate --message t v1 HEAD~3 &&
  git -C src push --quiet "$url/p.git" main side v1'

for version in 0 1 2; do
  test_expect_success "clone, fetch and push with protocol version $version" '
    rm -rf v && git -c protocol.version='$version' clone --quiet "$url/p.git" v && git -C v fsck --strict &&
    same "$(git -C v rev-parse origin/side)" "$(git -C src rev-parse side)" &&
    test_commit v by-version-'$version' && git -C v -c protocol.version='$version' push --quiet origin main &&
    git -C src -c protocol.version='$version' pull --quiet "$url/p.git" main &&
    same "$(git -C src rev-parse HEAD)" "$(git -C v rev-parse HEAD)"'

  test_expect_success "shallow clone, deepen and unshallow with protocol version $version" '
    rm -rf s && git -c protocol.version='$version' clone --quiet --depth 2 "$url/p.git" s &&
    same "$(git -C s rev-list --count HEAD)" 2 &&
    git -C s -c protocol.version='$version' fetch --quiet --deepen 3 && same "$(git -C s rev-list --count HEAD)" 5 &&
    git -C s -c protocol.version='$version' fetch --quiet --unshallow && git -C s fsck --strict &&
    same "$(git -C s rev-list --count HEAD)" "$(git -C src rev-list --count HEAD)"'

  test_expect_success "an empty repository with protocol version $version" '
    rm -rf empty'$version' && "$QUORATE" repo create empty'$version' --server "$url" &&
    git -c protocol.version='$version' clone --quiet "$url/empty'$version'.git" empty'$version' &&
    git -c protocol.version='$version' ls-remote "$url/empty'$version'.git" >out && test ! -s out'
done

test_expect_success 'a partial clone fetches blobs when they are wanted' '
  git clone --quiet --filter=blob:none --no-checkout "$url/p.git" partial &&
  test -n "$(git -C partial rev-list --objects --missing=print HEAD | grep "^?")" &&
  git -C partial checkout --quiet main && test -f partial/file1'

test_expect_success 'a push from a shallow clone' '
  rm -rf s && git clone --quiet --depth 1 "$url/p.git" s && test_commit s from-shallow &&
  git -C s push --quiet origin main && same "$(remote_ref p refs/heads/main)" "$(git -C s rev-parse main)"'

test_expect_success 'SHA-256 repositories' '
  "$QUORATE" repo create wide --server "$url" --object-format sha256 &&
  git init --quiet --object-format=sha256 w && test_commit w one && test_commit w two &&
  git -C w push --quiet "$url/wide.git" main && git clone --quiet "$url/wide.git" w2 &&
  git -C w2 fsck --strict && same "$(git -C w2 rev-parse HEAD)" "$(git -C w rev-parse HEAD)" &&
  same "$(git -C w2 rev-parse --show-object-format)" sha256 &&
  test_commit w three && git -C w tag --annotate --message t v1 && git -C w push --quiet "$url/wide.git" main v1 &&
  git -C w2 pull --quiet && same "$(git -C w2 rev-parse HEAD)" "$(git -C w rev-parse HEAD)"'

test_expect_success 'a client with the other object format is refused' '
  test_must_fail git -C src push "$url/wide.git" main:refs/heads/x >out 2>&1'

test_expect_success 'atomic: one refused reference refuses all' '
  old=$(remote_ref p refs/heads/side) && test_commit src atomic &&
  test_must_fail git -C src push --atomic "$url/p.git" HEAD:refs/heads/new HEAD:refs/heads/side/below >out 2>&1 &&
  same "$(remote_ref p refs/heads/new)" "" && same "$(remote_ref p refs/heads/side)" "$old"'

test_expect_success 'without atomic the others go through' '
  test_must_fail git -C src push "$url/p.git" HEAD:refs/heads/new HEAD:refs/heads/side/below >out 2>&1 &&
  same "$(remote_ref p refs/heads/new)" "$(git -C src rev-parse HEAD)" &&
  same "$(remote_ref p refs/heads/side/below)" ""'

test_expect_success 'push options are accepted and recorded' '
  test_commit src optioned && git -C src push --quiet --push-option=ci.skip --push-option=x=y "$url/p.git" HEAD:opt &&
  "$QUORATE" repo log p --server "$url" --ref refs/heads/opt --json >out && grep ci.skip out && grep "x=y" out'

test_expect_success 'force-with-lease loses against a newer value' '
  git clone --quiet "$url/p.git" l1 && git clone --quiet "$url/p.git" l2 &&
  test_commit l1 l1 && git -C l1 push --quiet origin main && test_commit l2 l2 &&
  test_must_fail git -C l2 push --quiet --force-with-lease origin main'

test_expect_success 'a branch is deleted' '
  git -C src push --quiet "$url/p.git" HEAD:refs/heads/gone && git -C src push --quiet "$url/p.git" :refs/heads/gone &&
  same "$(remote_ref p refs/heads/gone)" ""'

test_expect_success 'large pushes are chunked, with and without a probe' '
  head -c 2000000 /dev/urandom >src/random && git -C src add random && git -C src commit --quiet --message random &&
  git -C src -c http.postBuffer=65536 push --quiet "$url/p.git" HEAD:refs/heads/chunked &&
  same "$(remote_ref p refs/heads/chunked)" "$(git -C src rev-parse HEAD)"'

test_done
