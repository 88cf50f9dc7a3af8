# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The request document, written in its canonical form (RFC 8785) from the start: keys in order, no spaces, the shortest
# escapes. So its bytes are what the broker stores, what the approver signs for, and what the digest is over.

# Valid UTF-8 (RFC 3629) but for NUL, which no variable holds: no surrogates, no overlong forms, nothing above U+10FFFF.
utf8=$'^([\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}'
utf8+=$'|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*$'

# json_string TEXT LIMIT: sets `json` to the string; fails if TEXT is longer than LIMIT bytes or not UTF-8.
json_string() {
  local text=$1 character escape
  local -i code
  ((${#text} <= $2)) || return 1
  # shellcheck disable=SC1003 # a backslash, and two
  text=${text//'\'/'\\'}
  text=${text//'"'/'\"'}
  if [[ $text == *[!\ -~]* ]]; then
    [[ $text =~ $utf8 ]] || return 1
    # Whole-string replacements for what occurs: byte by byte would take quadratic time.
    for ((code = 1; code < 32; code++)); do
      printf -v escape '\\u%04x' "$code"
      printf -v character '%b' "$escape"
      [[ $text == *"$character"* ]] || continue
      case $code in
        8) escape='\b' ;;
        9) escape='\t' ;;
        10) escape='\n' ;;
        12) escape='\f' ;;
        13) escape='\r' ;;
      esac
      text=${text//"$character"/"$escape"}
    done
  fi
  json=\"$text\"
}

# json_array LIMIT TEXT…: sets `json` to an array of strings, each of at most LIMIT bytes.
json_array() {
  local limit=$1 items='' text
  shift
  for text; do
    json_string "$text" "$limit" || return 1
    items+=,$json
  done
  json=[${items#,}]
}

# What is asked for, as JSON values; the context is for the reader and matched by nobody.
document_context='{}' document_action='' document_details='' document_requester='' document_resource=''
# The document, its digest, and the digest of what it would do: equal asks have equal scope.
document='' request='' scope=''
# The digest of the signers file, which the ask names so that the broker can tell who has an old one; empty without a file.
signers_digest=''

# describe ACTION REQUESTER DETAILS: fixes what is asked for. DETAILS is a canonical JSON object.
describe() {
  document_details=$3
  json_string "$1" 128 && document_action=$json &&
    json_string "$2" 128 && document_requester=$json &&
    json_string "${config[resource]}" 1024 && document_resource=$json ||
    shut bad-document 'cannot write the document'
}

# compose NONCE: sets `document`, `request`, `scope` and `signers_digest`.
compose() {
  local who_and_what="\"door\":\"${config[door]}\"" lines=()
  document="{\"action\":$document_action,\"context\":$document_context,\"details\":$document_details,$who_and_what"
  document+=",\"duration\":${config[duration]}"
  document+=",\"nonce\":\"$1\",\"requester\":$document_requester,\"resource\":$document_resource,\"version\":1}"
  who_and_what+=",\"requester\":$document_requester,\"resource\":$document_resource"
  printf '%s' "$document" >"$run.document" &&
    printf '{"action":%s,"details":%s,%s}' "$document_action" "$document_details" "$who_and_what" >"$run.scope" ||
    state_failed
  mapfile -t lines < <(exec sha256sum -- "$run.document" "$run.scope" ${config[signers]:+"${config[signers]}"})
  lines=("${lines[@]%% *}")
  request=sha256:${lines[0]-} scope=sha256:${lines[1]-} signers_digest=${lines[2]:+sha256:${lines[2]}}
  [[ ! $signers_digest ]] || is_digest "$signers_digest" || signers_digest=''
  is_digest "$request" && is_digest "$scope" || shut no-digest 'sha256sum gives no digest'
}
