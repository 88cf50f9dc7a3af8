# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Whether receipts answer what this door asked, and whether people of its signers file signed them.

# How far ahead of this clock a signer's clock may be, in seconds.
skew=60

# What a security key signed along: bit 0 says that somebody was present.
flags=''
# The people whose receipts hold, each once, in the order of the receipts.
approvers=()

# verify_receipts: shuts the door unless every receipt holds. Their times are for `spend`, under the lock.
verify_receipts() {
  local -i index
  local name known
  approvers=()
  ((${#receipt_statement[@]})) || shut no-receipt 'the broker says approved but shows no receipt'
  for ((index = 0; index < ${#receipt_statement[@]}; index++)); do
    verify_terms "$index"
    verify_signature "$index"
    name=${receipt_approver[index]}
    for known in "${approvers[@]}"; do
      [[ $known != "$name" ]] || continue 2
    done
    approvers+=("$name")
  done
}

# verify_terms INDEX: what is signed is what this door asked, within what it allows.
verify_terms() {
  local -i at=$1 longest=${config[longest]}
  [[ ${receipt_verdict[at]} == approve ]] || shut deny-receipt "${receipt_approver[at]} signed no"
  is_pinned "${receipt_broker[at]}" || shut wrong-broker 'a receipt is for another broker'
  [[ ${receipt_door[at]} == "${config[door]}" ]] || shut wrong-door 'a receipt is for another door'
  [[ ${receipt_scope[at]} == "$scope" ]] || shut wrong-scope 'a receipt is for something else'
  [[ "\"${receipt_requester[at]}\"" == "$document_requester" ]] || shut wrong-requester 'a receipt is for another requester'
  [[ ${receipt_covers[at]} == "${receipt_covers[0]}" && ${receipt_request[at]} == "${receipt_request[0]}" &&
    ${receipt_broker[at]} == "${receipt_broker[0]}" ]] || shut mixed-receipts 'the receipts are not for one request'
  if [[ ${answer-} == offline ]]; then
    verify_offline_terms "$at"
  elif [[ ${receipt_covers[at]} == scope ]]; then
    [[ ${config[grants]} == yes ]] || shut grant-refused 'a receipt is a grant, which this door does not take'
  else
    [[ ${receipt_request[at]} == "$request" ]] || shut wrong-request 'a receipt is for another request'
  fi
  # The requester signs at the beginning of the wait.
  ! is_alone "$at" || ((longest += config[alone-after]))
  ((receipt_not_after[at] - receipt_decided[at] <= longest)) ||
    shut too-long 'a receipt is good for longer than this door allows'
  ((receipt_duration[at] <= ${config[longest-duration]})) ||
    shut too-long 'a receipt is for longer work than this door allows'
  ! asks_number || verify_number "$at"
}

# verify_number INDEX: who signed was told the number of this ask, which no broker has seen.
verify_number() {
  local name=${receipt_approver[$1]} code=${receipt_code[$1]}
  is_six_digits "$ask_number" || shut no-number 'this ask has no number'
  [[ $code != - ]] || shut no-number "$name signed without the number that this door asks for"
  [[ $code == "$ask_number" ]] || shut wrong-number "$name signed another number than the one that was shown here"
}

# verify_signature INDEX: a key of the approver signed the statement.
verify_signature() {
  local -i at=$1
  local name=${receipt_approver[at]}
  verify_signed "$name" decision@countersign "${receipt_statement[at]}" "${receipt_armor[at]}" || shut "$fault" "$fault_text"
  ! is_revoked "$signed_by" || shut revoked-key "$name signed with a key that is revoked here"
  [[ ${config[touch]} == no || $touched == yes ]] || shut no-touch "$name ${untouched[$touched]}"
}

# Of the last signature: why it does not hold (a code, and a sentence), the fingerprint of the key that made it, and whether that
# was touched: yes, no, or `never` for a key that cannot tell.
fault='' fault_text='' signed_by='' touched=never
declare -gA untouched=([no]='did not touch the security key' [never]='signed without a security key')

# verify_signed NAME NAMESPACE STATEMENT ARMOR: whether a key of this person signed the statement for this purpose. What ssh-keygen
# reads is one line a key with the NAME as only principal, written from what was parsed, so nothing it accepts beyond the strict
# file can matter.
verify_signed() {
  local name=$1 lines=${signer_lines[$1]-} said='' now
  fault=unknown-approver fault_text="$name is not a person of the signers file" signed_by='' touched=never
  [[ $lines ]] || return 1
  fault=bad-signature fault_text="the signature of $name is not in the form of ssh-keygen"
  is_canonical_armor "$4" || return 1
  # Doors know people by decision@countersign; whoever may decide, may sign for the other purposes of a door.
  printf '%s' "${lines//' namespaces="decision@countersign"'/" namespaces=\"$2\""}" >"$run.signers" &&
    printf '%s' "$4" >"$run.signature" && printf '%s' "$3" >"$run.statement" || shut state-failed 'cannot write the state'
  printf -v now '%(%Y%m%d%H%M%S)TZ' -1
  fault_text="the signature of $name does not hold"
  # Both must say so: a success without the sentence, or the sentence without success, is a broken program.
  said=$(exec ssh-keygen -Y verify -f "$run.signers" -I "$name" -n "$2" -s "$run.signature" -Overify-time="$now" \
    <"$run.statement") || return 1
  [[ $said =~ ^Good\ \"([a-z]+@countersign)\"\ signature\ for\ ([^ ]+)\ with\ ([A-Z0-9-]+)\ key\ (SHA256:[A-Za-z0-9+/]{43})$ &&
    ${BASH_REMATCH[1]} == "$2" && ${BASH_REMATCH[2]} == "$name" ]] || return 1
  signed_by=${BASH_REMATCH[4]}
  [[ ${BASH_REMATCH[3]} == *-SK ]] || return 0
  fault_text="the signature of $name is not one of a security key"
  security_key_flags "$4" || return 1
  if ((16#$flags & 1)); then touched=yes; else touched=no; fi
}

# is_canonical_armor TEXT: in the one form that ssh-keygen writes, of at most 12 KiB.
is_canonical_armor() {
  local base64=$1
  base64=${base64#*$'\n'}
  base64=${base64%$'\n'*$'\n'}
  # "SSHSIG" and version 1: ssh-keygen takes version 0 as well.
  ((${#1} <= 12288)) && [[ $base64 == U1NIU0lHAAAAAQAA* ]] && is_canonical_base64 "${base64//$'\n'/}"
}

# security_key_flags TEXT: sets `flags` to the byte in hex that a security key signed along; bit 0 says that somebody was
# present (PROTOCOL.sshsig, PROTOCOL.u2f). Signatures that web pages can ask for (webauthn) are of another type and fail.
security_key_flags() {
  local base64=$1 type key
  base64=${base64#*$'\n'}
  base64=${base64%$'\n'*$'\n'}
  decode_base64 "${base64//$'\n'/}" || return 1
  # "SSHSIG", version 1; then key, namespace, reserved, hash and signature.
  [[ ${wire:0:20} == 53534853494700000001 ]] || return 1
  wire=${wire:20}
  take_string && key=$field && take_string && take_string && take_string && take_string && [[ ! $wire ]] || return 1
  wire=$field
  take_string && type=$field && take_string && ((${#wire} == 10)) || return 1
  flags=${wire:0:2}
  # The type of the signature is that of the key.
  wire=$key
  take_string && [[ $field == "$type" ]]
}
