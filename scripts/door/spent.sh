# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What this door has opened for. A use is on the disk before the door opens, under a name that follows from the digest that
# was signed, so that nothing opens a second time: not with another signature, another clock, or after a crash.

# What `find_spent` found: the file, the number of uses, and the second of the first one.
spent_file='' spent_uses=0 spent_first=0

# find_spent REQUEST: whether there has been a use. A file that cannot be read counts as used up.
find_spent() {
  local path line
  local -a lines=()
  spent_file='' spent_uses=0 spent_first=0
  for path in "${config[state]}"/spent/*/"${1#sha256:}"; do
    [[ -e $path ]] || continue
    spent_file=$path spent_uses=-1
    mapfile -t lines <"$path"
    for line in "${lines[@]}"; do
      [[ $line == [1-9]* && $line != *[!0-9]* ]] && ((${#line} <= 12)) || return 0
    done
    ((${#lines[@]})) && spent_uses=${#lines[@]} spent_first=${lines[0]}
    return 0
  done
  return 1
}

# condemn WORD REQUEST…: records why nothing opens for these any more, whatever a broker shows later: as a line that is no use.
condemn() {
  local word=$1 digest
  shift
  lock_state
  for digest; do
    if ! find_spent "$digest"; then
      spent_file=${config[state]}/spent/$today/${digest#sha256:}
    elif ((spent_uses < 0)); then
      continue
    fi
    printf '%s\n' "$word" >>"$spent_file" && sync -- "$spent_file" "${spent_file%/*}" || state_failed
  done
  unlock_state
}

# Why the verified receipts are of no use any more, though they were once: a code, and a sentence.
over_code='' over_text=''

# spend: records a use of the verified receipts. Fails if they are used up or their time is over, with `over_code`.
spend() {
  local -i now at not_after=${receipt_not_after[0]} duration=${receipt_duration[0]} uses=${receipt_uses[0]}
  lock_state
  read_clock
  now=EPOCHSECONDS
  # A quorum is worth its earliest end, its shortest work and its fewest uses; 0 uses are any number.
  for ((at = 0; at < ${#receipt_statement[@]}; at++)); do
    ((receipt_decided[at] <= now + skew)) || shut clock-skew "the clock of ${receipt_approver[at]} or of this host is wrong"
    ((receipt_not_after[at] < not_after)) && not_after=${receipt_not_after[at]}
    ((receipt_duration[at] < duration)) && duration=${receipt_duration[at]}
    ((receipt_uses[at] != 0 && (uses == 0 || receipt_uses[at] < uses))) && uses=${receipt_uses[at]}
  done
  if find_spent "${receipt_request[0]}"; then
    if [[ ${receipt_covers[0]} == request ]] || ((spent_uses < 0 || (uses != 0 && spent_uses >= uses))); then
      are_over spent 'the approval is used up'
      return 1
    fi
    ((now >= spent_first)) || shut clock-back 'the clock of this host was set back: it is before the first use of this grant'
  else
    spent_file=${config[state]}/spent/$today/${receipt_request[0]#sha256:}
  fi
  # Later uses of a grant with a duration end with it; every other use must lie before not-after.
  if ((spent_uses > 0 && duration > 0)); then
    # An approval that had ended before the first use was no part of it, and does not stretch it now.
    ((spent_first < not_after)) || { are_over too-late 'the approval ended before the first use' && return 1; }
    ((now < spent_first + duration)) || { are_over grant-ended 'the time of the grant is over' && return 1; }
  else
    ((now < not_after)) || { are_over too-late 'the approval ended before it was used' && return 1; }
  fi
  printf '%s\n' "$now" >>"$spent_file" || state_failed
  # Written over in one piece, so that a full disk or a crash cannot leave half a time.
  printf '%012d\n' "$now" 1<>"${config[state]}/clock" || state_failed
  sync -- "$spent_file" "${spent_file%/*}" "${config[state]}/clock" || state_failed
  forget_ask
  unlock_state
}

# are_over CODE TEXT
are_over() {
  over_code=$1 over_text=$2
  unlock_state
}
