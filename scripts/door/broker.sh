# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# The verbs of a door: submit, redeem, report, withdraw, detach.

# The token with which this run watches its request, - for none.
watch=-
# Whether this claim has been answered with receipts, so that a report is due.
claimed=no

# Which of `fingerprints` names the broker in what this run signs.
named=0

# A bearer token that is shown instead of a signature, by doors that have one.
submit_token=''
# The statement of the submit that is being prepared, and the descriptor on which ssh-keygen writes its signature.
submit_statement='' submit_signature=''

# prepare_submit: begins to sign a fresh statement with the key of this host, and to start curl.
prepare_submit() {
  local nonce issued
  [[ ! $submit_token ]] || { start_curl && return; }
  random_hex128 nonce
  printf -v issued '%(%Y-%m-%dT%H:%M:%SZ)T' -1
  submit_statement="countersign-submit 1
broker: ${fingerprints[named]}
submitter: ${config[submitter]}
request: $request
nonce: $nonce
issued: $issued
"
  printf '%s' "$submit_statement" >"$run.statement" || state_failed
  exec {submit_signature}< <(exec ssh-keygen -Y sign -f "${config[key]}" -n submit@countersign <"$run.statement")
  start_curl
}

# submit SECONDS: asks.
submit() {
  if [[ $submit_token ]]; then
    printf '{"claim":"%s","document":%s%s}' "$ask_claim" "$document" \
      "${signers_digest:+,\"signers\":\"$signers_digest\"}" >"$run.body" || state_failed
  else
    sign_submit
  fi
  call POST /v1/requests "$submit_token" "$run.body" "$1" ''
  [[ $call_result == reply ]] || return 0
  # A key that the broker has given up: the next one that is pinned may be its key by now.
  if [[ $reply_state == error && $reply_code == wrong-broker && ${fingerprints[named + 1]-} ]]; then
    ((named += 1))
    submit "$1"
    return
  fi
  [[ $reply_id == - ]] || request_id=$reply_id
  watch=$reply_watch
  [[ $reply_state != pending || ($watch != - && $reply_id != -) ]] ||
    shut bad-reply 'the reply of the broker lacks an id or a token'
}

# sign_submit: writes the body with the statement and its signature.
sign_submit() {
  local armor=''
  [[ $submit_signature ]] || prepare_submit
  IFS= read -r -d '' armor <&"$submit_signature"
  exec {submit_signature}<&-
  submit_signature=''
  [[ $armor == '-----BEGIN SSH SIGNATURE-----'*$'-----END SSH SIGNATURE-----\n' && $armor != *[!$'\n'\ -~]* ]] ||
    shut no-signature "cannot sign with ${config[key]}"
  submit_statement+=$armor
  printf '{"claim":"%s","document":%s,%s"statement":"%s"}' "$ask_claim" "$document" \
    "${signers_digest:+\"signers\":\"$signers_digest\",}" "${submit_statement//$'\n'/\\n}" >"$run.body" || state_failed
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

# withdraw SECONDS: takes the question back; it ends at once if nobody else waits for it.
withdraw() {
  [[ $watch == - || $request_id == - ]] || call DELETE "/v1/requests/$request_id?cancel=now" "$watch" '' "$1" ''
}

# detach: nobody waits here any more.
detach() {
  [[ $watch == - || $request_id == - ]] || call DELETE "/v1/requests/$request_id" "$watch" '' 2 ''
}
