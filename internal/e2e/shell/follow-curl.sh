#!/usr/bin/env bash
# Follows the stream at a URL with curl, resuming by Last-Event-ID until a
# response ends cleanly. It writes as the scripts in ../node do, for which
# app.mjs says how: follow-curl.sh URL json|text
set -u
export LC_ALL=C
url=$1 newline=
[ "$2" != json ] || newline=$'\n'
id='' opens=0 gaps=0 reason='' type='' data='' some=
while :; do
  opens=$((opens + 1)) type='' data='' some=
  while IFS= read -r line; do
    case $line in
    'id: '*) next=${line#id: } ;;
    'event: '*) type=${line#event: } ;;
    'data: '*) data+=${some:+$'\n'}${line#data: } some=1 ;;
    '')
      id=${next:-$id}
      case $some$type in
      '') ;;
      1) printf '%s%s' "$data" "$newline" ;;
      1stream-gap) gaps=$((gaps + 1)) ;;
      1stream-closed) reason=${data#*:\"} reason=${reason%%\"*} ;;
      esac
      type='' data='' some=
      ;;
    esac
  done < <(exec curl -sSN -H 'Accept: text/event-stream' -H "Last-Event-ID: $id" "$url")
  # A response that was cut is one of curl's errors.
  if wait $!; then break; fi
  sleep 0.5
done
printf '{"opens":%d,"gaps":%d,"reason":"%s","stopped":"clean end"}\n' "$opens" "$gaps" "$reason" >&2
