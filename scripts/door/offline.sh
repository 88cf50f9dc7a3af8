# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Break-glass while the broker cannot be reached, where `offline=/DIR` allows it: people sign what the door prints, and root of
# this host puts their receipts into that directory. They are held to all that this door requires of others, are for this one
# ask (`covers: scope`, `uses: 1`, `policy: -`), and open once.

# The most files that are looked at, the longest one, and the most receipts that are verified.
readonly offline_files=64 offline_bytes=65536 offline_receipts=32
# The longest line that reaches the user in one piece: pam_exec cuts at 4,095 bytes.
readonly offline_line=4000
# The lines of the receipts that hold by themselves, how many those are, and which key of the broker they name.
offline_lines=() offline_taken=0 offline_broker=''

# admit_offline: returns once receipts for this ask have opened. Otherwise ends the run and says how to get some.
admit_offline() {
  local failure=$call_failure missing=''
  answer=offline
  load_signers "${config[signers]}"
  open_spool
  gather_receipts
  if ((${#offline_lines[@]})); then
    parse_receipts "${offline_lines[@]}" || shut bad-reply 'the receipts do not stand together'
    verify_receipts
    if quorum_holds "$requester" "${approvers[@]}"; then
      next_look=0
      ! client_is_gone || leave_unwatched
      spend || end 1 "$over_code" "$over_text"
      admitted=offline log_priority=warning
      return 0
    fi
    missing="; $quorum_missing offline"
  fi
  explain_offline
  shut unreachable "the broker cannot be reached: $failure$missing"
}

# open_spool: shuts the door unless the directory is root's.
open_spool() {
  require_trusted "${config[offline]}"
  [[ -d ${config[offline]} && -r ${config[offline]} && -x ${config[offline]} ]] ||
    shut unsafe-file "${config[offline]} is not a directory that can be read"
}

# gather_receipts: sets `offline_lines` to the receipts for this ask that hold, from the files of root's that have any.
gather_receipts() {
  local path fact text
  local -i index=0
  local -a paths=("${config[offline]}"/*) facts=() lines=()
  ((${#paths[@]})) || return 0
  ((${#paths[@]} <= offline_files)) ||
    shut full-spool "more than $offline_files files are in ${config[offline]}: root removes those that nobody needs"
  # Whose they are and of what kind, before anything is opened. Who could change that meanwhile is root.
  mapfile -t facts < <(exec stat -c '%u %f %h %s' -- "${paths[@]}")
  ((${#facts[@]} == ${#paths[@]})) || shut unsafe-file "cannot tell whose the files in ${config[offline]} are"
  for path in "${paths[@]}"; do
    fact=${facts[index++]}
    [[ $fact =~ ^0\ 8[0-9a-f][02468ace][014589cd]\ 1\ ([0-9]{1,6})$ ]] && ((BASH_REMATCH[1] <= offline_bytes)) || {
      skip "$path" 'not a file of root alone, with one name and of at most 64 KiB'
      continue
    }
    text='' lines=()
    head -c $((offline_bytes + 1)) -- "$path" >"$run.offline" && read_lines "$run.offline" || {
      skip "$path" 'not lines of printable ASCII'
      continue
    }
    # Receipts for other asks may lie there, too.
    [[ $text == *$'\n'"request: $request"$'\n'* ]] || continue
    parse_receipts "${lines[@]}" || { skip "$path" 'not receipts' && continue; }
    gather_from "$path"
  done
}

# gather_from PATH: takes those of the parsed receipts that hold by themselves, so that one which does not spoils no other.
gather_from() {
  local text objection
  local -i at
  local -a texts=() lines=()
  for ((at = 0; at < ${#receipt_statement[@]}; at++)); do texts+=("${receipt_statement[at]}${receipt_armor[at]}"); done
  for text in "${texts[@]}"; do
    mapfile -t lines <<<"${text%$'\n'}"
    parse_receipts "${lines[@]}" || return
    ((offline_taken < offline_receipts)) || { skip "$1" 'too many receipts' && return; }
    objection=$(
      exec 3>&1 >/dev/null
      trap 'printf "%s" "$end_text" >&3' EXIT
      verify_terms 0
      [[ ${receipt_approver[0]} != "${signer_of[$requester]-}" ]] || shut self-approval 'it is signed by the requester himself'
      verify_signature 0
      ((receipt_decided[0] <= EPOCHSECONDS + skew)) || shut clock-skew 'it is from the future'
      ((EPOCHSECONDS < receipt_not_after[0])) || shut too-late 'it has ended'
      # While the key of the broker is rotated, there are two names for it.
      [[ ${receipt_broker[0]} == "${offline_broker:-${receipt_broker[0]}}" ]] || shut mixed-receipts 'others name another key of the broker'
      trap - EXIT
    ) || { skip "$1" "$objection" && continue; }
    offline_broker=${receipt_broker[0]}
    offline_lines+=("${lines[@]}")
    ((offline_taken += 1))
  done
}

# skip PATH WHY: says in the log alone that a file, or a receipt in it, counts for nothing.
skip() {
  local name
  printf -v name '%q' "${1##*/}"
  warn "offline: skipped ${name:0:300}: $2"
}

# verify_offline_terms INDEX: what makes a receipt one for this ask alone.
verify_offline_terms() {
  [[ ${receipt_covers[$1]} == scope && ${receipt_uses[$1]} == 1 && ${receipt_policy[$1]} == - ]] ||
    shut not-offline 'a receipt is not covers: scope, uses: 1, policy: -'
  [[ ${receipt_request[$1]} == "$request" ]] || shut wrong-request 'a receipt is for another request'
}

# explain_offline: tells the user what is to be signed, in one line, or where it stands.
explain_offline() {
  local file="${config[state]}/documents/$today/${request#sha256:}"
  tell_user 'countersign: without the broker, people who may approve sign the next line with: countersign sign -'
  if ((${#document} <= offline_line)) && [[ $document != *[!\ -~]* ]]; then
    tell_user "$document"
  else
    mkdir -p -- "${file%/*}" && printf '%s\n' "$document" >"$file" || state_failed
    [[ $document == *[!\ -~]* ]] ||
      logger -t "${0##*/}[$$]" -p authpriv.warning -S 65536 -- "offline: $request is $document"
    tell_user "countersign: it does not fit here: root finds it in $file"
  fi
  ! asks_number || tell_user "countersign: and tell them this number: ${ask_number:0:3} ${ask_number:3}"
  tell_user "countersign: root of this host puts what that prints into files of ${config[offline]}; then $again_by"
}

# tell_user LINE: pam_exec shows it.
tell_user() {
  printf '%s\n' "$1"
}
