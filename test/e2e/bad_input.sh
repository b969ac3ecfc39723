#!/usr/bin/env bash
# What is wrong gets a clear answer and leaves nothing behind.
# shellcheck source=test/e2e/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016  # Bodies are expanded when they run.

cat >"$work/config.toml" <<'TOML'
[timeouts]
header_ms = 500
body_ms = 1000
[limits]
connections = 40
TOML
start_server --config "$work/config.toml" || exit 1
export zero=0000000000000000000000000000000000000000

pkt() { printf '%04x%s' $((${#1} + 4)) "$1"; }

# push_raw REPOSITORY OLD NEW REF [PACK]: one command with report-status, as bytes in ./request.
push_raw() {
  local line="$2 $3 $4"
  { printf '%04x%s\0 report-status\n0000' $((${#line} + 4 + 1 + 14 + 1)) "$line"; cat "${5:-/dev/null}"; } >request
  curl --silent --show-error --data-binary @request --header 'Content-Type: application/x-git-receive-pack-request' \
    "$url/$1.git/git-receive-pack" --output answer --write-out '%{http_code}\n'
}

status_of() { curl --silent --output /dev/null --write-out '%{http_code}' --path-as-is "$@"; }

nothing_left() {
  same "$(find "$data/partitions" \( -path '*/incoming/*' -o -path '*/staged/*' \) | wc -l)" 0
}

test_expect_success 'a repository and a good pack' '
  git init --quiet a && test_commit a one && git -C a push --quiet "$url/r.git" main && test_commit a two &&
  good=$(git -C a rev-parse HEAD) && old=$(git -C a rev-parse HEAD~1) &&
  printf "%s\n^%s\n" "$good" "$old" | git -C a pack-objects --revs --stdout --quiet >good.pack &&
  find "$data/partitions" -type f | sort >files.before'

test_expect_success 'truncated packs are refused at every length' '
  size=$(stat --format=%s good.pack) && for ((cut = 0; cut < size; cut += 7)); do
    head --bytes=$cut good.pack >cut.pack && push_raw r $zero "$good" refs/heads/x cut.pack >/dev/null &&
    grep --text "^....unpack \|ng refs/heads/x" answer >/dev/null && ! grep --text "unpack ok" answer || return 1
  done && same "$(remote_ref r refs/heads/x)" "" && nothing_left'

test_expect_success 'flipped bits are refused' '
  size=$(stat --format=%s good.pack) && for ((at = 0; at < size; at += 11)); do
    python3 -c "
import sys
data = bytearray(open(\"good.pack\", \"rb\").read()); data[$at] ^= 16; open(\"bad.pack\", \"wb\").write(data)" &&
    push_raw r $zero "$good" refs/heads/x bad.pack >/dev/null && ! grep --text "unpack ok" answer || return 1
  done && same "$(remote_ref r refs/heads/x)" "" && nothing_left'

test_expect_success 'a pack that lacks an object is refused' '
  blob=$(git -C a rev-parse HEAD:two) && git -C a rev-list --objects HEAD^..HEAD | cut -d" " -f1 | grep -v "$blob" |
  git -C a pack-objects --stdout --quiet >holes.pack && push_raw r $zero "$good" refs/heads/x holes.pack &&
  ! grep --text "unpack ok" answer && same "$(remote_ref r refs/heads/x)" ""'

test_expect_success 'a new value that does not exist is refused' '
  push_raw r $zero 1234567890123456789012345678901234567890 refs/heads/x &&
  grep --text "ng refs/heads/x" answer'

test_expect_success 'no refused push changed a file' '
  find "$data/partitions" -type f | sort >files.after && cmp files.before files.after'

test_expect_success 'bad reference names are refused' '
  for ref in refs/heads/a..b refs/heads/.a refs/heads/a.lock "refs/heads/a b" refs/heads/a~ refs/heads/ HEAD x refs/heads/a//b; do
    push_raw r $zero "$good" "$ref" good.pack && ! grep --text "^....ok " answer || return 1
  done'

test_expect_success 'malformed pkt-lines get 400' '
  for body in 0003 zzzz 00 0006x fff4; do
    printf "%s" "$body" >request &&
    same "$(status_of --data-binary @request --header "Content-Type: application/x-git-receive-pack-request" "$url/r.git/git-receive-pack")" 400 || return 1
  done'

test_expect_success 'repository names with traversal or encodings of it' '
  for path in /../r.git /%2e%2e/r.git /a/..%2fr.git /r%00.git /%2e/r.git //r.git /a%5c..%5cr.git; do
    code=$(status_of "$url$path/info/refs?service=git-upload-pack") && { test "$code" = 400 || test "$code" = 404; } || return 1
  done'

test_expect_success 'wrong content types, methods, services and dumb requests' '
  same "$(status_of --data-binary 0000 --header "Content-Type: text/plain" "$url/r.git/git-receive-pack")" 415 &&
  same "$(status_of --request PUT "$url/r.git/git-receive-pack")" 405 &&
  same "$(status_of "$url/r.git/info/refs?service=git-evil")" 403 &&
  code=$(status_of "$url/r.git/info/refs") && { test "$code" = 403 || test "$code" = 404; } &&
  same "$(status_of "$url/r.git/HEAD")" 404 && same "$(status_of "$url/r.git/objects/info/packs")" 404 &&
  same "$(status_of "$url/nowhere.git/info/refs?service=git-upload-pack")" 404'

test_expect_success 'a gzip bomb is cut off' '
  { pkt "command=fetch" && printf 0001 && { yes "0032have 1234567890123456789012345678901234567890" 2>/dev/null || true; } | head --bytes=300000000; } |
    gzip --fast >bomb.gz && test "$(stat --format=%s bomb.gz)" -lt 5000000 &&
  same "$(status_of --data-binary @bomb.gz --header "Content-Encoding: gzip" --header "Git-Protocol: version=2" \
    --header "Content-Type: application/x-git-upload-pack-request" "$url/r.git/git-upload-pack")" 413'

test_expect_success 'git shows why a fetch was refused' '
  for version in 0 2; do
    test_must_fail git -C a -c protocol.version=$version fetch "$url/r.git" 1234567890123456789012345678901234567890 2>err &&
    grep "remote error: upload-pack: not our ref 1234567890" err || return 1
  done'

# Twenty more than there may be; the server answers again once the others were cut off.
test_expect_success 'connections are bounded, and half-open clients are cut off' '
  opened=() &&
  for i in $(seq 1 60); do
    exec {fd}<>"/dev/tcp/127.0.0.1/${url##*:}" && opened+=("$fd") && { printf "GET /rea" >&"$fd" || true; } 2>/dev/null
  done &&
  eventually curl --silent --fail "$url/readyz" &&
  test "$(metric quorate_http_connections_refused_total)" -ge 20 &&
  for fd in "${opened[@]}"; do exec {fd}>&-; done'

test_expect_success 'the server still works' '
  git -C a push --quiet "$url/r.git" main && rm -rf b && git clone --quiet "$url/r.git" b && git -C b fsck --strict'

test_done
