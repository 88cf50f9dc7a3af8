# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Receipts: 16 lines of a decision statement, then one armored SSH signature, one receipt after the other. The TypeScript
# parser takes exactly the same texts (test/scripts/receipt-agreement.test.ts). Nothing here is verified yet.

# One element a receipt: what was signed, its signature, and the values of its lines.
receipt_statement=() receipt_armor=()
receipt_broker=() receipt_door=() receipt_request=() receipt_scope=() receipt_covers=() receipt_verdict=()
receipt_policy=() receipt_requester=() receipt_approver=() receipt_decided=() receipt_not_after=() receipt_duration=() receipt_uses=() receipt_code=() receipt_comment=()

decision_names=(broker door request scope covers policy verdict requester approver decided not-after duration uses code comment)
comment_form='^"([] !#-[^-~]|\\(["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$'

# parse_receipts LINE…: lines without their LF, printable ASCII only. Fails if they are anything but receipts.
parse_receipts() {
  local -i first next
  receipt_statement=() receipt_armor=()
  receipt_broker=() receipt_door=() receipt_request=() receipt_scope=() receipt_covers=() receipt_verdict=()
  receipt_policy=() receipt_requester=() receipt_approver=() receipt_decided=() receipt_not_after=() receipt_duration=() receipt_uses=() receipt_code=() receipt_comment=()
  for ((first = 1; first <= $#; first = next)); do
    parse_decision "${@:first:16}" || return 1
    ((next = first + 16, 1))
    take_armor "${@:next}" || return 1
    ((next += armor_lines))
    # 16 KiB is the most that the TypeScript parser takes as one receipt.
    ((${#receipt_statement[-1]} + ${#receipt_armor[-1]} <= 16384)) || return 1
  done
}

# parse_decision LINE…: appends one decision; each line is matched whole, in its place.
parse_decision() {
  local line name statement=$1$'\n'
  local -i index=0
  local -a values=()
  [[ $# -eq 16 && $1 == 'countersign-decision 1' ]] || return 1
  shift
  for line; do
    name=${decision_names[index]}
    [[ $line == "$name: "* ]] || return 1
    values+=("${line:${#name}+2}")
    statement+=$line$'\n'
    ((index += 1))
  done
  set -- "${values[@]}"
  is_fingerprint "$1" && is_name "$2" && is_digest "$3" && is_digest "$4" || return 1
  [[ $5 == request || $5 == scope ]] || return 1
  [[ $6 == - ]] || is_digest "$6" || return 1
  [[ $7 == approve || $7 == deny ]] || return 1
  is_name "$8" && is_name "$9" || return 1
  parse_time "${10}" && receipt_decided+=("$epoch") || return 1
  parse_time "${11}" && receipt_not_after+=("$epoch") || return 1
  is_count "${12}" && is_count "${13}" || return 1
  [[ ${14} == - ]] || is_six_digits "${14}" || return 1
  [[ ${15} =~ $comment_form ]] && ((${#15} <= 1000)) || return 1
  [[ $5 == scope || ${13} == 1 ]] || return 1
  [[ ${13} != 0 || ${12} != 0 ]] || return 1
  receipt_statement+=("$statement")
  receipt_broker+=("$1") receipt_door+=("$2") receipt_request+=("$3") receipt_scope+=("$4") receipt_covers+=("$5")
  receipt_policy+=("$6") receipt_verdict+=("$7") receipt_requester+=("$8") receipt_approver+=("$9")
  receipt_duration+=("${12}") receipt_uses+=("${13}") receipt_code+=("${14}") receipt_comment+=("${15}")
}

# take_armor LINE…: appends the signature with which the lines begin; `armor_lines` is their number. All lines of base64
# but the last have 70 characters.
take_armor() {
  local line armor=$'-----BEGIN SSH SIGNATURE-----\n' short=''
  [[ ${1-} == '-----BEGIN SSH SIGNATURE-----' ]] || return 1
  shift
  armor_lines=1
  for line; do
    ((armor_lines += 1))
    armor+=$line$'\n'
    if [[ $line == '-----END SSH SIGNATURE-----' ]]; then
      ((armor_lines > 2)) || return 1
      receipt_armor+=("$armor")
      return 0
    fi
    [[ ! $short && $line && $line != *[!A-Za-z0-9+/=]* ]] && ((${#line} <= 70)) || return 1
    ((${#line} == 70)) || short=yes
  done
  return 1
}
