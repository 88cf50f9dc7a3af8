# shellcheck shell=bash disable=SC2015,SC2034,SC2154 # `a && b || shut` is meant; the modules share variables
# What a door remembers, in one directory of root's:
#   lock              held while the files below are read and written
#   clock             the second of the latest use: a door whose clock is before it stays shut
#   keys              lines of the signers file that have passed the checks of a line, of which those of keys take long
#   asks/DAY/SCOPE    nonce and claim of an ask that is not over, its number where the door shows one, and the second in
#                     which it was drawn, so that the next equal ask joins it or claims its approval
#   spent/DAY/REQUEST one line a use: its second; `denied` or `revoked` once a broker has said that of it
#   documents/DAY/REQUEST a document for offline approval that is too long for a line
#   sessions/DAY/…    of sessions that are watched: see session.sh
#   run/DAY/…         private files of one run
# DAY is the number of the day since 1970 on which a file was made, so that old files go by the directory.

# Prefix of the private files of this run.
run=''
# The number of the day on which it began.
today=0
# Nonce, claim and number of this ask, and their file; no number where the door shows none.
ask_nonce='' ask_claim='' ask_number='' ask_file=''
# The second in which it was drawn, in twelve digits; empty where that is not known.
ask_drawn=''
# The second of the latest use of this door, 0 for none.
latest_use=0
# The descriptor that holds the lock, if this run does.
lock=''

readonly day_seconds=86400 keep_asks_days=2 keep_spent_days=30

state_failed() {
  shut state-failed "cannot write below ${config[state]}"
}

# open_state: makes what is missing and sets `run`.
open_state() {
  local token
  ((today = EPOCHSECONDS / day_seconds))
  random_hex128 token
  if [[ ! -d ${config[state]}/run/$today || ! -d ${config[state]}/asks/$today || ! -d ${config[state]}/spent/$today ]]; then
    mkdir -p -- "${config[state]}"/{run,asks,spent}/"$today" &&
      sync -- "${config[state]}" "${config[state]}"/{run,asks,spent} || state_failed
    forget_old
  fi
  known_keys_file=${config[state]}/keys
  run=${config[state]}/run/$today/$token
  # Nothing is asked with a disk that cannot keep the answer.
  printf '%s\n' "$$" >"$run.pid" || state_failed
}

# close_state: removes the private files of this run, and the file of an ask that is over.
close_state() {
  [[ $run ]] || return 0
  rm -f -- "$run".*
  [[ -f $ask_file && ! -s $ask_file ]] || return 0
  lock_state
  [[ -s $ask_file ]] || rm -f -- "$ask_file"
  unlock_state
}

# read_clock: sets `latest_use`; shuts the door if the clock is before it.
read_clock() {
  local latest=''
  # Empty if the disk was full when the first use of all was to be recorded, so that there was none.
  [[ -s ${config[state]}/clock ]] || return 0
  read -r latest <"${config[state]}/clock"
  [[ $latest =~ ^[0-9]{12}$ ]] || shut clock-unknown "cannot read ${config[state]}/clock"
  ((latest_use = 10#$latest, EPOCHSECONDS >= 10#$latest)) ||
    shut clock-back 'the clock of this host is before the latest use of this door: it was set back'
}

# forget_old: removes what can no longer matter. An ask is over after minutes. A use is remembered for as long as any receipt
# for it could still be taken, and a month more, counted from the latest use: a clock that runs ahead forgets nothing.
forget_old() {
  local -i keep=$(((config[longest] + ${config[longest-duration]}) / day_seconds + keep_spent_days)) latest_day=0
  local path day
  local -a old=()
  read_clock
  ((latest_day = latest_use / day_seconds))
  for path in "${config[state]}"/{run,asks,spent,documents,sessions}/*; do
    day=${path##*/}
    is_count "$day" || continue
    case $path in
      */spent/"$day") ((day < latest_day - keep)) && old+=("$path") ;;
      *) ((day < today - keep_asks_days)) && old+=("$path") ;;
    esac
  done
  ((${#old[@]} == 0)) || rm -rf -- "${old[@]}"
}

# lock_state, unlock_state: between them no other run reads or writes. No program that lives on is started there.
lock_state() {
  exec {lock}>>"${config[state]}/lock" && flock -x -w 10 "$lock" || state_failed
}

unlock_state() {
  [[ ! $lock ]] || exec {lock}>&-
  lock=''
}

# take_ask: takes the equal ask that is not over, or else a new one, and composes its document.
take_ask() {
  draw_ask
  compose "$ask_nonce"
  ask_file=${config[state]}/asks/$today/${scope#sha256:}
  # Mostly there is none. Making a file that must not exist needs no lock: whoever reads it before it is written makes
  # another ask, and both are good.
  set -C
  [[ ! -e ${config[state]}/asks/$((today - 1))/${scope#sha256:} ]] && write_ask && set +C && return
  set +C
  lock_state
  if find_ask; then compose "$ask_nonce"; else write_ask || state_failed; fi
  unlock_state
}

# renew_ask: the ask with `ask_nonce` is over. Takes the one that another run has made since, or makes one.
renew_ask() {
  local former=$ask_nonce
  lock_state
  if ! find_ask || [[ $ask_nonce == "$former" ]]; then
    draw_ask
    write_ask || state_failed
  fi
  unlock_state
  compose "$ask_nonce"
}

# drop_ask: the ask with `ask_nonce` is over; the next run makes a new one.
drop_ask() {
  lock_state
  forget_ask
  unlock_state
}

# Under the lock: empties the file of this ask, unless it holds another one by now.
forget_ask() {
  [[ $ask_nonce ]] || return
  local former=$ask_nonce ask_nonce='' ask_claim='' ask_number='' ask_drawn=''
  find_ask && [[ $ask_nonce == "$former" ]] && : >"$ask_file"
}

# Under the lock: sets `ask_file`, and nonce, claim and number if it holds them. One that a killed run has left half written
# does not, and neither does one from before this door asked for a number.
find_ask() {
  local nonce='' claim='' number='' drawn=''
  local -i day
  for ((day = today - 1; day <= today; day++)); do
    ask_file=${config[state]}/asks/$day/${scope#sha256:}
    [[ -s $ask_file ]] && { read -r nonce && read -r claim && { ! asks_number || read -r number; } && { read -r drawn || drawn=''; }; } <"$ask_file" &&
      is_hex128 "$nonce" && is_hex128 "$claim" && { ! asks_number || is_six_digits "$number"; } || continue
    ask_nonce=$nonce ask_claim=$claim ask_number=$number ask_drawn=$drawn
    return
  done
  return 1
}

draw_ask() {
  random_hex128 ask_nonce
  random_hex128 ask_claim
  ! asks_number || random_digits ask_number
  printf -v ask_drawn '%012d' "$EPOCHSECONDS"
}

write_ask() {
  printf '%s\n' "$ask_nonce" "$ask_claim" ${ask_number:+"$ask_number"} "$ask_drawn" >"$ask_file" || return
  # Where it matters since when the ask stands.
  [[ ! ${config[alone-group]} ]] || sync -- "$ask_file" "${ask_file%/*}"
}
