# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# Signers files that follow one another. The broker only carries them: a step counts because people of the file in force have
# signed for exactly it, as many as the doors that use the file require of an approval.

# What the last reply said: newest, steps, waiting or error, with a word and a sentence for the last; then its other lines.
chain_state='' chain_code='' chain_hint=''
chain_lines=()
# The line of the reply that is read next.
declare -i chain_at=0
# The step that was read last: where it leads, and who has signed for it, with whether a key was touched.
declare -i step_serial=0
step_new=''
declare -gA step_signed=()
# Why a statement of it did not count, the last one.
step_ignored=''

# The doors that use the file, one element each: names, and what they require of an approval.
door_names=() door_people=() door_groups=() door_touch=()
# Paths of their files of revoked keys.
door_revoked=()

roster_names=(broker serial old new valid-until approver issued comment)

# take_reply FILE: a head of five lines, a blank one, and the steps: printable ASCII alone.
take_reply() {
  local text='' first
  local -a lines=()
  chain_state='' chain_code='' chain_hint='' chain_lines=() chain_at=0
  read_lines "$1" && ((${#text} <= reply_limit)) || return 1
  first=${lines[0]}
  if [[ $first == 'countersign/1 error -' ]]; then
    # What a broker says to a call that it does not know, or has no time for.
    [[ ${lines[2]-} == 'code: '* && ${lines[5]-} == 'hint: '* ]] || return 1
    chain_state=error chain_code=${lines[2]#code: } chain_hint=${lines[5]#hint: }
  else
    [[ $first == 'countersign-signers/1 '@(newest|steps|waiting|error) && ${lines[1]-} == 'present: '* &&
      ${lines[2]-} == 'code: '* && ${lines[3]-} == 'hint: '* && ! ${lines[4]-x} ]] || return 1
    chain_state=${first#* } chain_code=${lines[2]#code: } chain_hint=${lines[3]#hint: }
    chain_lines=("${lines[@]:5}")
    [[ $chain_state == steps ]] || ((${#chain_lines[@]} == 0)) || return 1
  fi
  [[ $chain_code && $chain_code != *[!a-z-]* ]] && ((${#chain_code} <= 64))
}

# parse_roster LINE…: sets roster_* to the values of one statement; each line is matched whole, in its place.
parse_roster() {
  local line name
  local -i index=0 epoch
  local -a values=()
  [[ $# -eq 9 && $1 == 'countersign-roster 1' ]] || return 1
  roster_statement=$1$'\n'
  shift
  for line; do
    name=${roster_names[index]}
    [[ $line == "$name: "* ]] || return 1
    values+=("${line:${#name}+2}")
    roster_statement+=$line$'\n'
    ((index += 1))
  done
  set -- "${values[@]}"
  is_fingerprint "$1" && is_count "$2" && is_digest "$3" && is_digest "$4" && is_name "$6" || return 1
  parse_time "$7" && roster_issued=$epoch && parse_time "$5" && roster_valid_until=$epoch || return 1
  [[ $8 =~ $comment_form ]] && ((${#8} <= 1000)) || return 1
  roster_broker=$1 roster_serial=$2 roster_old=$3 roster_new=$4 roster_approver=$6
}

# read_step IN-FORCE SERIAL NEW: reads one step, which must begin with the file in force and have a higher serial than the last
# one, or be that very one. Its file goes to FILE of the run.
read_step() {
  local in_force=$1 last_new=$3
  local -i last_serial=$2 statements=0 count
  step_serial=0 step_new='' step_signed=() step_ignored=''
  while [[ ${chain_lines[chain_at]-} == 'countersign-roster 1' ]]; do
    ((statements += 1, statements <= 64)) && parse_roster "${chain_lines[@]:chain_at:9}" || shut bad-reply 'a statement is not in its form'
    receipt_armor=()
    take_armor "${chain_lines[@]:chain_at+9:200}" || shut bad-reply 'a signature is not in its form'
    chain_at+=9+armor_lines
    is_pinned "$roster_broker" || shut wrong-broker 'a statement is for another broker'
    [[ $roster_old == "$in_force" ]] || shut wrong-old 'a statement is about another signers file than the one in force'
    ((statements == 1)) && step_serial=$roster_serial step_new=$roster_new
    ((roster_serial == step_serial)) && [[ $roster_new == "$step_new" ]] ||
      shut mixed-statements 'the statements are not about one signers file'
    ((step_serial > last_serial)) || { ((step_serial == last_serial && step_serial > 0)) && [[ $step_new == "$last_new" ]]; } ||
      shut old-serial "the serial $step_serial is not above $last_serial, the last one that was taken here"
    count_statement
  done
  [[ ${chain_lines[chain_at]-} == 'signers: '* ]] && is_count "${chain_lines[chain_at]#signers: }" ||
    shut bad-reply 'the steps are not in their form'
  count=${chain_lines[chain_at]#signers: }
  ((statements > 0 && count > 0 && chain_at + count < ${#chain_lines[@]})) || shut bad-reply 'the steps are not in their form'
  printf '%s\n' "${chain_lines[@]:chain_at+1:count}" >"$run.file" || state_failed
  chain_at+=1+count
  file_digest "$run.file"
  [[ $digest == "$step_new" ]] || shut wrong-file 'a signers file is not the one that was signed for'
}

# count_statement: the person counts once, if the statement is fresh and a key of the file in force made it.
count_statement() {
  local name=$roster_approver
  if ((roster_valid_until <= EPOCHSECONDS)); then
    step_ignored="the statement of $name has run out"
  elif ((roster_issued > EPOCHSECONDS + skew)); then
    step_ignored="the statement of $name is from the future: its clock or the one of this host is wrong"
  elif ! verify_signed "$name" roster@countersign "$roster_statement" "${receipt_armor[0]}"; then
    step_ignored=$fault_text
  elif is_revoked "$signed_by"; then
    step_ignored="$name signed with a key that is revoked here"
  elif [[ ${step_signed[$name]-} != yes ]]; then
    step_signed[$name]=$touched
  fi
}

# file_digest FILE: sets `digest`. A first line that names one of the doors says nothing else, and only that door's copy has it.
file_digest() {
  local first='' name from=1
  IFS= read -r first <"$1"
  for name in "${door_names[@]}"; do
    [[ $first != "# signers of $name" ]] || from=2
  done
  read -r digest _ < <(exec tail -n "+$from" -- "$1" | exec sha256sum)
  digest=sha256:$digest
  is_digest "$digest" || shut no-digest 'sha256sum gives no digest'
}

# require_quorum: people of the file in force have signed the step, enough for each of the doors. Two at least, where there are two:
# with one, he could give himself a second name, and approve with it what he asks for.
require_quorum() {
  local name
  local -i door least=$((${#signer_names[@]} < 2 ? 1 : 2))
  local -a names=()
  for door in "${!door_names[@]}"; do
    names=()
    for name in "${!step_signed[@]}"; do
      [[ ${door_touch[door]} == no || ${step_signed[$name]} == yes ]] && names+=("$name")
    done
    door_quorum "$door" "$least" "${names[@]}" ||
      end 3 no-quorum "${door_names[door]}: ${quorum_missing/approved/signed for the new signers file}${step_ignored:+; $step_ignored}"
  done
}

# require_usable FILE: the new file is one, and the people in it could open each of the doors.
require_usable() {
  local name types line key
  local -i door
  local -a all=() tokens=()
  parse_signers "$1" || shut bad-signers "the new signers file line $bad_line: $bad_reason"
  for name in "${signer_names[@]}"; do
    types=''
    while read -r _ _ line; do
      read -r _ key _ < <(exec ssh-keygen -l -f - <<<"$line")
      is_fingerprint "$key" || shut bad-signers 'ssh-keygen does not know a key of the new signers file'
      is_revoked "$key" || types+=" $line"
    done <<<"${signer_lines[$name]%$'\n'}"
    [[ ! $types ]] || all+=("$name")
    [[ $types != *' sk-'* ]] || tokens+=("$name")
  done
  for door in "${!door_names[@]}"; do
    if [[ ${door_touch[door]} == no ]]; then door_quorum "$door" 1 "${all[@]}"; else door_quorum "$door" 1 "${tokens[@]}"; fi ||
      shut no-quorum "with the new signers file nobody could open ${door_names[door]}: ${quorum_missing/have approved/are there}"
  done
}

# door_quorum DOOR LEAST NAME…: whether these people are enough for this door, and as many as LEAST.
door_quorum() {
  local -i door=$1 least=$2
  shift 2
  config[people]=$((door_people[door] < least ? least : door_people[door])) required_groups=() required_counts=()
  [[ ${door_groups[door]} == - ]] || parse_required_groups "${door_groups[door]}" || shut bad-config 'required-groups cannot be read'
  quorum_met 0 "$@"
}
