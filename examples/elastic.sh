#!/bin/sh
# Trains on fewer ranks when hosts fail: starts mpirun again from the last checkpoint with the hosts
# that still answer, as long as enough ranks are left.
#
#   examples/elastic.sh --out /shared/runs/flowers --hosts node1:4,node2:4 --min-ranks 4 -- \
#     npx netc train flowers.net
#
# --out DIR          the run's folder, on a disk that all hosts share
# --hosts LIST       hosts with their ranks, as for mpirun; without it, --ranks on this host
# --ranks N          ranks on this host; after each failure one less
# --min-ranks N      ends with an error below this many ranks (default: 1)
# --attempts N       starts in all (default: 10)
# MPIRUN             the launcher (default: mpirun)
set -u
out= hosts= ranks=1 least=1 attempts=10
while [ $# -gt 0 ]; do
  case "$1" in
    --out) out=$2; shift 2 ;;
    --hosts) hosts=$2; shift 2 ;;
    --ranks) ranks=$2; shift 2 ;;
    --min-ranks) least=$2; shift 2 ;;
    --attempts) attempts=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "elastic.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
[ -n "$out" ] && [ $# -gt 0 ] || { echo "usage: elastic.sh --out DIR ... -- COMMAND" >&2; exit 2; }

# The hosts of a list that answer within 5 s, as a list.
answering() {
  left=
  for entry in $(echo "$1" | tr , ' '); do
    if ssh -o BatchMode=yes -o ConnectTimeout=5 "${entry%%:*}" true 2>/dev/null; then
      left=${left:+$left,}$entry
    else
      echo "elastic.sh: ${entry%%:*} does not answer" >&2
    fi
  done
  echo "$left"
}

# The ranks of a list of hosts: one for a host without a number.
ranks_of() {
  sum=0
  for entry in $(echo "$1" | tr , ' '); do
    case "$entry" in
      *:*) sum=$((sum + ${entry##*:})) ;;
      *) sum=$((sum + 1)) ;;
    esac
  done
  echo "$sum"
}

[ -z "$hosts" ] || ranks=$(ranks_of "$hosts")
attempt=1
while :; do
  if [ "$ranks" -lt "$least" ]; then
    echo "elastic.sh: $ranks ranks are left, and --min-ranks is $least" >&2
    exit 1
  fi
  resume=
  [ -e "$out/last.safetensors" ] && resume=--resume
  # shellcheck disable=SC2086
  ${MPIRUN:-mpirun} ${hosts:+--host "$hosts"} -n "$ranks" "$@" --out "$out" $resume
  code=$?
  # 1 and 2: the spec, the data or the command line are wrong, and another start would not help.
  [ "$code" -eq 0 ] || [ "$code" -eq 1 ] || [ "$code" -eq 2 ] && exit "$code"
  if [ "$attempt" -ge "$attempts" ]; then
    echo "elastic.sh: ended after $attempt attempts" >&2
    exit "$code"
  fi
  attempt=$((attempt + 1))
  if [ -n "$hosts" ]; then
    hosts=$(answering "$hosts")
    ranks=$(ranks_of "$hosts")
  else
    ranks=$((ranks - 1))
  fi
  echo "elastic.sh: exit code $code; attempt $attempt" >&2
done
