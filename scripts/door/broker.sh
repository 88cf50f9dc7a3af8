# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The verbs of a door: submit, redeem, report, detach.

# The token with which this run watches its request, - for none.
watch=-
# Whether this claim has been answered with receipts, so that a report is due.
claimed=no

# submit SECONDS: asks, with a fresh statement signed by the key of this host.
submit() {
  local statement nonce armor
  start_curl
  random_hex128 nonce
  printf -v statement '%(%Y-%m-%dT%H:%M:%SZ)T' -1
  statement="countersign-submit 1
broker: ${config[fingerprint]}
submitter: ${config[submitter]}
request: $request
nonce: $nonce
issued: $statement"
  armor=$(exec ssh-keygen -Y sign -f "${config[key]}" -n submit@countersign <<<"$statement") &&
    [[ $armor == '-----BEGIN SSH SIGNATURE-----'*'-----END SSH SIGNATURE-----' && $armor != *[!$'\n'\ -~]* ]] ||
    shut no-signature "cannot sign with ${config[key]}"
  statement+=$'\n'$armor$'\n'
  printf '{"claim":"%s","document":%s,"statement":"%s"}' "$ask_claim" "$document" "${statement//$'\n'/\\n}" >"$run.body" ||
    state_failed
  call POST /v1/requests '' "$run.body" "$1" ''
  [[ $call_result == reply ]] || return 0
  [[ $reply_id == - ]] || request_id=$reply_id
  watch=$reply_watch
  [[ $reply_state != pending || ($watch != - && $reply_id != -) ]] ||
    shut bad-reply 'the reply of the broker lacks an id or a token'
}

# redeem SECONDS: claims the approval, waiting for it for so long.
redeem() {
  printf '{"claim":"%s"}' "$ask_claim" >"$run.body" || state_failed
  call POST "/v1/requests/$request_id/redeem" "$watch" "$run.body" $(($1 + 5)) "$1"
}

# report OUTCOME CODE SECONDS: says what this door did. Whatever comes back changes nothing, and neither does a failure.
report() {
  printf '{"claim":"%s","code":"%s","outcome":"%s"}' "$ask_claim" "$2" "$1" >"$run.body" &&
    call POST "/v1/requests/$request_id/reports" "$watch" "$run.body" "$3" ''
}

# detach: nobody waits here any more.
detach() {
  [[ $watch == - || $request_id == - ]] || call DELETE "/v1/requests/$request_id" "$watch" '' 2 ''
}
